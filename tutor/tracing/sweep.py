"""What a worker does for everybody: fold again who is marked stale, give missing awards."""

import datetime as dt

from tutor.content.models import Course
from tutor.registry import selectors as registry_selectors
from tutor.tracing import awarding, deep_folding, rebuilding, selectors, services


def refold_stale(*, at: dt.datetime) -> int:
    """Refold every marked learner under the live tracers; return how many were folded.

    A few learners are a transaction of their own: a sweep that is killed has done what it has
    done, and the next one does the rest.
    """
    count = 0
    for course in Course.objects.all():
        version = registry_selectors.get_live_tracer(course_id=course.pk)
        if version is None:
            continue
        stale = services.list_stale_learners(tracer_id=version.pk)
        if not stale:
            continue
        tracer = selectors.get_tracer(course_id=course.pk, revision=course.revision)
        count += sum(1 for _ in rebuilding.fold(tracer=tracer, learner_ids=stale))
        # The network has to begin anew as well, and could not predict before the filter had.
        deep_folding.mark(tracer=tracer, learner_ids=stale, at=at)
    return count


def give_awards(*, at: dt.datetime) -> int:
    """Give what the logs of all courses say under their live tracers; return the steps given."""
    given = 0
    for course in Course.objects.all():
        if registry_selectors.get_live_tracer(course_id=course.pk) is None:
            continue
        tracer = selectors.get_tracer(course_id=course.pk, revision=course.revision)
        learners = rebuilding.list_traced(tracer=tracer)
        found = awarding.catch_up(tracer=tracer, learner_ids=learners, at=at)
        given += sum(steps for _, steps in found)
    return given
