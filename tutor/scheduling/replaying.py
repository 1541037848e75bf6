"""Deciding again: from stored decisions and the log before them, the same choices.

It holds while the course's items are the ones that a decision knew: the log and all that was
learnt are kept, a course's earlier list of items is not.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tutor.classes import stated, terms
from tutor.content import selectors as content_selectors
from tutor.content.selectors import CourseBank
from tutor.responses import selectors as response_selectors
from tutor.responses.selectors import FoldRow
from tutor.scheduling import conduct as conducts
from tutor.scheduling import engine, exposures, lately, plans, remembering
from tutor.scheduling.models import Decision, StuckRelease
from tutor.tracing import engine as tracing_engine
from tutor.tracing import selectors as tracing_selectors
from tutor.tracing import services as tracing_services


@dataclass(frozen=True, slots=True)
class Past:
    """All that a learner's choices in a course were made from, each list oldest first."""

    decisions: tuple[Decision, ...]
    rows: tuple[FoldRow, ...]
    releases: tuple[StuckRelease, ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """A decision, and the learner as the tracer of that decision saw them.

    Attributes:
        decision: as stored.
        tracer: the version that it was made under.
        seen: the learner at that moment.
        situation: everything that it depended on.
    """

    decision: Decision
    tracer: tracing_engine.CourseTracer
    seen: tracing_engine.Seen
    situation: engine.Situation


def decide_again(decision: Decision) -> engine.Decision | engine.Finish:
    """Return what comes of the decision's inputs today.

    Raises:
        ReceiptDiffers: something else than what was stored, and in which field.
    """
    situation = situation_of(decision)
    policy = conduct_of(decision).policy
    return engine.replay(situation, receipt=decision.receipt, policy=policy)


def situation_of(decision: Decision) -> engine.Situation:
    """Return everything that the decision depended on, from the log alone."""
    past = read_past(learner_id=decision.learner_id, course_id=decision.course_id)
    found = (moment for moment in walk(past) if moment.decision.pk == decision.pk)
    return next(found).situation


def conduct_of(decision: Decision) -> engine.Conduct:
    """Return how items were chosen for the learner then."""
    receipt = decision.receipt
    # The version ends in a digest of the parameters: what stands before it is the name.
    return conducts.make_conduct(
        policy=decision.policy.rpartition("-")[0],
        version=decision.policy_version,
        settings_id=decision.settings_id,
        explores=receipt.get("exploring") != "not-allowed",
        kill_switch=receipt.get("fallback") == engine.KILL_SWITCH,
        # Finishes of earlier versions do not say: nobody was placed then.
        places=receipt.get("placing", False),
        wishes=conducts.read_wishes(rule_ids=decision.steering) if decision.steering else (),
        # As of then: every word raised the revision that it came in with.
        stated=stated.of(
            learner_id=decision.learner_id,
            course_id=decision.course_id,
            revision=decision.course_revision,
        ),
    )


def read_past(*, learner_id: int, course_id: int) -> Past:
    """Return a learner's decisions, answers and releases in a course."""
    decisions = (
        Decision.objects.filter(learner=learner_id, course=course_id)
        .select_related(
            *("course", "assignment", "item_version", "tracer", "policy_version", "prediction")
        )
        .defer("item_version__body")
        .order_by("pk")
    )
    rows = response_selectors.iterate_fold_rows(course_id=course_id, learner_ids=[learner_id])
    releases = StuckRelease.objects.filter(learner=learner_id, concept__course=course_id)
    return Past(tuple(decisions), tuple(rows), tuple(releases.order_by("pk")))


def walk(past: Past) -> Iterator[Moment]:
    """Yield the decisions one by one with the learner as they were; each answer is folded once.

    A learner under several tracer versions is folded under each.
    """
    folds: dict[int, _Fold] = {}
    for place, decision in enumerate(past.decisions):
        if decision.tracer_id is None:
            continue
        if decision.tracer_id not in folds:
            folds[decision.tracer_id] = _Fold(decision)
        fold = folds[decision.tracer_id]
        seen = fold.see(past.rows, decision)
        conduct = conduct_of(decision)
        situation = engine.make_situation(
            tracer=fold.tracer,
            seen=seen,
            plan=_plan_of(past, place),
            conduct=conduct,
            recent=dataclasses.replace(
                _recent_of(past, place, seen, conduct, fold.tracer.bank),
                stability=remembering.stability_of(fold.kept),
            ),
            at=decision.at.timestamp(),
        )
        yield Moment(decision, fold.tracer, seen, situation)


class _Fold:
    """A learner's state under one tracer, on its way through the log."""

    def __init__(self, decision: Decision) -> None:
        self.tracer = tracing_services.tracer_of_version(
            version=decision.tracer, revision=decision.course.revision
        )
        self.state = tracing_engine.start(self.tracer)
        self.folded = 0
        bank = self.tracer.bank
        self.facts = frozenset(bank.concept_ids[bank.is_fact].tolist())
        self.kept: dict[int, remembering.Kept] = {}

    def see(self, rows: tuple[FoldRow, ...], decision: Decision) -> tracing_engine.Seen:
        """Return the learner as the decision saw them, after the answers until then."""
        at, stored = decision.at, decision.prediction
        while self.folded < len(rows) and rows[self.folded].answered_at <= at:
            row = rows[self.folded]
            concepts = content_selectors.get_concepts_of_version(version_id=row.version_id)
            self.state = tracing_engine.fold_one(
                self.tracer, self.state, row=row, concept_ids=concepts
            )
            if self.facts and remembering.counts(self.tracer, row):
                remembering.fold_all(self.kept, row, concept_ids=concepts, facts=self.facts)
            self.folded += 1
        prediction = None if stored is None else tracing_selectors.read_prediction(stored)
        return tracing_engine.see(
            self.tracer,
            self.state,
            at=at.timestamp(),
            prediction=prediction,
            # By the decision's own count: answers may have come in since that were given before.
            n_responses=prediction.n_responses + decision.prediction_lag if prediction else 0,
            distrusted=self._flags(decision.distrusted),
            by_difficulty=self._flags(decision.by_difficulty),
        )

    def _flags(self, concept_ids: list[int] | None) -> tracing_engine.Bools | None:
        """Return (K,) which of the course's concepts were named; None for none."""
        return None if concept_ids is None else np.isin(self.tracer.bank.concept_ids, concept_ids)


def _plan_of(past: Past, place: int) -> engine.Plan:
    decision = past.decisions[place]
    assignment, started = decision.assignment, place
    while past.decisions[started].follows is not None and started > 0:
        started -= 1
    own = None
    if assignment is not None:
        # What teachers had decided by then; the topics that it asks for are those of now.
        own = terms.find(
            assignment=assignment,
            learner_id=decision.learner_id,
            course_id=decision.course_id,
            revision=decision.course.revision,
            as_of=decision.course_revision,
        )
    chain = past.decisions[started + 1 : place + 1]
    asked = decision.reason_facts.get("concept") if decision.reason == engine.ASKED_AGAIN else None
    planned = assignment.items_per_session if assignment else plans.FREE_PRACTICE
    return engine.Plan(
        # What was put off was no answer.
        answered=sum(not row.reason_facts.get("instead") for row in chain),
        planned=None if decision.minutes_left is not None else planned,
        minutes_left=decision.minutes_left,
        asked_again=asked,
        **plans.asked_of(own, topic=decision.reason_facts.get("topic"), at=decision.at),
        **plans.resting_of(decision.reason_facts.get("resting", {})),
    )


def _recent_of(
    past: Past,
    place: int,
    seen: tracing_engine.Seen,
    conduct: engine.Conduct,
    bank: CourseBank,
) -> engine.Recent:
    decision, earlier = past.decisions[place], past.decisions[:place]
    shown = [row for row in earlier if row.item_version is not None]
    shown.sort(key=lambda row: (row.at, row.pk), reverse=True)
    window = decision.at - dt.timedelta(days=engine.RULES.exposure_days)
    waiting = set(lately.list_possibly_stuck(seen, bank))
    return engine.Recent(
        modes=tuple((row.item_version.item_id, row.mode) for row in shown[: engine.MODES_LOOKED_AT])
        if len(seen.state.mastered)
        else (),
        explored=sum(row.reason == engine.EXPLORE and row.at >= window for row in earlier),
        released={
            row.concept_id: row.at.timestamp()
            for row in past.releases
            if row.at <= decision.at and row.concept_id in waiting
        },
        placing=lately.may_be_new(seen.state, conduct)
        and lately.is_placing(seen.state, _last_reason(earlier)),
        earlier=_earlier(past.rows, seen, conduct),
        exposure=exposures.find_counts(course_id=decision.course_id, at=decision.at),
    )


def _last_reason(earlier: tuple[Decision, ...]) -> str:
    given = (row.reason for row in reversed(earlier) if row.item_version_id is not None)
    return next(given, "")


def _earlier(
    rows: tuple[FoldRow, ...], seen: tracing_engine.Seen, conduct: engine.Conduct
) -> tuple[tuple[int, float], ...]:
    span = lately.cut_off_at(seen.state, conduct) if conduct.wishes else None
    if span is None:
        return ()
    since, before = span
    times = ((row, row.answered_at.timestamp()) for row in rows if row.attempt == 1)
    return tuple((row.item_id, at) for row, at in times if since <= at < before)
