"""Writes of decisions: choose the next item and keep the receipt."""

import dataclasses
import datetime as dt
import functools
import logging
from typing import Any

from django.db import DatabaseError
from django.db.models import Exists, OuterRef, Q, Subquery

from tutor.accounts.models import Learner
from tutor.classes.models import Assignment
from tutor.common import turns
from tutor.common.prepared_writes import PreparedInsert
from tutor.content.models import Course
from tutor.registry.models import Promotion
from tutor.scheduling import conduct as conducts
from tutor.scheduling import (
    engine,
    fallback,
    lately,
    looking_back,
    preparing,
    probing,
    wishes,
)
from tutor.scheduling.engine import Plan
from tutor.scheduling.models import Decision
from tutor.scheduling.preparing import Sitting
from tutor.tracing import engine as tracing_engine
from tutor.tracing.deep import Rung, shifted
from tutor.tracing.models import DeepPrediction

__all__ = [
    "PILOT",
    "Sitting",
    "decide_next",
    "find_minutes_a_day",
    "plan_length",
    "prune_predictions",
]

logger = logging.getLogger(__name__)

# The reason of an item that is tried out; the answer to it is marked.
PILOT = engine.PILOT
# Template seeds are small enough for JSON clients that keep numbers as doubles.
ITEM_SEEDS = 2**31


def decide_next(
    *,
    learner: Learner,
    course: Course,
    assignment: Assignment | None,
    tracer: tracing_engine.CourseTracer,
    seen: tracing_engine.Seen,
    at: dt.datetime,
    seed: int,
    sitting: Sitting,
) -> Decision:
    """Choose the next item, or a finish, and store it with its receipt.

    `seen` is the learner at the moment `at`. If the choice raises, even by what it is made from or
    by finding how it is made, the course's own order is followed with propensity 1: `fallback` is
    "error", and the receipt's `fallback` names it. (Errors of the database are raised.)
    """
    conduct, broken = conducts.find_or_stand_in(
        learner_id=learner.pk,
        course_id=course.pk,
        assignment=assignment,
        revision=tracer.bank.revision,
    )
    ready = preparing.prepare(
        learner=learner,
        assignment=assignment,
        tracer=tracer,
        seen=seen,
        conduct=conduct,
        sitting=sitting,
        at=at,
        broken=broken,
    )

    @functools.cache
    def look_back() -> looking_back.Recent:
        return looking_back.find_recent(
            learner_id=learner.pk,
            tracer=tracer,
            conduct=conduct,
            seen=seen,
            at=at,
            last_reason=sitting.last_reason,
        )

    def choose(plan: Plan) -> engine.Decision | engine.Finish:
        given = {"tracer": tracer, "seen": seen, "plan": plan, "conduct": conduct, "seed": seed}
        try:
            if ready.broken is not None:
                raise ready.broken
            return engine.choose(**given, recent=look_back(), at=at.timestamp())
        except DatabaseError:
            # On PostgreSQL nothing can be stored after it: the whole answer is rolled back.
            raise
        except Exception as error:
            logger.exception("No choice could be made: the course's own order stands in.")
            return fallback.follow_order(**given, at=at.timestamp(), error=error)

    plan, probe = ready.plan, ready.probe
    chosen = choose(dataclasses.replace(plan, asked_again=probe.concept_id) if probe else plan)
    if probe is not None and not engine.is_probe(chosen):
        # None of its items may be given now: it waits, and nothing else changes by it.
        chosen, probe = choose(plan), None
    decision = _STORE.run(
        Decision(
            learner=learner,
            course=course,
            course_revision=tracer.bank.revision,
            assignment=assignment,
            at=at,
            policy=conduct.policy.version,
            policy_version_id=conduct.version_id,
            settings_id=conduct.settings_id,
            tracer_id=tracer.tracer_id,
            seed=seed,
            receipt=chosen.receipt(),
            follows=sitting.follows,
            shifts=sitting.shifts,
            minutes_left=sitting.minutes_left,
            steering=[wish.pk for wish in conduct.wishes] or None,
            **_with_put_off(_shown(chosen, tracer, seed), sitting),
            **_estimated(chosen, tracer, seen),
        )
    )
    if probe is not None:
        probing.note_asked(probe=probe, decision=decision)
    return decision


def find_minutes_a_day(
    *, learner: Learner, course: Course, assignment: Assignment | None
) -> int | None:
    """Return how many minutes a day a teacher has planned for this; None where nobody has."""
    conduct, _ = conducts.find_or_stand_in(
        learner_id=learner.pk,
        course_id=course.pk,
        assignment=assignment,
        revision=course.revision,
    )
    return min((wish.value for wish in conduct.wishes if wish.kind == "minutes"), default=None)


def plan_length(
    *,
    learner: Learner,
    course: Course,
    assignment: Assignment | None,
    items: int,
    minutes: int | None,
) -> int:
    """Return after how many answers a sitting that begins now is expected to end.

    Args:
        learner, course, assignment: whose, and on what.
        items: as it is planned in items.
        minutes: as it is planned in minutes; then `items` do not count.
    """
    conduct, _ = conducts.find_or_stand_in(
        learner_id=learner.pk,
        course_id=course.pk,
        assignment=assignment,
        revision=course.revision,
    )
    if minutes is not None:
        items = lately.expect_items(minutes, conduct)
    return min(items, wishes.longest_of(conduct.wishes) or items)


_STORE = PreparedInsert(Decision)
_FALLBACKS = {engine.KILL_SWITCH: engine.KILL_SWITCH}


def _shown(
    chosen: engine.Decision | engine.Finish, tracer: tracing_engine.CourseTracer, seed: int
) -> dict[str, Any]:
    if isinstance(chosen, engine.Finish):
        facts = {**chosen.facts, "next_at": chosen.next_at}
        return {"reason": chosen.code.value, "reason_facts": facts}
    bank = tracer.bank
    return {
        "item_version_id": int(bank.version_ids[bank.index_of_item[chosen.item_id]]),
        "item_seed": seed % ITEM_SEEDS,
        "propensity": chosen.propensity,
        "mode": chosen.mode.value,
        "fallback": _FALLBACKS.get(chosen.fallback, "error") if chosen.fallback else "",
        "reason": chosen.reason.code.value,
        "reason_facts": chosen.reason.facts,
    }


def _with_put_off(shown: dict[str, Any], sitting: Sitting) -> dict[str, Any]:
    """Return the columns with what the learner wished among the facts: the choice depends on it."""
    put_off: dict[str, Any] = {"resting": dict(sitting.resting)} if sitting.resting else {}
    if sitting.instead:
        put_off["instead"] = sitting.instead
    if sitting.topic is not None:
        put_off["topic"] = sitting.topic
    return {**shown, "reason_facts": {**shown["reason_facts"], **put_off}}


def _estimated(
    chosen: engine.Decision | engine.Finish,
    tracer: tracing_engine.CourseTracer,
    seen: tracing_engine.Seen,
) -> dict[str, Any]:
    """Return what the choice stood on, and what was expected of the item by each estimate."""
    failed = (
        isinstance(chosen, engine.Decision) and _shown(chosen, tracer, 0)["fallback"] == "error"
    )
    found: dict[str, Any] = {"rung": Rung.ORDER if failed else seen.rung}
    if seen.deep is not None:
        found |= {
            "prediction_id": seen.deep.pk,
            "prediction_lag": max(seen.deep.lag, 0),
        }
        if seen.deep.distrusted is not None:
            found["distrusted"] = tracer.bank.concept_ids[seen.deep.distrusted].tolist()
    if seen.by_difficulty is not None:
        found["by_difficulty"] = tracer.bank.concept_ids[seen.by_difficulty].tolist()
    if isinstance(chosen, engine.Finish):
        return found
    row = tracer.bank.index_of_item[chosen.item_id]
    live = float(seen.live.items.prob[row])
    if not failed:
        found["rung"] = seen.rung_of(tracer.bank, row)
    found |= {"expected": float(seen.survey.items.prob[row]), "expected_live": live}
    found["expected_difficulty"] = tracing_engine.predict_new(tracer, row=row, at=seen.at)
    if seen.deep is not None:
        found["expected_deep"] = shifted(live, float(seen.deep.items[row]))
        found["prediction_weight"] = seen.deep.weight_of(tracer.bank, row)
    return found


# Predictions from which nothing was decided are kept so long: a choice may be under way.
UNUSED_KEPT = dt.timedelta(days=1)


def prune_predictions(*, now: dt.datetime) -> int:
    """Remove deep predictions that are old and that nobody needs; return how many.

    Those that a decision names stay: with them a choice can be made again. Of the others a
    learner's newest under a live tracer stays; a tracer that comes back into use predicts anew.
    """
    of_course = Promotion.objects.filter(course=OuterRef("tracer__course")).order_by("-pk")
    own = DeepPrediction.objects.filter(learner=OuterRef("learner"), tracer=OuterRef("tracer"))
    unused = DeepPrediction.objects.filter(
        ~Exists(Decision.objects.filter(prediction=OuterRef("pk"))),
        Exists(own.filter(pk__gt=OuterRef("pk")))
        | ~Q(tracer=Subquery(of_course.values("tracer")[:1])),
        made_at__lt=now - UNUSED_KEPT,
    )
    ids = list(unused.values_list("pk", flat=True))
    for first in range(0, len(ids), 500):
        with turns.atomic_turn():
            piece = DeepPrediction.objects.filter(pk__in=ids[first : first + 500])
            # Nothing names them: Django's own look at what does would read every decision.
            piece._raw_delete(piece.db)  # noqa: SLF001 - as Django's deletion does
    return len(ids)
