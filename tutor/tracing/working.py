"""The worker's part of the deep tracer: claim learners, pass them forward, store, go on.

A pass that raises is halved until the learner whose data break it is alone: that one is left aside
with the error, and the others go on. What strikes most of a pass alike, or a made-up learner too,
is nobody's data but the machine, the network or the code: then nobody is left aside.
"""

import datetime as dt
import logging
import math
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import InterfaceError, OperationalError

from kt_models import api
from tutor.common import clock
from tutor.content.models import Course
from tutor.responses.columns import in_pieces
from tutor.tracing import deep_reading, deep_services, due, forward, selectors
from tutor.tracing.engine import CourseTracer

logger = logging.getLogger(__name__)

# Learners of one pass.
PASS_SIZE = 256
# A pass waits for company no longer than one takes, and no longer than this.
LONGEST_WAIT_S = 0.25
# How often the list is looked at while waiting.
LOOK_EVERY_S = 0.01
# So many, if they are most of a pass and break it each alone, are not to blame.
ALL_ALIKE = 3
# Nor are so many besides whom workers were lost alike: then a learner is tried so often.
MOST_TRIES_ALIKE = 2 * due.MOST_TRIES
# Answers that are read and folded at once; a claim is renewed after each piece.
PIECE_ANSWERS = 20_000
# A task hands over after so long, so that a stopping worker need not wait.
TURN_S = 20.0


@dataclass(slots=True)
class Window:
    """How long the next pass waits for company; follows what passes take.

    When little comes in, passes are quick and so is the answer; when much comes in, waiting as long
    as a pass takes costs at most half of the time and fills the next one.
    """

    wait_s: float = 0.0

    def note(self, *, took_s: float, size: int) -> None:
        """Take a pass into account."""
        # Alone there was nobody to wait for.
        target = 0.0 if size <= 1 else took_s
        self.wait_s = min(LONGEST_WAIT_S, 0.5 * self.wait_s + 0.5 * target)

    def wait(self, *, size: int, now: Callable[[], dt.datetime]) -> None:
        """Return as soon as a pass is full or the oldest has waited its time."""
        until = time.monotonic() + self.wait_s
        while time.monotonic() < until:
            waiting, oldest = due.count_unclaimed()
            if waiting >= size or oldest is None:
                return
            waited = (now() - oldest).total_seconds()
            # A clock that was set back must not make anybody wait.
            if not 0.0 <= waited < self.wait_s:
                return
            time.sleep(LOOK_EVERY_S)


_window = Window()
# Claims that could not be let go of because the database was away: it is no learner's fault.
_owed: list[tuple[due.Claim, list[int]]] = []


def work_off(
    *,
    size: int = PASS_SIZE,
    turn_s: float = TURN_S,
    now: Callable[[], dt.datetime] = clock.now,
    window: Window = _window,
) -> int:
    """Advance learners until nobody is due or the turn is over; return how many states were stored.

    Any number of workers may do so at once. A course whose pass fails is passed over, and what it
    failed with is raised at the end, when the others are done.
    """
    until, stored = time.monotonic() + turn_s, 0
    _pay_back(now())
    failed: dict[int, Exception] = {}
    while time.monotonic() < until:
        window.wait(size=size, now=now)
        held = due.claim(size=size, passing_over=list(failed))
        if held is None:
            break
        began = time.monotonic()
        try:
            stored += advance_held(held, now=now, until=until)
        except Exception as error:  # noqa: BLE001 - raised below
            failed[held.course_id] = error
        window.note(took_s=time.monotonic() - began, size=len(held.marks))
    for error in failed.values():
        raise error
    return stored


def advance_held(
    held: due.Claim, *, now: Callable[[], dt.datetime] = clock.now, until: float = math.inf
) -> int:
    """Advance the learners of a claim; return how many states were stored.

    Past `until`, on the monotonic clock, no further piece of a long pass is begun.
    """
    learners = sorted(held.marks)
    try:
        course = Course.objects.get(pk=held.course_id)
        tracer = selectors.get_tracer(course_id=course.pk, revision=course.revision)
        if tracer.deep is None:
            deep_services.strike_off(held=held, now=now())
            return 0
        if held.is_retry:
            due.keep_aside(held, now=now())
        elif held.tries >= due.MOST_TRIES and _are_to_blame(held, tracer, now()):
            for learner_id in learners:
                due.quarantine(held, learner_id=learner_id, error=_KILLED % held.tries, now=now())
            return 0
        return _advance_in_pieces(held, tracer, learners, now, until)
    except Exception:
        _let_go(held, learners, now())
        raise


def _are_to_blame(held: due.Claim, tracer: CourseTracer, now: dt.datetime) -> bool:
    """Test whether it is for a learner's data that workers went down with them.

    No error was left to tell by. So a made-up learner is passed: a broken machine goes down with
    that one too, and none of it is counted. Where it works, the learner is tried once more.
    """
    due.recount(held, tries=held.tries)
    forward.try_out(tracer, now=now)
    alike = due.count_lost(besides=held.marks) >= ALL_ALIKE
    if held.tries > (MOST_TRIES_ALIKE if alike else due.MOST_TRIES):
        return True
    due.recount(held, tries=held.tries + 1)
    return False


def _let_go(held: due.Claim, learners: list[int], now: dt.datetime) -> None:
    try:
        due.let_go(held, learner_ids=learners, now=now)
    except (OperationalError, InterfaceError):
        # Counted like a lost worker, if it stayed so.
        _owed.append((held, learners))
        raise


def _pay_back(now: dt.datetime) -> None:
    while _owed:
        held, learners = _owed[-1]
        due.let_go(held, learner_ids=learners, now=now)
        _owed.pop()


def _advance_in_pieces(
    held: due.Claim,
    tracer: CourseTracer,
    learners: list[int],
    now: Callable[[], dt.datetime],
    until: float,
) -> int:
    """Advance pieces of so many answers, so that none takes as long as a claim lasts."""
    broken: list[tuple[int, Exception]] = []
    stored = tried = 0
    sizes = deep_reading.count_to_read(
        course_id=held.course_id,
        tracer_id=tracer.tracer_id,
        learner_ids=learners,
        anew=held.refold,
    )
    pieces = in_pieces(sizes=sizes, answers=PIECE_ANSWERS, learners=len(learners))
    for number, piece in enumerate(pieces):
        if number:
            if time.monotonic() > until:
                # A stopping worker, and the watchdog, wait for a turn and a piece at most.
                due.let_go(held, learner_ids=piece, now=now())
                continue
            due.renew(held)
        tried += len(piece)
        stored += _advance(held, tracer, piece, now, broken)
    if broken and len(broken) == tried < ALL_ALIKE:
        # Too few to tell by them: does the network work at all, here and now?
        forward.try_out(tracer, now=now())
    if len(broken) >= ALL_ALIKE and 2 * len(broken) > tried:
        # Nobody's data, then, but the pass itself: the worker, the network, the code.
        raise broken[0][1]
    for learner_id, error in broken:
        logger.error("Learner %s is left aside.", learner_id, exc_info=error)
        text = "".join(traceback.format_exception(error))
        due.quarantine(held, learner_id=learner_id, error=text[-4000:], now=now())
    return stored


_KILLED = "The worker was lost %d times with this learner's pass in hand."
# Neither what the database refuses for its values nor want of memory is among them: that may be
# somebody's data.
_NOT_THEIR_DOING = (
    *(OperationalError, InterfaceError, OSError, ImportError),
    api.UnreadableModel,
)


def _advance(
    held: due.Claim,
    tracer: CourseTracer,
    learners: Sequence[int],
    now: Callable[[], dt.datetime],
    broken: list[tuple[int, Exception]],
) -> int:
    """Pass learners and store what comes, halved where that raises; return how many were stored."""
    try:
        return _pass_and_store(held, tracer, learners, now())
    except _NOT_THEIR_DOING:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the neighbours go on
        # The arrays of the failed pass would stay for as long as it is known where it failed.
        traceback.clear_frames(error.__traceback__)
        if len(learners) == 1:
            broken.append((learners[0], error))
            return 0
    middle = len(learners) // 2
    return sum(
        _advance(held, tracer, half, now, broken) for half in (learners[:middle], learners[middle:])
    )


def _pass_and_store(
    held: due.Claim, tracer: CourseTracer, learners: Sequence[int], moment: dt.datetime
) -> int:
    anew = sorted(held.refold.intersection(learners))
    done = forward.advance(tracer=tracer, learner_ids=learners, anew=anew, now=moment)
    without = set(learners) - {one.learner_id for one in done}
    if without:
        deep_services.drop_without_answers(
            held=held, tracer_id=tracer.tracer_id, learner_ids=without, now=moment
        )
    stored = deep_services.store_pass(held=held, tracer_id=tracer.tracer_id, done=done, now=moment)
    lagging = {one.learner_id for one in done if one.began is None and not one.is_consistent}
    if not lagging.isdisjoint(stored):
        deep_services.have_filter_refolded(
            tracer_id=tracer.tracer_id, learner_ids=lagging.intersection(stored), now=moment
        )
    return len(stored)
