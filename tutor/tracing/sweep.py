"""What a worker does for everybody: fold again who is marked stale, give missing awards."""

import datetime as dt
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import InterfaceError, OperationalError, transaction

from tutor.content.models import Course
from tutor.registry import selectors as registry_selectors
from tutor.registry.models import TracerVersion
from tutor.tracing import awarding, bulk, deep_folding, engine, rebuilding, selectors, stale

logger = logging.getLogger(__name__)

# A class waits behind a sweep, and the watchdog ends a worker that is minutes at one.
TURN_S = 10.0
# Learners that are looked at together; they are folded in pieces of so many answers.
BATCH = 500


def refold_stale(*, at: dt.datetime, turn_s: float = TURN_S) -> int:
    """Refold marked learners under the live tracers for a turn; return how many were folded.

    Whoever waits longest comes first, and no piece is begun after the turn. Each is a transaction
    of its own: a sweep that is killed, or whose turn is over, has done what it has done, and the
    next one goes on from there. A learner whose data break the fold holds up nobody: they are found
    by halving, and what they broke it with is raised when all others are done. So is what a course
    raised that cannot be folded at all.
    """
    sweep = _Sweep(at=at, until=time.monotonic() + turn_s)
    count = 0
    while time.monotonic() < sweep.until:
        found = stale.find_oldest(
            passing_over=sweep.passed, size=BATCH, versions_passed_over=sweep.unreadable
        )
        if found is None:
            break
        count += _refold(sweep, *found)
    for error in (*sweep.unreadable.values(), *sweep.broken.values()):
        raise error
    return count


@dataclass(slots=True)
class _Sweep:
    """A turn, and what is left alone until the next one.

    Attributes:
        at: now.
        until: when the turn is over, monotonic seconds.
        tracers: by version.
        unreadable: version -> what laying it over its course, or reading its log, raised.
        broken: learner -> what folding them raised.
        busy: learners whom another worker has folded, or somebody is writing.
    """

    at: dt.datetime
    until: float
    tracers: dict[int, engine.CourseTracer] = field(default_factory=dict)
    unreadable: dict[int, Exception] = field(default_factory=dict)
    broken: dict[int, Exception] = field(default_factory=dict)
    busy: set[int] = field(default_factory=set)

    @property
    def passed(self) -> set[int]:
        return {*self.broken, *self.busy}

    def get_tracer(self, version: TracerVersion) -> engine.CourseTracer:
        if version.pk not in self.tracers:
            course = version.course
            self.tracers[version.pk] = selectors.get_tracer(
                course_id=course.pk, revision=course.revision
            )
        return self.tracers[version.pk]


def _refold(sweep: _Sweep, version: TracerVersion, learners: Sequence[int]) -> int:
    try:
        pieces = list(rebuilding.chunks(tracer=sweep.get_tracer(version), learner_ids=learners))
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        logger.exception("Nobody of course %s can be folded.", version.course_id)
        stale.put_last(tracer_id=version.pk, learner_ids=learners, at=sweep.at)
        sweep.unreadable[version.pk] = error
        return 0
    count = 0
    for folder, piece in pieces:
        if time.monotonic() >= sweep.until:
            break
        count += _refold_piece(sweep, folder, piece)
    return count


def _refold_piece(sweep: _Sweep, folder: bulk.Folder, piece: Sequence[int]) -> int:
    """Fold and store, halved where that raises; return how many were folded."""
    tracer, at = folder.tracer, sweep.at
    # To the end of the list first: whoever takes the worker down must not be met first again.
    # Another worker may have folded them meanwhile, or have them in hand.
    waiting = stale.put_last(tracer_id=tracer.tracer_id, learner_ids=piece, at=at)
    sweep.busy |= {*piece} - {*waiting}
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
            sweep.broken[waiting[0]] = error
            return 0
    else:
        return len(waiting)
    middle = len(waiting) // 2
    halves = (waiting[:middle], waiting[middle:])
    return sum(_refold_piece(sweep, folder, half) for half in halves)


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
