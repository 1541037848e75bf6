"""When what a learner has mastered will be due for review: the scheduler's rule, looked ahead."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from django.utils import timezone

from curriculum.scheduler.standing import find_due
from tutor.accounts.models import Learner
from tutor.classes import stated
from tutor.content.models import Course
from tutor.scheduling import engine, remembering
from tutor.tracing import engine as tracing_engine
from tutor.tracing import selectors as tracing_selectors

DAYS_AHEAD = 14


@dataclass(frozen=True, slots=True)
class Review:
    """A concept that was mastered once; `due_on` is None beyond the days looked at."""

    concept_id: int
    due_on: dt.date | None
    is_due: bool


def list_reviews(
    *, learner: Learner, course: Course, at: dt.datetime, days: int = DAYS_AHEAD
) -> list[Review]:
    """Return when each mastered concept falls due if it is not practised before, in teaching order.

    Asked at the same hour of each day ahead; what is due already has today's date. The estimate is
    the filter's: how much a deep prediction will count in days nobody knows.
    """
    tracer = tracing_selectors.get_tracer(course_id=course.pk, revision=course.revision)
    state = tracing_selectors.get_state(learner_id=learner.pk, tracer=tracer)
    if not state.filter.n:
        return []
    concept_ids = tracer.bank.concept_ids
    stability = remembering.read_stability(
        learner_id=learner.pk,
        tracer=tracer,
        seen=tracing_engine.see(tracer, state, at=at.timestamp()),
        keeps=False,
    )
    recent = engine.Recent(stability=stability)
    said = stated.of(learner_id=learner.pk, course_id=course.pk, revision=course.revision)
    due = np.array(
        [
            _find_due(tracer, state, recent, said, at=at + dt.timedelta(days=ahead))
            for ahead in range(days)
        ]
    )
    unknown = [pk for pk, one in said.items() if not one.is_known]
    known = np.isin(concept_ids, state.mastered) & ~np.isin(concept_ids, unknown)
    known |= due.any(axis=0)
    first = np.where(due.any(axis=0), due.argmax(axis=0), -1)
    return [
        Review(
            concept_id=pk,
            due_on=None
            if first[index] < 0
            else timezone.localdate(at) + dt.timedelta(days=int(first[index])),
            is_due=bool(first[index] == 0),
        )
        for index, pk in enumerate(concept_ids.tolist())
        if known[index]
    ]


def _find_due(
    tracer: tracing_engine.CourseTracer,
    state: tracing_engine.TracedLearner,
    recent: engine.Recent,
    said: stated.Of,
    *,
    at: dt.datetime,
) -> npt.NDArray[np.bool_]:
    situation = engine.make_situation(
        tracer=tracer,
        seen=tracing_engine.see(tracer, state, at=at.timestamp()),
        plan=engine.Plan(goal_concepts=(), answered=0, planned=1),
        conduct=engine.Conduct(stated=said),
        recent=recent,
        at=at.timestamp(),
    )
    return find_due(situation)
