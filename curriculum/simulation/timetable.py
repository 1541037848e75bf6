"""When simulated learners practise and are examined."""

from dataclasses import dataclass

from curriculum.errors import CurriculumError

DAY_S = 86_400.0
# Any fixed moment; nothing depends on the calendar.
FIRST_DAY_S = 1_790_000_000.0


class TimetableUnusable(CurriculumError):
    """The minutes or sessions asked for make no timetable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """Sessions of equal length; equal minutes for every policy.

    Attributes:
        minutes: of practice in all, answers and their feedback.
        session_minutes: the longest session; the number of sessions follows.
        gap_days: days between sessions, one after the other, the last repeated.
        test_days: the test is so many days after the last session began.
        delayed_days: the delayed test.

    Raises:
        TimetableUnusable: on construction, if a length is not positive.
    """

    minutes: float = 45.0
    session_minutes: float = 15.0
    gap_days: tuple[float, ...] = (1.0, 2.0, 3.0)
    test_days: float = 1.0
    delayed_days: float = 14.0

    def __post_init__(self) -> None:
        if not (0.0 < self.minutes < 10_000.0 and self.session_minutes > 0.0):
            raise TimetableUnusable(
                f"{self.minutes:g} minutes of practice: give more than 0 and less than 10000."
            )
        if not (0.0 < self.test_days <= self.delayed_days and min(self.gap_days) > 0.0):
            raise TimetableUnusable("Gaps and tests must lie after one another.")

    @property
    def sessions(self) -> int:
        """The number of sessions."""
        return max(-int(-self.minutes // self.session_minutes), 1)

    def starts(self) -> list[float]:
        """Return when each session begins, epoch seconds."""
        starts = [FIRST_DAY_S]
        for turn in range(self.sessions - 1):
            gap = self.gap_days[min(turn, len(self.gap_days) - 1)]
            starts.append(starts[-1] + gap * DAY_S)
        return starts

    @property
    def session_s(self) -> float:
        """The length of one session, seconds."""
        return 60.0 * self.minutes / self.sessions
