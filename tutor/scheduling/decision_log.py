"""Decisions with what they earned, for off-policy work: `docs/simulation.md` has the format.

Every decision is made again from the log first; one that does not come out as stored (the course's
items have changed since, an answer came late) is left out and counted. For workers and commands.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from curriculum.evaluation import decision_row, write_rows
from curriculum.evaluation.rewards import KIND, NOT_TAKEN, Rewards, mastery_gain_per_minute
from curriculum.scheduler import Distribution, find_distribution
from tutor.accounts.models import Learner
from tutor.content import selectors as content_selectors
from tutor.content.models import Course
from tutor.responses import selectors as response_selectors
from tutor.responses.models import Response
from tutor.responses.selectors import FoldRow
from tutor.scheduling import replaying
from tutor.scheduling.models import Decision
from tutor.scheduling.replaying import Moment, Past
from tutor.tracing import engine as tracing_engine

PROPENSITY_TOLERANCE = 1e-6
# Outcomes beside the kinds of putting off.
ANSWERED, LEFT, WAITING = "answered", "left", "waiting"
# Who has not answered by then has left the question; one given on a device comes with its time.
LEFT_AFTER = dt.timedelta(days=1)


@dataclass(slots=True)
class Told:
    """What was written, of it what had no answer by outcome, what was left out by reason."""

    rows: int = 0
    unanswered: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)


def iterate_rows(
    *,
    course: Course,
    at: dt.datetime,
    told: Told | None = None,
    progress: Callable[[int], object] = lambda _: None,
) -> Iterator[dict[str, Any]]:
    """Yield the lines of a course's decision log, learner by learner.

    Args:
        course: whose decisions.
        at: now: what was chosen a day before and has no answer counts as left.
        told: counts what is written and what is left out.
        progress: called with the learners done since its last call.
    """
    told = Told() if told is None else told
    learners = Decision.objects.filter(course=course).values("learner").distinct()
    for learner in Learner.objects.filter(pk__in=learners).order_by("pk"):
        past = replaying.read_past(learner_id=learner.pk, course_id=course.pk)
        answers, instead = _answers(course, learner), _put_off(past)
        latest = past.decisions[-1].pk
        for moment in replaying.walk(past):
            decision, outcome = moment.decision, ANSWERED
            answer = answers.get(decision.public_id)
            if answer is None:
                over = decision.pk != latest or decision.at <= at - LEFT_AFTER
                outcome = instead.get(decision.public_id, LEFT if over else WAITING)
            row = _row(moment, learner, answer, outcome, told)
            if row is not None:
                told.rows += 1
                if outcome != ANSWERED:
                    told.unanswered[outcome] += 1
                yield row
        progress(1)


def write_log(
    *,
    course: Course,
    path: Path,
    at: dt.datetime,
    progress: Callable[[int], object] = lambda _: None,
) -> Told:
    """Write a course's decision log of `at` as JSON Lines and return what went into it.

    Raises:
        OSError: it cannot be written there; nothing of it is left behind.
    """
    told = Told()
    write_rows(iterate_rows(course=course, at=at, told=told, progress=progress), path)
    return told


def count_learners(*, course: Course) -> int:
    """Return how many learners decisions were made for."""
    return Decision.objects.filter(course=course).values("learner").distinct().count()


def _answers(course: Course, learner: Learner) -> dict[object, Response]:
    first = response_selectors.list_standing(course_id=course.pk).filter(
        learner=learner, attempt=1, presentation__isnull=False
    )
    return {row.presentation: row for row in first}


def _put_off(past: Past) -> Mapping[object, str]:
    """Return presentation -> how it was put off; what came instead has it among its facts."""
    return {
        row.follows: row.reason_facts["instead"]
        for row in past.decisions
        if row.follows is not None and row.reason_facts.get("instead")
    }


def _row(
    moment: Moment, learner: Learner, answer: Response | None, outcome: str, told: Told
) -> dict[str, Any] | None:
    decision = moment.decision
    if decision.item_version_id is None:
        return None
    unusable = _why_unusable(decision)
    if unusable:
        told.left_out[unusable] += 1
        return None
    policy = replaying.conduct_of(decision).policy
    chances = find_distribution(moment.situation, seed=decision.seed, policy=policy)
    if not isinstance(chances, Distribution):
        told.left_out["another choice than was stored"] += 1
        return None
    pair = _find_pair(chances, decision)
    if pair is None:
        told.left_out["another choice than was stored, or an item tried out"] += 1
        return None
    row = decision_row(
        decision_id=str(decision.public_id),
        learner=str(learner.pseudonym),
        chances=chances,
        pair=pair,
        policy=policy,
        reward=_reward(moment, answer, outcome, wanted=chances.standing.wanted),
        reward_kind=KIND,
    )
    return row | {"outcome": outcome}


def _why_unusable(decision: Decision) -> str:
    """Return why a decision's chances cannot be made again, empty where they may be."""
    if decision.mode == "" or decision.receipt.get("v", 1) < 2:
        return "made by an earlier program"
    if decision.receipt.get("placing"):
        return "to place a newcomer, where no policy is asked"
    # Whatever failed then may work now.
    return "chosen in the course's order after an error" if decision.fallback == "error" else ""


def _find_pair(chances: Distribution, decision: Decision) -> int | None:
    """Return the row of the pair that was drawn, if it has the propensity that was stored."""
    choices, receipt = chances.choices, decision.receipt
    bank = choices.situation.bank
    concept = bank.concept_ids[choices.arms.concept[choices.arm]]
    found = np.flatnonzero(
        (bank.item_ids[choices.item] == receipt["item"]) & (concept == receipt["concept"])
    )
    if len(found) != 1:
        return None
    pair = int(found[0])
    drift = abs(float(chances.joint[pair]) - float(decision.propensity))
    return pair if drift <= PROPENSITY_TOLERANCE else None


def _reward(
    moment: Moment, answer: Response | None, outcome: str, *, wanted: npt.NDArray[np.bool_]
) -> float | None:
    """Return the signed gain of the goal's mastery per minute, by the decision's own tracer.

    None while the question waits for an answer.
    """
    if answer is None:
        return None if outcome == WAITING else NOT_TAKEN
    return float(rewards_of(moment, answer, wanted=wanted).value[0])


def rewards_of(moment: Moment, answer: Response, *, wanted: npt.NDArray[np.bool_]) -> Rewards:
    """Return what an answer earned, one row: before and after it, at the moment it was given.

    Per minute that the item was expected to take when it was chosen. By its own time a right
    answer, which comes quicker than a wrong one, would earn more than the wrong one costs, with
    nothing learnt; nor is a learner's speed an item's merit.

    Args:
        moment: the decision.
        answer: the first try.
        wanted: [K] the goal and what has to be practised on the way to it, as it was then: each
            counts alike.
    """
    tracer, at = moment.tracer, answer.answered_at.timestamp()
    row = FoldRow(
        id=answer.pk,
        learner_id=answer.learner_id,
        version_id=answer.item_version_id,
        item_id=moment.decision.item_version.item_id,
        credit=answer.credit,
        attempt=answer.attempt,
        hints_seen=answer.hints_seen,
        answered_at=answer.answered_at,
    )
    concepts = content_selectors.get_concepts_of_version(version_id=row.version_id)
    state = moment.seen.state
    after_state = tracing_engine.fold_one(tracer, state, row=row, concept_ids=concepts)
    before = tracing_engine.see(tracer, state, at=at).survey.concepts
    after = tracing_engine.see(tracer, after_state, at=at).survey.concepts
    return mastery_gain_per_minute(
        before_mean=before.logit_mean[None],
        before_var=before.logit_var[None],
        after_mean=after.logit_mean[None],
        after_var=after.logit_var[None],
        goal=wanted.astype(np.float64),
        minutes=np.array([_minutes_expected(moment)]),
    )


def _minutes_expected(moment: Moment) -> float:
    situation, item = moment.situation, moment.decision.item_version.item_id
    if situation.item_minutes is None:
        return situation.rules.minutes_per_item
    return float(situation.item_minutes[situation.bank.rows_of(np.array([item]))[0]])
