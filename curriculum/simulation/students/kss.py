"""Knowledge-structure learners in the manner of KSS: steep gates, and a path that must make sense.

After the Knowledge Structure based Simulator of Liu et al. 2019 (CSEAL, KDD) as published in
EduSim, restated. Levels lie in 0..5. An answer on concept k raises its level by

    rate (5 - level_k) exp(-sum over direct prerequisites of (5 - level) / softness)

and everything that requires it by half of that, recursively; but only if k is near what was
practised last: the same concept, one that it requires or that requires it, or, once that is
nearly full (level above 4), any concept. An item that is out of place teaches nothing. Unlike the
original, outcomes are drawn, so that feedback is as noisy as a real learner's, and the gate is
softer (there `softness` is 1 and the rate 0.5).
"""

from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from curriculum.simulation.course import ItemTruth, SimulatedCourse, needs_matrix
from curriculum.simulation.student import PacedStudent, draw_pace

FloatArray = npt.NDArray[np.float64]
FULL, NEARLY_FULL = 5.0, 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kss:
    """Parameters of the population.

    Attributes:
        start_max: initial levels are uniform between 0 and this, less for later layers.
        rate: mean share of the headroom that an answer fills behind an open gate.
        softness: level that missing prerequisites may lack for the gate to fall to 1/e.
        slope: logits per level.
        half: level at which an item of difficulty 0 is answered right half of the time.
    """

    start_max: float = 2.5
    rate: float = 0.25
    softness: float = 2.0
    slope: float = 1.2
    half: float = 2.2


@final
class KssStudent(PacedStudent):
    """Levels, and the concept practised last."""

    def __init__(
        self,
        *,
        course: SimulatedCourse,
        truth: ItemTruth,
        pace: float,
        level: FloatArray,
        rate: float,
        model: Kss,
    ) -> None:
        """Start with [concepts] levels in 0..5."""
        super().__init__(course=course, truth=truth, pace=pace)
        self.level = level
        self.rate = rate
        self.model = model
        self.last: int | None = None
        needs = needs_matrix(course)
        self._share = needs / needs.sum(axis=1, keepdims=True)
        self._after: list[list[int]] = [[] for _ in course.prerequisites]
        for concept, parents in enumerate(course.prerequisites):
            for parent in parents:
                self._after[parent].append(concept)

    def success_probs(self, *, at: float) -> FloatArray:
        """Return guess + (1 - guess) sigmoid(slope (level - half) - difficulty)."""
        del at
        met = self.model.slope * (self._share @ self.level - self.model.half)
        known = 1.0 / (1.0 + np.exp(self.truth.difficulty - met))
        return np.asarray(self.truth.guess + (1.0 - self.truth.guess) * known)

    def in_place(self, concept: int) -> bool:
        """Test whether practising this concept now makes sense to the learner."""
        last = self.last
        if last is None or concept == last or self.level[last] > NEARLY_FULL:
            return True
        return concept in self.course.prerequisites[last] or concept in self._after[last]

    def learn(self, item: int, *, correct: bool, at: float, rng: np.random.Generator) -> None:
        """Raise the main concept and, by halves, what requires it."""
        del correct, at, rng
        concept = self.course.items[item].concepts[0]
        if self.in_place(concept):
            lacking = sum(FULL - self.level[one] for one in self.course.prerequisites[concept])
            gate = float(np.exp(-lacking / self.model.softness))
            self._promote(concept, self.rate * (FULL - self.level[concept]) * gate)
            self.last = concept

    def _promote(self, concept: int, rise: float) -> None:
        self.level[concept] = min(self.level[concept] + rise, FULL)
        for following in self._after[concept]:
            self._promote(following, 0.5 * rise)


class KssPopulation:
    """Draws students."""

    def __init__(
        self, course: SimulatedCourse, truth: ItemTruth, *, seed: int, model: Kss | None = None
    ) -> None:
        """Keep the parameters; only the items' truth differs by seed."""
        del seed
        self.course, self.truth, self.model = course, truth, model or Kss()
        self._layer = np.zeros(course.n_concepts)
        for concept in course.order:
            below = [self._layer[parent] for parent in course.prerequisites[concept]]
            self._layer[concept] = max(below, default=-1.0) + 1.0

    def __call__(self, start_at: float, rng: np.random.Generator) -> KssStudent:
        """Return a new student."""
        del start_at
        top = self.model.start_max / (1.0 + 0.5 * self._layer)
        return KssStudent(
            course=self.course,
            truth=self.truth,
            pace=draw_pace(rng),
            level=top * rng.random(self.course.n_concepts),
            rate=float(self.model.rate * np.exp(0.3 * rng.standard_normal())),
            model=self.model,
        )
