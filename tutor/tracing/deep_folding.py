"""Everybody's deep states under a version: made before it is promoted, and proved afterwards.

For workers and commands; the web process never loads it.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Sequence

from tutor.common import turns
from tutor.registry.models import TracerVersion
from tutor.responses import columns as response_columns
from tutor.responses import selectors as response_selectors
from tutor.tracing import deep_services, due, engine, selectors
from tutor.tracing.deep_reading import Place
from tutor.tracing.models import DeepState

# Learners and answers of one pass.
CHUNK_LEARNERS = 256
CHUNK_ANSWERS = 20_000
# States that are copied in one transaction.
PIECE = 500
# Numbers of a state, in single precision, summed in another order.
TOLERANCE = 1e-5


def fold_everybody(
    *,
    tracer: engine.CourseTracer,
    before: TracerVersion | None,
    now: Callable[[], dt.datetime],
    progress: Callable[[int], object] = lambda _: None,
) -> None:
    """Bring the deep states of a version that is about to be promoted up to the log.

    Where the version before has the same network and counts the same answers, its states are taken
    over; else every history is folded. States of an earlier use of the version are gone on from,
    torn ones folded anew. Killed on the way, the rest is done by the next call. Those who answer
    meanwhile are left behind a little: see `mark_behind`.

    Args:
        tracer: the version; without a deep part nothing is done.
        before: the live version.
        now: tells the present, the moment that is predicted; asked for every chunk.
        progress: called with the number of learners done since its last call.
    """
    if tracer.deep is None:
        return
    if before is not None and _folds_alike(tracer, before):
        _take_over(tracer_id=tracer.tracer_id, before_id=before.pk)
    behind = selectors.list_deep_behind(tracer_id=tracer.tracer_id)
    torn = selectors.list_deep_torn(tracer_id=tracer.tracer_id)
    for chunk in _chunks(tracer, sorted({*behind, *torn})):
        _store(tracer, chunk, anew=(), now=now())
        progress(len(chunk))
    # The filter of this version is another: what was taken over has to be predicted anew.
    for chunk in _chunks(tracer, selectors.list_unpredicted(tracer_id=tracer.tracer_id)):
        _store(tracer, chunk, anew=(), now=now())


def _store(
    tracer: engine.CourseTracer, chunk: Sequence[int], *, anew: Collection[int], now: dt.datetime
) -> None:
    # Loads torch, and is rarely needed.
    from tutor.tracing import forward  # noqa: PLC0415

    # In this order: what is torn by a row up to the newest is seen, and all others up to it are
    # read below.
    newest = response_selectors.list_newest_ids(course_id=tracer.bank.course_id, learner_ids=chunk)
    torn = selectors.list_deep_torn(tracer_id=tracer.tracer_id, learner_ids=chunk)
    done = forward.advance(tracer=tracer, learner_ids=chunk, anew=sorted({*anew, *torn}), now=now)
    through = {one.learner_id: newest.get(one.learner_id, 0) for one in done}
    with turns.atomic_turn():
        deep_services.store(tracer_id=tracer.tracer_id, done=done, through=through, now=now)


def _folds_alike(tracer: engine.CourseTracer, before: TracerVersion) -> bool:
    part = before.body.get("deep")
    if part is None or tracer.deep is None or part["network"] != tracer.deep.network_id:
        return False
    uncounted = {pk for pk, var in tracer.var_of_version.items() if var == float("inf")}
    told = before.body.get("item_vars", {})
    return {int(pk) for pk, var in told.items() if var is None} == uncounted


def _take_over(*, tracer_id: int, before_id: int) -> None:
    held = DeepState.objects.filter(tracer=tracer_id).values("learner")
    rows = DeepState.objects.filter(tracer=before_id).exclude(learner__in=held)
    learners = list(rows.order_by("learner").values_list("learner", flat=True))
    for first in range(0, len(learners), PIECE):
        _copy(tracer_id, before_id, learners[first : first + PIECE])


@turns.atomic_turn()
def _copy(tracer_id: int, before_id: int, learner_ids: Sequence[int]) -> None:
    rows = list(DeepState.objects.filter(tracer=before_id, learner__in=learner_ids))
    for row in rows:
        row.pk, row.tracer_id = None, tracer_id
    DeepState.objects.bulk_create(rows, ignore_conflicts=True, batch_size=PIECE)


def rebuild_everybody(
    *,
    tracer: engine.CourseTracer,
    now: Callable[[], dt.datetime],
    progress: Callable[[int], object] = lambda _: None,
) -> None:
    """Fold every learner's whole history again and store what comes."""
    if tracer.deep is None:
        return
    learners = response_columns.list_learners(course_id=tracer.bank.course_id)
    for chunk in _chunks(tracer, learners):
        _store(tracer, chunk, anew=chunk, now=now())
        progress(len(chunk))


def mark_behind(
    *, tracer: engine.CourseTracer, at: dt.datetime, torn_among: Collection[int] | None = None
) -> int:
    """Mark whoever answered while a version was promoted; return how many.

    Also what a restored backup needs: it cannot know what was on the list.

    Args:
        tracer: the version.
        at: the present.
        torn_among: who may have a torn state; None: anybody, which takes a look at every history.
    """
    if tracer.deep is None:
        return 0
    torn = set(selectors.list_deep_torn(tracer_id=tracer.tracer_id, learner_ids=torn_among))
    behind = set(selectors.list_deep_behind(tracer_id=tracer.tracer_id)) - torn
    course_id = tracer.bank.course_id
    due.mark_all(learner_ids=behind, course_id=course_id, at=at, refold=False)
    due.mark_all(learner_ids=torn, course_id=course_id, at=at, refold=True)
    return len(behind) + len(torn)


def mark(*, tracer: engine.CourseTracer, learner_ids: Collection[int], at: dt.datetime) -> None:
    """Have these learners' histories folded anew."""
    if tracer.deep is not None:
        course_id = tracer.bank.course_id
        due.mark_all(learner_ids=learner_ids, course_id=course_id, at=at, refold=True)


def find_differences(
    *, tracer: engine.CourseTracer, now: dt.datetime, tolerance: float = TOLERANCE
) -> Iterator[tuple[int, bool]]:
    """Yield (learner id, whether the stored deep state is that of the whole log folded at once).

    Numbers may differ by `tolerance`: another batch adds in another order.
    """
    if tracer.deep is None:
        return
    from tutor.tracing import forward  # noqa: PLC0415 - torch

    stored = {
        pk: (bytes(raw), Place(*place))
        for pk, raw, *place in DeepState.objects.filter(tracer=tracer.tracer_id).values_list(
            "learner", "state", "last_answered_at", "last_response_id", "n_responses"
        )
    }
    learners = sorted(
        {*stored} | {*response_columns.list_learners(course_id=tracer.bank.course_id)}
    )
    for chunk in _chunks(tracer, learners):
        again = forward.advance(tracer=tracer, learner_ids=chunk, anew=chunk, now=now)
        told = {one.learner_id: one for one in again}
        for pk in chunk:
            if pk not in stored or pk not in told:
                yield pk, pk not in stored and pk not in told
                continue
            raw, place = stored[pk]
            is_close = forward.is_close(tracer, raw, told[pk].packed, tolerance=tolerance)
            yield pk, place == told[pk].place and is_close


def _chunks(tracer: engine.CourseTracer, learner_ids: Sequence[int]) -> Iterator[list[int]]:
    if not learner_ids:
        return
    counted = response_columns.count_standing(
        course_id=tracer.bank.course_id, learner_ids=sorted(learner_ids)
    )
    yield from response_columns.in_pieces(
        sizes={pk: counted.get(pk, 0) for pk in sorted(learner_ids)},
        answers=CHUNK_ANSWERS,
        learners=CHUNK_LEARNERS,
    )
