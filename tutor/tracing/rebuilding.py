"""Many learners at once: fold them again, and prove that the stored states are the fold.

For workers and commands; the web process never loads it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
from django.db import transaction

from tutor.responses import columns as response_columns
from tutor.responses import services as response_services
from tutor.tracing import bulk, engine, services
from tutor.tracing.models import LearnerState

# What is folded and stored in one transaction. Whoever practises meanwhile waits for one chunk at
# most, some tenths of a second; row by row that takes fifty times as long.
CHUNK_ANSWERS = 50_000
CHUNK_ANSWERS_STREAMED = 1_000
CHUNK_LEARNERS = 500
# Answers that a check folds a second time, row by row: some seconds.
TWIN_ANSWERS = 50_000


def list_behind(*, tracer: engine.CourseTracer) -> list[int]:
    """Return the learners with answers that their state under this tracer has not seen."""
    counted = response_columns.count_standing(course_id=tracer.bank.course_id)
    folded = dict(
        LearnerState.objects.filter(tracer=tracer.tracer_id).values_list("learner", "n_responses")
    )
    return sorted(pk for pk, count in counted.items() if folded.get(pk) != count)


def list_traced(*, tracer: engine.CourseTracer) -> list[int]:
    """Return the learners who have answers in the course or a state under the tracer."""
    answered = response_columns.list_learners(course_id=tracer.bank.course_id)
    states = LearnerState.objects.filter(tracer=tracer.tracer_id)
    return sorted({*answered} | {*states.values_list("learner", flat=True)})


def fold_everybody(*, tracer: engine.CourseTracer) -> Iterator[int]:
    """Fold every learner of the course under the tracer and store the states; yield learner ids."""
    yield from fold(tracer=tracer, learner_ids=list_traced(tracer=tracer))


def fold(*, tracer: engine.CourseTracer, learner_ids: Collection[int]) -> Iterator[int]:
    """Fold these learners' whole histories and store the states; yield learner ids.

    Chunk after chunk, each in a transaction of its own under its learners' locks, so a killed run
    is simply started again.
    """
    for folder, chunk in chunks(tracer=tracer, learner_ids=learner_ids):
        fold_chunk(folder=folder, learner_ids=chunk)
        yield from chunk


@transaction.atomic
def fold_chunk(*, folder: bulk.Folder, learner_ids: Sequence[int]) -> None:
    """Fold these learners' whole histories under their locks and store the states."""
    tracer_id = folder.tracer.tracer_id
    response_services.lock_learners(learner_ids=learner_ids)
    folded = folder.fold(learner_ids=learner_ids)
    services.store_folded(tracer_id=tracer_id, folded=folded)
    without = [pk for pk in learner_ids if pk not in folded]
    if without:
        LearnerState.objects.filter(tracer=tracer_id, learner__in=without).delete()


def chunks(
    *, tracer: engine.CourseTracer, learner_ids: Collection[int]
) -> Iterator[tuple[bulk.Folder, list[int]]]:
    """Yield the learners in pieces of so many answers, ascending, with what folds them."""
    if not learner_ids:
        return
    counted = response_columns.count_standing(
        course_id=tracer.bank.course_id, learner_ids=sorted(learner_ids)
    )
    folder = bulk.make_folder(tracer=tracer, answers=sum(counted.values()))
    pieces = response_columns.in_pieces(
        sizes={pk: counted.get(pk, 0) for pk in sorted(learner_ids)},
        answers=CHUNK_ANSWERS if folder.is_compiled else CHUNK_ANSWERS_STREAMED,
        learners=CHUNK_LEARNERS,
    )
    yield from ((folder, piece) for piece in pieces)


def find_differences(
    *, tracer: engine.CourseTracer, twin_ids: Collection[int] | None = None
) -> Iterator[tuple[int, bool]]:
    """Yield (learner id, whether the stored state equals the log folded again).

    The state byte for byte, and with it the place in the log that it has come to. Whoever differs
    is looked at once more under their lock: they may just have answered.

    Args:
        twin_ids: the learners who are folded a second time, row by row as in the web process, so
            that the compiled fold is not its own witness; by default those of `sample_twins`.
    """
    twins = set(sample_twins(tracer=tracer, seed=0) if twin_ids is None else twin_ids)
    for folder, chunk in chunks(tracer=tracer, learner_ids=list_traced(tracer=tracer)):
        for learner_id, is_equal in _compare(folder, chunk, twins).items():
            yield learner_id, is_equal or _compare_locked(folder, learner_id, twins)


def sample_twins(
    *, tracer: engine.CourseTracer, seed: int, answers: int = TWIN_ANSWERS
) -> list[int]:
    """Return learners drawn at random, as many as hold about so many answers, at least one."""
    sizes = response_columns.count_standing(course_id=tracer.bank.course_id)
    drawn = np.random.default_rng(seed).permutation(np.array(list(sizes), dtype=np.int64)).tolist()
    held = np.cumsum([sizes[pk] for pk in drawn])
    return sorted(drawn[: int(np.searchsorted(held, answers)) + 1])


def _compare(
    folder: bulk.Folder, learner_ids: Sequence[int], twins: Collection[int]
) -> dict[int, bool]:
    tracer = folder.tracer
    rows = LearnerState.objects.filter(tracer=tracer.tracer_id, learner__in=learner_ids)
    stored = {
        pk: (bytes(raw), *place)
        for pk, raw, *place in rows.values_list(
            "learner", "state", "last_answered_at", "last_response_id", "n_responses"
        )
    }
    witnesses = [_facts(folder.fold(learner_ids=learner_ids))]
    second = [pk for pk in learner_ids if pk in twins] if folder.is_compiled else []
    if second:
        by_row = services.fold_learners(tracer=tracer, learner_ids=second)
        witnesses.append({**witnesses[0], **_facts(dict(by_row))})
    return {
        pk: pk in stored and all(stored[pk] == told.get(pk) for told in witnesses)
        for pk in learner_ids
    }


def _facts(folded: Mapping[int, services.FoldedLearner]) -> dict[int, tuple[object, ...]]:
    return {
        pk: (
            found.learner.to_bytes(),
            found.last_answered_at,
            found.last_response_id,
            found.n_responses,
        )
        for pk, found in folded.items()
    }


@transaction.atomic
def _compare_locked(folder: bulk.Folder, learner_id: int, twins: Collection[int]) -> bool:
    response_services.lock_learner(learner_id=learner_id)
    return _compare(folder, [learner_id], twins)[learner_id]
