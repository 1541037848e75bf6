"""Students who learn nothing: what a policy seems to gain on them is an error of measurement."""

from typing import final

import numpy as np
import numpy.typing as npt

from curriculum.simulation.course import ItemTruth, SimulatedCourse
from curriculum.simulation.student import PacedStudent, draw_pace

FloatArray = npt.NDArray[np.float64]


@final
class FixedStudent(PacedStudent):
    """Answers every item with a chance that never changes."""

    def __init__(
        self, *, course: SimulatedCourse, truth: ItemTruth, pace: float, probs: FloatArray
    ) -> None:
        """Start with [items] chances."""
        super().__init__(course=course, truth=truth, pace=pace)
        self.probs = probs

    def success_probs(self, *, at: float) -> FloatArray:
        """Return the chances."""
        del at
        return self.probs.copy()

    def learn(self, item: int, *, correct: bool, at: float, rng: np.random.Generator) -> None:
        """Learn nothing."""
        del item, correct, at, rng


class NoisePopulation:
    """Coin flips: every item is answered right half of the time."""

    def __init__(self, course: SimulatedCourse, truth: ItemTruth, *, seed: int) -> None:
        """Keep the course; a coin has no parameters."""
        del seed
        self.course, self.truth = course, truth

    def __call__(self, start_at: float, rng: np.random.Generator) -> FixedStudent:
        """Return a new student."""
        del start_at
        return FixedStudent(
            course=self.course,
            truth=self.truth,
            pace=draw_pace(rng),
            probs=np.full(len(self.course.items), 0.5),
        )


class StaticPopulation:
    """A Rasch model: learners differ and items differ, but nobody learns."""

    def __init__(
        self, course: SimulatedCourse, truth: ItemTruth, *, seed: int, ability_sd: float = 1.0
    ) -> None:
        """Keep the course; the items' truth differs by seed."""
        del seed
        self.course, self.truth, self.ability_sd = course, truth, ability_sd

    def __call__(self, start_at: float, rng: np.random.Generator) -> FixedStudent:
        """Return a new student."""
        del start_at
        ability = self.ability_sd * rng.standard_normal()
        return FixedStudent(
            course=self.course,
            truth=self.truth,
            pace=draw_pace(rng),
            probs=1.0 / (1.0 + np.exp(self.truth.difficulty - ability)),
        )
