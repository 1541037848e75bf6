"""Writes of decisions: choose the next item and keep the receipt."""

import datetime as dt
import uuid
from dataclasses import dataclass, field
from typing import Any

from tutor.accounts.models import Learner
from tutor.classes import selectors as class_selectors
from tutor.classes.models import Assignment
from tutor.common.prepared_writes import PreparedInsert
from tutor.content.models import Course
from tutor.scheduling import engine
from tutor.scheduling.models import Decision
from tutor.tracing import engine as tracing_engine

# The reason of an item that is tried out; the answer to it is marked.
PILOT = engine.PILOT
# Template seeds are small enough for JSON clients that keep numbers as doubles.
ITEM_SEEDS = 2**31


@dataclass(frozen=True, slots=True)
class Sitting:
    """Where in a session the decision falls, and the answer that led to it.

    Attributes:
        answered: answers given in the session.
        planned: answers after which it ends.
        follows: the presentation whose answer led here.
        shifts: concept id -> what that answer changed, kept with the decision.
    """

    answered: int
    planned: int
    follows: uuid.UUID | None = None
    shifts: dict[str, Any] = field(default_factory=dict)


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

    `seen` is the learner at the moment `at`.
    """
    goal: tuple[int, ...] = ()
    if assignment is not None:
        goal = class_selectors.get_goal_concepts(assignment=assignment, revision=course.revision)
    chosen = engine.choose(
        tracer=tracer,
        seen=seen,
        plan=engine.Plan(
            goal_concepts=goal,
            answered=sitting.answered,
            planned=sitting.planned,
            opens_at=_epoch(assignment.opens_at if assignment else None),
            closes_at=_epoch(assignment.due_at if assignment else None),
        ),
        at=at.timestamp(),
        seed=seed,
    )
    return _STORE.run(
        Decision(
            learner=learner,
            course=course,
            course_revision=tracer.bank.revision,
            assignment=assignment,
            at=at,
            policy=chosen.policy_version,
            tracer_id=tracer.tracer_id,
            seed=seed,
            receipt=chosen.receipt(),
            follows=sitting.follows,
            shifts=sitting.shifts,
            **_shown(chosen, tracer, seed),
        )
    )


_STORE = PreparedInsert(Decision)


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
        "reason": chosen.reason.code.value,
        "reason_facts": chosen.reason.facts,
    }


def _epoch(moment: dt.datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
