"""How long a pass waits for company."""

import datetime as dt

import pytest

from tests.factories import AT
from tutor.tracing import working
from tutor.tracing.working import LONGEST_WAIT_S, LOOK_EVERY_S, Window

LATER = dt.timedelta(seconds=60)


class Clock:
    """Time that goes on when somebody sleeps."""

    def __init__(self):
        self.at = 100.0

    def monotonic(self):
        return self.at

    def sleep(self, seconds):
        self.at += seconds

    def now(self):
        return AT + dt.timedelta(seconds=self.at)


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(working, "time", clock)
    return clock


@pytest.fixture
def listed(monkeypatch):
    """What the work list says: (learners, seconds of the clock since when the oldest waits)."""
    listed = {"learners": 1, "since": 100.0}

    def count():
        if listed["learners"] == 0:
            return 0, None
        return listed["learners"], AT + dt.timedelta(seconds=listed["since"])

    monkeypatch.setattr(working.due, "count_unclaimed", count)
    return listed


def waited(window, clock, *, size=8):
    before = clock.at
    window.wait(size=size, now=clock.now)
    return clock.at - before


class TestNote:
    def test_comes_to_what_passes_take(self):
        window = Window()
        for _ in range(12):
            window.note(took_s=0.1, size=50)

        assert window.wait_s == pytest.approx(0.1, abs=1e-3)

    def test_is_never_longer_than_that(self):
        window = Window()
        for _ in range(12):
            window.note(took_s=30.0, size=256)

        assert window.wait_s == LONGEST_WAIT_S

    def test_goes_back_when_little_comes_in(self):
        window = Window(wait_s=0.2)
        waits = []
        for _ in range(5):
            window.note(took_s=0.1, size=1)
            waits.append(window.wait_s)

        assert waits == pytest.approx([0.1, 0.05, 0.025, 0.0125, 0.00625])


class TestWait:
    def test_is_none_while_little_comes_in(self, clock, monkeypatch):
        # Not even a look at the table.
        monkeypatch.setattr(working.due, "count_unclaimed", None)

        assert waited(Window(), clock) == 0.0

    def test_lasts_until_the_oldest_has_waited_its_time(self, clock, listed):
        listed["since"] = 99.95

        assert waited(Window(wait_s=0.2), clock) == pytest.approx(0.15, abs=LOOK_EVERY_S)

    def test_ends_when_the_pass_is_full(self, clock, listed):
        sleep = clock.sleep

        def and_more_come(seconds):
            sleep(seconds)
            listed["learners"] += 1

        clock.sleep = and_more_come

        assert waited(Window(wait_s=0.2), clock, size=6) == pytest.approx(5 * LOOK_EVERY_S)

    def test_ends_when_nobody_is_left(self, clock, listed):
        listed["learners"] = 0

        assert waited(Window(wait_s=0.2), clock) == 0.0

    @pytest.mark.parametrize("since", [99.0, 100.0 + LATER.total_seconds()])
    def test_is_over_for_who_waited_long_or_since_a_moment_to_come(self, clock, listed, since):
        listed["since"] = since

        assert waited(Window(wait_s=0.2), clock) == 0.0


def test_a_turn_takes_every_pass_into_account(clock, monkeypatch):
    """Passes of 50 and then of one: the wait goes up, and down again."""
    sizes = iter([50, 50, 1, 1])
    waits = []

    class Held:
        course_id = 1

        def __init__(self, size):
            self.marks = dict.fromkeys(range(size), 1)

    def advance(_, *, now, until):
        clock.sleep(0.1)
        waits.append(window.wait_s)
        return 1

    monkeypatch.setattr(working.due, "count_unclaimed", lambda: (0, None))
    monkeypatch.setattr(
        working.due, "claim", lambda **_: (size := next(sizes, None)) and Held(size)
    )
    monkeypatch.setattr(working, "advance_held", advance)
    window = Window()

    assert working.work_off(window=window, now=clock.now) == 4
    waits.append(window.wait_s)
    assert waits == pytest.approx([0.0, 0.05, 0.075, 0.0375, 0.01875])
