"""The sweep that a worker runs: every learner marked stale is folded again."""

from tutor.content.models import Course
from tutor.registry import selectors as registry_selectors
from tutor.tracing import selectors, services


def refold_stale() -> int:
    """Refold every marked learner under the live tracers; return how many were folded.

    Each learner is a transaction of their own: a sweep that is killed has done what it has done,
    and the next one does the rest.
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
        for learner_id in stale:
            services.refold_learner(learner_id=learner_id, tracer=tracer)
            count += 1
    return count
