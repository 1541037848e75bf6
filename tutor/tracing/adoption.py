"""A course changes its tracer: fit, fold everybody in the shadow, then switch.

For workers and commands; the web process never loads it.
"""

import datetime as dt
from collections.abc import Callable

from django.db import transaction

from tutor.common import cache
from tutor.content import selectors as content_selectors
from tutor.content.models import Course
from tutor.registry import selectors as registry_selectors
from tutor.registry import services as registry_services
from tutor.registry import training
from tutor.registry.errors import TooFewAnswers
from tutor.registry.models import TracerVersion
from tutor.responses import services as response_services
from tutor.tracing import engine, services


def fit_and_adopt(
    *,
    course: Course,
    at: dt.datetime,
    reason: str,
    progress: Callable[[int], object] = lambda _: None,
    fitting: Callable[[float, str], None] | None = None,
) -> TracerVersion:
    """Fit a tracer on the course's log, fold every learner under it, and make it the live one.

    With too few answers to fit on, the live tracer (or the one from priors) stays and the
    learners are folded under it.

    Args:
        progress: called with the number of learners folded since its last call.
        fitting: told the share of the fit that is done (0..1) and what is being done.
    """
    course.refresh_from_db()
    bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
    try:
        version = training.fit_filter(
            course=course,
            reference_offsets=lambda offsets, intercept: engine.reference_offsets(
                bank=bank, item_offsets=offsets, intercept=intercept
            ),
            at=at,
            progress=fitting,
        )
    except TooFewAnswers:
        return give_tracer_and_fold(course=course, at=at, progress=progress)
    adopt(course=course, version=version, at=at, reason=reason, progress=progress)
    return version


def give_tracer_and_fold(
    *, course: Course, at: dt.datetime, progress: Callable[[int], object] = lambda _: None
) -> TracerVersion:
    """Make sure that the course has a tracer and that everybody is folded under it."""
    services.give_prior_tracer(course=course, at=at)
    course.refresh_from_db()
    version = registry_selectors.get_live_tracer(course_id=course.pk)
    assert version is not None  # noqa: S101 - given just now
    tracer = services.tracer_of_version(version=version, revision=course.revision)
    for _ in services.fold_everybody(tracer=tracer):
        progress(1)
    return version


def adopt(
    *,
    course: Course,
    version: TracerVersion,
    at: dt.datetime,
    reason: str,
    progress: Callable[[int], object] = lambda _: None,
) -> None:
    """Fold every learner under the version, then switch to it.

    Answers that arrive while the folding runs are caught up with under the same locks that
    the switch holds, so that no answer is missing from a state afterwards.
    """
    tracer = services.tracer_of_version(version=version, revision=course.revision)
    for _ in services.fold_everybody(tracer=tracer):
        progress(1)
    with transaction.atomic():
        for learner_id in services.list_behind(tracer=tracer):
            response_services.lock_learner(learner_id=learner_id)
            services.refold_learner(learner_id=learner_id, tracer=tracer)
        registry_services.promote(course=course, tracer=version, at=at, reason=reason)
    cache.clear_all()
