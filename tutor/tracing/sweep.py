"""What a worker does for everybody: fold again who is marked stale, give missing awards."""

import datetime as dt
import time
from collections.abc import Sequence

from django.db import InterfaceError, OperationalError, transaction

from tutor.content.models import Course
from tutor.registry import selectors as registry_selectors
from tutor.tracing import awarding, bulk, deep_folding, engine, rebuilding, selectors, stale

# A class waits behind a sweep, and the watchdog ends a worker that is minutes at one.
TURN_S = 10.0
# Learners that are looked at together; they are folded in pieces of so many answers.
BATCH = 500


def refold_stale(*, at: dt.datetime, turn_s: float = TURN_S) -> int:
    """Refold marked learners under the live tracers for a turn; return how many were folded.

    Whoever waits longest comes first, and no piece is begun after the turn. Each is a transaction
    of its own: a sweep that is killed, or whose turn is over, has done what it has done, and the
    next one goes on from there. A learner whose data break the fold holds up nobody: they are found
    by halving, and what they broke it with is raised when all others are done.
    """
    until, count = time.monotonic() + turn_s, 0
    tracers: dict[int, engine.CourseTracer] = {}
    broken: dict[int, Exception] = {}
    while time.monotonic() < until:
        found = stale.find_oldest(passing_over=broken, size=BATCH)
        if found is None:
            break
        version, learners = found
        if version.pk not in tracers:
            course = version.course
            tracers[version.pk] = selectors.get_tracer(
                course_id=course.pk, revision=course.revision
            )
        count += _refold(tracers[version.pk], learners, at, until, broken)
    for error in broken.values():
        raise error
    return count


def _refold(
    tracer: engine.CourseTracer,
    learners: Sequence[int],
    at: dt.datetime,
    until: float,
    broken: dict[int, Exception],
) -> int:
    count = 0
    for folder, piece in rebuilding.chunks(tracer=tracer, learner_ids=learners):
        if time.monotonic() >= until:
            break
        count += _refold_piece(folder, piece, at, broken)
    return count


def _refold_piece(
    folder: bulk.Folder, piece: Sequence[int], at: dt.datetime, broken: dict[int, Exception]
) -> int:
    """Fold and store, halved where that raises; return how many were folded."""
    tracer = folder.tracer
    # To the end of the list first: whoever takes the worker down must not be met first again.
    # Another worker may have folded them meanwhile.
    waiting = stale.put_last(tracer_id=tracer.tracer_id, learner_ids=piece, at=at)
    if not waiting:
        return 0
    try:
        with transaction.atomic():
            rebuilding.fold_chunk(folder=folder, learner_ids=waiting)
            # The network has to begin anew as well, and could not predict before the filter had.
            deep_folding.mark(tracer=tracer, learner_ids=waiting, at=at)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - raised by the caller, when the others are done
        if len(waiting) == 1:
            broken[waiting[0]] = error
            return 0
    else:
        return len(waiting)
    middle = len(waiting) // 2
    halves = (waiting[:middle], waiting[middle:])
    return sum(_refold_piece(folder, half, at, broken) for half in halves)


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
