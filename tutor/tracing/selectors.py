"""Estimates: the scheduler's, every page's and the API's only source."""

import datetime as dt
import math
from collections.abc import Sequence

import numpy as np

from tutor.accounts.models import Learner
from tutor.common.cache import new_cache
from tutor.content import selectors as content_selectors
from tutor.content.models import Course
from tutor.registry import selectors as registry_selectors
from tutor.tracing import engine
from tutor.tracing.bands import Mastery
from tutor.tracing.errors import NoTracer
from tutor.tracing.models import LearnerState

_tracers = new_cache(capacity=32)


def get_tracer(*, course_id: int, revision: int) -> engine.CourseTracer:
    """Return the live tracer laid over the course; made once per revision and process.

    Raises:
        NoTracer: the course never had a tracer promoted.
    """
    return _tracers.get((course_id, revision), lambda: _read_tracer(course_id, revision))


def _read_tracer(course_id: int, revision: int) -> engine.CourseTracer:
    version = registry_selectors.get_live_tracer(course_id=course_id)
    if version is None:
        raise NoTracer("This course has no tracer yet.", course_id=course_id)
    return engine.lay_over(
        bank=content_selectors.get_bank(course_id=course_id, revision=revision),
        tracer_id=version.pk,
        number=version.number,
        body=version.body,
    )


def get_state(*, learner_id: int, tracer: engine.CourseTracer) -> engine.TracedLearner:
    """Return the learner's state, or that of a new learner."""
    raw = (
        LearnerState.objects.filter(learner=learner_id, tracer=tracer.tracer_id)
        .values_list("state", flat=True)
        .first()
    )
    return engine.start(tracer) if raw is None else engine.TracedLearner.from_bytes(bytes(raw))


def get_masteries(*, learner: Learner, course: Course, at: dt.datetime) -> dict[int, Mastery]:
    """Return concept id -> mastery for one learner, in teaching order."""
    tracer = get_tracer(course_id=course.pk, revision=course.revision)
    return masteries_of(tracer, get_state(learner_id=learner.pk, tracer=tracer), at=at)


def list_masteries(
    *, learners: Sequence[Learner], course: Course, at: dt.datetime
) -> dict[int, dict[int, Mastery]]:
    """Return learner id -> concept id -> mastery, with one query for a whole class."""
    tracer = get_tracer(course_id=course.pk, revision=course.revision)
    rows = LearnerState.objects.filter(
        learner__in=[learner.pk for learner in learners], tracer=tracer.tracer_id
    ).values_list("learner", "state")
    states = {pk: engine.TracedLearner.from_bytes(bytes(raw)) for pk, raw in rows}
    new = engine.start(tracer)
    return {
        learner.pk: masteries_of(tracer, states.get(learner.pk, new), at=at) for learner in learners
    }


def masteries_of(
    tracer: engine.CourseTracer, state: engine.TracedLearner, *, at: dt.datetime
) -> dict[int, Mastery]:
    """Return concept id -> mastery for a state at hand, in teaching order."""
    found = engine.estimate_concepts(tracer, state, at=at.timestamp())
    columns = (
        tracer.bank.concept_ids,
        found.prob,
        found.lower_prob,
        found.evidence_n,
        found.logit_mean,
        np.sqrt(found.logit_var),
    )
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return {row[0]: Mastery(*row) for row in rows}


def masteries_among(
    tracer: engine.CourseTracer,
    state: engine.TracedLearner,
    *,
    concept_ids: Sequence[int],
    at: dt.datetime,
) -> dict[int, Mastery]:
    """Return `masteries_of` for a few concepts, those that the course has."""
    masteries = {}
    for pk in concept_ids:
        if pk in tracer.bank.index_of_concept:
            found = engine.estimate_concept(tracer, state, concept_id=pk, at=at.timestamp())
            masteries[pk] = Mastery(
                concept_id=pk,
                prob=found.prob,
                lower_prob=found.lower_prob,
                evidence_n=found.evidence_n,
                logit_mean=found.logit_mean,
                logit_sd=math.sqrt(found.logit_var),
            )
    return masteries


def masteries_seen(
    tracer: engine.CourseTracer, seen: engine.Seen, *, concept_ids: Sequence[int]
) -> dict[int, Mastery]:
    """Return the same from a survey."""
    index_of, found = tracer.bank.index_of_concept, seen.survey.concepts
    return {
        pk: Mastery(
            concept_id=pk,
            prob=float(found.prob[index_of[pk]]),
            lower_prob=float(found.lower_prob[index_of[pk]]),
            evidence_n=int(found.evidence_n[index_of[pk]]),
            logit_mean=float(found.logit_mean[index_of[pk]]),
            logit_sd=math.sqrt(found.logit_var[index_of[pk]]),
        )
        for pk in concept_ids
        if pk in index_of
    }
