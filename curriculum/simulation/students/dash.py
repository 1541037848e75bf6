"""DASH: practice counts in time windows, and what leaves a window is forgotten.

Lindsey, Shroyer, Pashler and Mozer 2014, with the counts kept per concept as in DAS3H (Choffin
et al. 2019). With c_w right answers and n_w answers on a concept within window w:

    logit P(right) = ability - difficulty + sum over w of
                     (weight_right_w log(1 + c_w) + weight_any_w log(1 + n_w))

averaged over the item's concepts.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from curriculum.simulation.course import ItemTruth, SimulatedCourse, needs_matrix
from curriculum.simulation.student import PacedStudent, draw_pace

FloatArray = npt.NDArray[np.float64]
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Dash:
    """Parameters of the population.

    Attributes:
        ability_mean, ability_sd: of the learners, logits.
        window_days: lengths of the nested windows; the last is for ever.
        weight_right, weight_any: logits per log(1 + count), by window.
    """

    ability_mean: float = -1.2
    ability_sd: float = 0.7
    window_days: tuple[float, ...] = (1.0 / 24.0, 1.0, 7.0, 30.0, np.inf)
    weight_right: tuple[float, ...] = (0.15, 0.20, 0.25, 0.30, 0.35)
    weight_any: tuple[float, ...] = (0.05, 0.08, 0.10, 0.12, 0.15)


@final
class DashStudent(PacedStudent):
    """All answers on each concept, with their times."""

    def __init__(
        self,
        *,
        course: SimulatedCourse,
        truth: ItemTruth,
        pace: float,
        ability: float,
        model: Dash,
    ) -> None:
        """Start without practice, at `ability` logits."""
        super().__init__(course=course, truth=truth, pace=pace)
        self.ability = ability
        self.model = model
        self._windows_s = DAY_S * np.array(model.window_days)
        self._right, self._any = np.array(model.weight_right), np.array(model.weight_any)
        needs = needs_matrix(course)
        self._share = needs / needs.sum(axis=1, keepdims=True)
        self._concept: list[int] = []
        self._at: list[float] = []
        self._correct: list[float] = []

    def success_probs(self, *, at: float) -> FloatArray:
        """Return the logistic of ability, difficulty and the counts in the windows."""
        logit = self.ability - self.truth.difficulty + self._share @ self.practice(at=at)
        return np.asarray(1.0 / (1.0 + np.exp(-logit)))

    def practice(self, *, at: float) -> FloatArray:
        """Return [concepts] what practice adds at `at`, logits."""
        size = self.course.n_concepts
        if not self._at:
            return np.zeros(size)
        age = at - np.array(self._at)
        # An answer exactly as old as the window has left it.
        inside = age[:, None] < self._windows_s
        by_concept = np.zeros((size, len(age)))
        by_concept[self._concept, np.arange(len(age))] = 1.0
        attempts = by_concept @ inside
        right = by_concept @ (inside * np.array(self._correct)[:, None])
        return np.asarray(np.log1p(right) @ self._right + np.log1p(attempts) @ self._any)

    def learn(self, item: int, *, correct: bool, at: float, rng: np.random.Generator) -> None:
        """Remember the answer."""
        del rng
        for concept in self.course.items[item].concepts:
            self._concept.append(concept)
            self._at.append(at)
            self._correct.append(float(correct))


class DashPopulation:
    """Draws students."""

    def __init__(
        self, course: SimulatedCourse, truth: ItemTruth, *, seed: int, model: Dash | None = None
    ) -> None:
        """Keep the parameters; only the items' truth differs by seed."""
        del seed
        self.course, self.truth, self.model = course, truth, model or Dash()

    def __call__(self, start_at: float, rng: np.random.Generator) -> DashStudent:
        """Return a new student."""
        del start_at
        ability = self.model.ability_mean + self.model.ability_sd * rng.standard_normal()
        return DashStudent(
            course=self.course,
            truth=self.truth,
            pace=draw_pace(rng),
            ability=float(ability),
            model=self.model,
        )
