"""When simulated learners practise, and what a plain teacher gives them.

The teacher knows only the answers: it moves on after a run of right ones or when patience
ends, and mixes in review. It is a data source, not a policy to compare with.
"""

import numpy as np

from curriculum.simulation.course import SimulatedCourse
from curriculum.simulation.knowledge import DAY_S

REVIEW_PROB = 0.2


def draw_session_starts(
    *, n: int, end_at: float, weeks: float, rng: np.random.Generator
) -> list[float]:
    """Return `n` session starts (epoch seconds, ascending) in the weeks before `end_at`.

    At most one session a day while days last, in the afternoon; the last one begins at
    least an hour before `end_at`.
    """
    days = max(round(weeks * 7), n)
    chosen = np.sort(rng.choice(days, size=n, replace=False))[::-1]
    hours = rng.uniform(1.0, 7.0, size=n)  # before the end of that day
    return [float(end_at - day * DAY_S - hour * 3_600.0) for day, hour in zip(chosen, hours,
                                                                          strict=True)]  # fmt: skip


class Teacher:
    """Chooses the next item of one learner: the current concept in order, at times review."""

    __slots__ = ("_course", "_patience", "_position", "_recent", "_started", "_uses", "_wanted")

    def __init__(self, course: SimulatedCourse, *, entry: int, patience: int, wanted: int) -> None:
        """Begin at a position in the teaching order.

        Args:
            course: the course.
            entry: position in `course.order` of the first concept taught.
            patience: answers on a concept after which the teacher goes on regardless.
            wanted: right answers in a row that end a concept earlier.
        """
        self._course = course
        self._patience = patience
        self._wanted = wanted
        self._position = entry
        self._recent: list[bool] = []
        self._started: list[int] = []
        self._uses: dict[int, int] = {}
        self._settle()
        if not self._started:  # nothing to practise from the entry on
            self._position = 0
            self._settle()

    def choose(self, *, rng: np.random.Generator) -> int:
        """Return the item to present next."""
        concept = self._concept()
        if concept is None or (len(self._started) > 1 and rng.random() < REVIEW_PROB):
            # An older concept is as good as a newer one: review spreads over all that was met.
            pool = self._started[:-1] if concept is not None else self._started
            concept = pool[int(rng.integers(len(pool)))]
        bank = self._course.items_by_concept[concept]
        fewest = min(self._uses.get(item, 0) for item in bank)
        fresh = [item for item in bank if self._uses.get(item, 0) == fewest]
        return fresh[int(rng.integers(len(fresh)))]

    def record(self, item: int, *, correct: bool) -> None:
        """Note an outcome, and move on from the current concept if it is time."""
        self._uses[item] = self._uses.get(item, 0) + 1
        if self._course.items[item].concepts[0] != self._concept():
            return
        self._recent.append(correct)
        ran = len(self._recent) >= self._wanted and all(self._recent[-self._wanted :])
        if ran or len(self._recent) >= self._patience:
            self._position += 1
            self._recent = []
            self._settle()

    def _concept(self) -> int | None:
        """Return the concept being taught, None when the course is through."""
        order = self._course.order
        return order[self._position] if self._position < len(order) else None

    def _settle(self) -> None:
        """Skip concepts without items, and open the one that follows."""
        order, banks = self._course.order, self._course.items_by_concept
        while self._position < len(order) and not banks[order[self._position]]:
            self._position += 1
        concept = self._concept()
        if concept is not None:
            self._started.append(concept)
