"""Everybody's deep states under a version: made before it is promoted, marked afterwards.

For workers and commands; the web process never loads it.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Sequence

from tutor.common import turns
from tutor.registry.models import TracerVersion
from tutor.responses import columns as response_columns
from tutor.responses import selectors as response_selectors
from tutor.tracing import deep_services, due, engine, selectors
from tutor.tracing.models import DeepState

# Learners and answers of one pass.
CHUNK_LEARNERS = 256
CHUNK_ANSWERS = 20_000
# Who is stored by a worker in between so many times is left to the workers.
MOST_TRIES = 5
# States that are copied in one transaction.
PIECE = 500


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
    for chunk in chunks(tracer, sorted({*behind, *torn})):
        _fold(tracer, chunk, anew=(), now=now)
        progress(len(chunk))
    # The filter of this version is another: what was taken over has to be predicted anew.
    for chunk in chunks(tracer, selectors.list_unpredicted(tracer_id=tracer.tracer_id)):
        _fold(tracer, chunk, anew=(), now=now)


def _fold(
    tracer: engine.CourseTracer,
    chunk: Sequence[int],
    *,
    anew: Collection[int],
    now: Callable[[], dt.datetime],
) -> None:
    """Fold and store; whoever was stored by a worker meanwhile once more, from there."""
    left = list(chunk)
    for _ in range(MOST_TRIES):
        left = _fold_once(tracer, left, anew=set(anew).intersection(left), now=now())
        if not left:
            return
    mark(tracer=tracer, learner_ids=left, at=now())


def _fold_once(
    tracer: engine.CourseTracer, chunk: Sequence[int], *, anew: Collection[int], now: dt.datetime
) -> list[int]:
    # Loads torch, and is rarely needed.
    from tutor.tracing import forward  # noqa: PLC0415

    # In this order: what is torn by a row up to the newest is seen, and all others up to it are
    # read below.
    newest = response_selectors.list_newest_ids(course_id=tracer.bank.course_id, learner_ids=chunk)
    torn = selectors.list_deep_torn(tracer_id=tracer.tracer_id, learner_ids=chunk)
    done = forward.advance(tracer=tracer, learner_ids=chunk, anew=sorted({*anew, *torn}), now=now)
    through = {one.learner_id: newest.get(one.learner_id, 0) for one in done}
    return deep_services.store_unclaimed(
        tracer_id=tracer.tracer_id, done=done, through=through, now=now
    )


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
    """Fold every learner's whole history again and store what comes; workers may go on meanwhile.

    Whoever answers while it runs is left to them: see `mark_behind`.
    """
    if tracer.deep is None:
        return
    learners = response_columns.list_learners(course_id=tracer.bank.course_id)
    for chunk in chunks(tracer, learners):
        _fold(tracer, chunk, anew=chunk, now=now)
        progress(len(chunk))
    # A first state has no row that could be compared: a worker's may have been replaced.
    mark_behind(tracer=tracer, at=now())


def list_to_mark(
    *, tracer: engine.CourseTracer, torn_among: Collection[int] | None = None
) -> list[int]:
    """Return the learners with a deep state that is behind the filter's, or torn.

    Args:
        tracer: the version.
        torn_among: who may have a torn state; None: anybody, which takes a look at every history.
    """
    if tracer.deep is None:
        return []
    torn = selectors.list_deep_torn(tracer_id=tracer.tracer_id, learner_ids=torn_among)
    return sorted({*torn, *selectors.list_deep_behind(tracer_id=tracer.tracer_id)})


def mark_behind(
    *, tracer: engine.CourseTracer, at: dt.datetime, among: Collection[int] | None = None
) -> int:
    """Mark whoever answered while a version was promoted; return how many.

    Also what a restored backup needs: it cannot know what was on the list.

    Args:
        tracer: the version.
        at: the present.
        among: who may be behind or have a torn state; None: anybody, which takes a look at every
            history.
    """
    if tracer.deep is None:
        return 0
    tracer_id = tracer.tracer_id
    torn = set(selectors.list_deep_torn(tracer_id=tracer_id, learner_ids=among))
    behind = set(selectors.list_deep_behind(tracer_id=tracer_id, learner_ids=among)) - torn
    course_id = tracer.bank.course_id
    due.mark_all(learner_ids=behind, course_id=course_id, at=at, refold=False)
    due.mark_all(learner_ids=torn, course_id=course_id, at=at, refold=True)
    return len(behind) + len(torn)


def mark(*, tracer: engine.CourseTracer, learner_ids: Collection[int], at: dt.datetime) -> None:
    """Have these learners' histories folded anew."""
    if tracer.deep is not None:
        course_id = tracer.bank.course_id
        due.mark_all(learner_ids=learner_ids, course_id=course_id, at=at, refold=True)


def chunks(tracer: engine.CourseTracer, learner_ids: Sequence[int]) -> Iterator[list[int]]:
    """Yield the learners, ascending, in pieces of so many answers."""
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
