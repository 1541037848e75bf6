"""What a choice is prepared with: what for, how far the sitting is, the probe that is due."""

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db import DatabaseError

from tutor.accounts.models import Learner
from tutor.classes import terms
from tutor.classes.models import Assignment
from tutor.scheduling import plans, probing, selectors
from tutor.scheduling.models import DelayedProbe
from tutor.scheduling.plans import Conduct, Plan
from tutor.tracing import engine as tracing_engine

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Sitting:
    """Where in a session the decision falls, and the answer that led to it.

    Attributes:
        answered: answers given in the session.
        planned: answers after which it was expected to end when it began; what it was told with.
            The choice takes the assignment's own number, bounded by the rules of now.
        follows: the presentation whose answer led here.
        shifts: concept id -> what that answer changed, kept with the decision.
        last_reason: of the decision whose answer led here.
        minutes_left: where the session is planned in minutes; then `planned` is an estimate.
        resting: {"concepts": ids, "items": ids} that the learner has put off until it ends.
        topic: id of the concept that the learner chose to practise.
        instead: why the item before was put off ("skip", "unlearnt"), empty after an answer.
    """

    answered: int
    planned: int
    follows: uuid.UUID | None = None
    shifts: dict[str, Any] = field(default_factory=dict)
    last_reason: str = ""
    minutes_left: float | None = None
    resting: Mapping[str, Any] = field(default_factory=dict)
    instead: str = ""
    topic: int | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """What a choice is made with.

    Attributes:
        plan: what the sitting is for, as far as it could be found.
        probe: that the sitting begins with; None where none is due.
        broken: what went wrong on the way, the first of it; None for nothing.
    """

    plan: Plan
    probe: DelayedProbe | None = None
    broken: Exception | None = None


def prepare(
    *,
    learner: Learner,
    assignment: Assignment | None,
    tracer: tracing_engine.CourseTracer,
    seen: tracing_engine.Seen,
    conduct: Conduct,
    sitting: Sitting,
    at: dt.datetime,
    broken: Exception | None = None,
) -> Ready:
    """Return what a choice is made with; what cannot be found is left out and named.

    Without its terms a sitting is on the whole course, within the assignment's dates. `broken` is
    what went wrong before. Errors of the database are raised.
    """
    own, of_goal = _or_none(lambda: _terms(assignment, learner, tracer))
    if own is None and assignment is not None:
        own = terms.as_set(assignment)
    resting, of_resting = _or_none(lambda: plans.resting_of(sitting.resting))
    plan = Plan(
        answered=sitting.answered,
        planned=_planned(assignment, sitting),
        minutes_left=sitting.minutes_left,
        **(plans.asked_of(own, topic=sitting.topic, at=at) | (resting or {})),
    )
    broken = broken or of_goal or of_resting
    if broken is not None:
        return Ready(plan, broken=broken)
    probe, of_probe = _or_none(lambda: _due_probe(tracer, seen, learner, conduct, sitting, at))
    return Ready(plan, probe, of_probe)


def _or_none(find: Callable[[], Found]) -> tuple[Found | None, Exception | None]:
    """Return what is found, or what went wrong."""
    try:
        return find(), None
    except DatabaseError:
        # On PostgreSQL nothing more can be read or written in its transaction.
        raise
    except Exception as error:  # noqa: BLE001 - handed on: the choice logs it and falls back
        return None, error


def _terms(
    assignment: Assignment | None, learner: Learner, tracer: tracing_engine.CourseTracer
) -> terms.Terms | None:
    if assignment is None:
        return None
    bank = tracer.bank
    return terms.find(
        assignment=assignment,
        learner_id=learner.pk,
        course_id=bank.course_id,
        revision=bank.revision,
    )


def _planned(assignment: Assignment | None, sitting: Sitting) -> int | None:
    """Return after how many answers the sitting ends; None where it is planned in minutes."""
    if sitting.minutes_left is not None:
        return None
    # Not as it was told when the sitting began: a rule of then may be taken back by now.
    return plans.FREE_PRACTICE if assignment is None else assignment.items_per_session


def _due_probe(
    tracer: tracing_engine.CourseTracer,
    seen: tracing_engine.Seen,
    learner: Learner,
    conduct: Conduct,
    sitting: Sitting,
    at: dt.datetime,
) -> DelayedProbe | None:
    """Return the probe that a sitting begins with, if one is due and its concept has rested."""
    if not conduct.probes or sitting.answered:
        return None
    due = selectors.list_due_probes(learner_id=learner.pk, course_id=tracer.bank.course_id, at=at)
    return next((probe for probe in due if probing.has_rested(probe, tracer, seen, at=at)), None)
