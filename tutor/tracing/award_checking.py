"""Proving awards from the log; for commands."""

from collections.abc import Callable, Iterator

from tutor.content.models import Course
from tutor.tracing import awarding, services, standing
from tutor.tracing.models import AwardStep

# The compiled fold and the other do sums in another order.
TOLERANCE = 1e-9


def count(*, course: Course) -> int:
    """Return how many steps towards awards there are in a course."""
    return AwardStep.objects.filter(concept__course=course).count()


def find_unproved(
    *, course: Course, progress: Callable[[int], object] = lambda _: None
) -> Iterator[tuple[AwardStep, float | str | None]]:
    """Yield (step, what the log gives instead) of the steps that the log does not bear out.

    Each is made again from the learner's answers as they stood when it was given, under its own
    tracer; and an award has to lie a day after the first proof.
    """
    steps = AwardStep.objects.filter(concept__course=course).select_related("tracer", "concept")
    for step in steps.order_by("learner", "pk").iterator(chunk_size=500):
        progress(1)
        tracer = services.tracer_of_version(version=step.tracer, revision=course.revision)
        found = awarding.prove(tracer=tracer, step=step)
        if (
            found is None
            or abs(found - step.lower_prob) > TOLERANCE
            or 100.0 * found < step.percent
        ):
            yield step, found
        elif step.step == awarding.AWARD and not _is_a_day_after(step):
            yield step, "no first proof a day before"


def _is_a_day_after(step: AwardStep) -> bool:
    return AwardStep.objects.filter(
        learner=step.learner_id,
        concept=step.concept_id,
        percent=step.percent,
        step=awarding.FIRST,
        at__lte=step.at - standing.BETWEEN_PROOFS,
    ).exists()
