"""The whole course at once: fold everybody again, and prove that the stored states are the fold."""

from collections.abc import Iterator, Sequence

from django.db import transaction
from django.db.models import Count

from tutor.responses import selectors as response_selectors
from tutor.responses import services as response_services
from tutor.tracing import engine, services
from tutor.tracing.models import LearnerState

# Learners whose whole histories are folded in one go.
CHUNK = 50


def list_behind(*, tracer: engine.CourseTracer) -> list[int]:
    """Return the learners with answers that their state under this tracer has not seen."""
    counted = dict(
        response_selectors.list_standing(course_id=tracer.bank.course_id)
        .values_list("learner")
        .annotate(Count("pk"))
    )
    folded = dict(
        LearnerState.objects.filter(tracer=tracer.tracer_id).values_list("learner", "n_responses")
    )
    return sorted(pk for pk, count in counted.items() if folded.get(pk) != count)


def list_traced(*, tracer: engine.CourseTracer) -> list[int]:
    """Return the learners who have answers in the course or a state under the tracer."""
    standing = response_selectors.list_standing(course_id=tracer.bank.course_id)
    states = LearnerState.objects.filter(tracer=tracer.tracer_id)
    return sorted(
        {*standing.values_list("learner", flat=True).order_by("learner").distinct()}
        | {*states.values_list("learner", flat=True)}
    )


def find_differences(*, tracer: engine.CourseTracer) -> Iterator[tuple[int, bool]]:
    """Yield (learner id, whether the stored state equals the log folded again).

    The state byte for byte, and with it the place in the log that it has come to.

    Whoever differs is looked at once more under their lock: they may just have answered.
    """
    learner_ids = list_traced(tracer=tracer)
    for start in range(0, len(learner_ids), CHUNK):
        chunk = learner_ids[start : start + CHUNK]
        for learner_id, is_equal in _compare(tracer, chunk).items():
            yield learner_id, is_equal or _compare_locked(tracer, learner_id)


def _compare(tracer: engine.CourseTracer, learner_ids: Sequence[int]) -> dict[int, bool]:
    rows = LearnerState.objects.filter(tracer=tracer.tracer_id, learner__in=learner_ids)
    stored = {
        row.learner_id: (
            bytes(row.state),
            row.last_answered_at,
            row.last_response_id,
            row.n_responses,
        )
        for row in rows
    }
    folded = {
        pk: (
            found.learner.to_bytes(),
            found.last_answered_at,
            found.last_response_id,
            found.n_responses,
        )
        for pk, found in services.fold_learners(tracer=tracer, learner_ids=learner_ids)
    }
    return {pk: pk in stored and stored[pk] == folded.get(pk) for pk in learner_ids}


@transaction.atomic
def _compare_locked(tracer: engine.CourseTracer, learner_id: int) -> bool:
    response_services.lock_learner(learner_id=learner_id)
    return _compare(tracer, [learner_id])[learner_id]


def fold_everybody(*, tracer: engine.CourseTracer) -> Iterator[int]:
    """Fold every learner of the course under the tracer and store the states; yield learner ids.

    A chunk of learners is stored in one transaction, so that those who practise meanwhile wait
    for one chunk's fold at most, and a killed run is simply started again.
    """
    learner_ids = list_traced(tracer=tracer)
    for start in range(0, len(learner_ids), CHUNK):
        chunk = learner_ids[start : start + CHUNK]
        with transaction.atomic():
            for learner_id in chunk:
                response_services.lock_learner(learner_id=learner_id)
            folded = dict(services.fold_learners(tracer=tracer, learner_ids=chunk))
            services.store_folded(tracer_id=tracer.tracer_id, folded=folded)
            LearnerState.objects.filter(tracer=tracer.tracer_id, learner__in=chunk).exclude(
                learner__in=folded
            ).delete()
        yield from chunk
