"""The worker's part of the deep tracer: claim learners, pass them forward, store, go on.

A pass that raises is halved until the learner whose data break it is alone: that one is left aside
with the error, and the others go on.
"""

import datetime as dt
import logging
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import Error as DatabaseError

from kt_models import api
from tutor.common import clock
from tutor.content.models import Course
from tutor.tracing import deep_services, due, forward, selectors
from tutor.tracing.engine import CourseTracer

logger = logging.getLogger(__name__)

# Learners of one pass.
PASS_SIZE = 256
# A pass waits for company no longer than one takes, and no longer than this.
LONGEST_WAIT_S = 0.25
# How often the list is looked at while waiting.
LOOK_EVERY_S = 0.01
# So many who all break the pass, each alone, are not to blame.
ALL_ALIKE = 3
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
            backlog = due.measure()
            if backlog.learners >= size or backlog.oldest is None:
                return
            waited = (now() - backlog.oldest).total_seconds()
            # A clock that was set back must not make anybody wait.
            if not 0.0 <= waited < self.wait_s:
                return
            time.sleep(LOOK_EVERY_S)


_window = Window()


def work_off(
    *,
    size: int = PASS_SIZE,
    turn_s: float = TURN_S,
    now: Callable[[], dt.datetime] = clock.now,
    window: Window = _window,
) -> int:
    """Advance learners until nobody is due or the turn is over; return how many states were stored.

    Any number of workers may do so at once.
    """
    until, stored = time.monotonic() + turn_s, 0
    while time.monotonic() < until:
        window.wait(size=size, now=now)
        held = due.claim(size=size, now=now())
        if held is None:
            break
        began = time.monotonic()
        stored += advance_held(held, now=now)
        window.note(took_s=time.monotonic() - began, size=len(held.marks))
    return stored


def advance_held(held: due.Claim, *, now: Callable[[], dt.datetime] = clock.now) -> int:
    """Advance the learners of a claim; return how many states were stored."""
    course = Course.objects.get(pk=held.course_id)
    tracer = selectors.get_tracer(course_id=course.pk, revision=course.revision)
    learners = sorted(held.marks)
    if tracer.deep is None:
        deep_services.strike_off(held=held)
        return 0
    if held.tries >= due.MOST_TRIES:
        # No error was left, so the worker itself went down with it.
        for learner_id in learners:
            due.quarantine(held, learner_id=learner_id, error=_KILLED % held.tries, now=now())
        return 0
    broken: list[tuple[int, Exception]] = []
    try:
        stored = _advance(held, tracer, learners, now, broken)
    except _NOT_THEIR_DOING:
        due.let_go(held, learner_ids=learners)
        raise
    if len(broken) >= ALL_ALIKE and len(broken) == len(learners):
        # Nobody's data, then, but the pass itself: the worker, the network, the code.
        due.let_go(held, learner_ids=learners)
        raise broken[0][1]
    for learner_id, error in broken:
        logger.error("Learner %s is left aside.", learner_id, exc_info=error)
        text = "".join(traceback.format_exception(error))
        due.quarantine(held, learner_id=learner_id, error=text[-4000:], now=now())
    return stored


_KILLED = "The worker was lost %d times with this learner's pass in hand."
_NOT_THEIR_DOING = (DatabaseError, OSError, MemoryError, ImportError, api.UnreadableModel)


def _advance(
    held: due.Claim,
    tracer: CourseTracer,
    learners: Sequence[int],
    now: Callable[[], dt.datetime],
    broken: list[tuple[int, Exception]],
) -> int:
    moment = now()
    anew = sorted(held.refold.intersection(learners))
    try:
        done = forward.advance(tracer=tracer, learner_ids=learners, anew=anew, now=moment)
    except _NOT_THEIR_DOING:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the neighbours go on
        if len(learners) == 1:
            broken.append((learners[0], error))
            return 0
        middle = len(learners) // 2
        return sum(
            _advance(held, tracer, half, now, broken)
            for half in (learners[:middle], learners[middle:])
        )
    without = set(learners) - {one.learner_id for one in done}
    if without:
        deep_services.drop_without_answers(
            held=held, tracer_id=tracer.tracer_id, learner_ids=without, now=moment
        )
    stored = deep_services.store_pass(held=held, tracer_id=tracer.tracer_id, done=done, now=moment)
    return len(stored)
