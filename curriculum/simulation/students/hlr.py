"""Half-life regression: a concept's memory halves with a half-life that its history sets.

Settles and Meeder 2016. With Δ the days since a concept was last practised:

    recall = 2^(-Δ / h),   h = 2^(base + right sqrt(1 + n_right) + wrong sqrt(1 + n_wrong)) days

The history takes the answer as it was drawn, 0 or 1; taking the probability in its place, and
testing whether it is 1, counts nearly every review as a failure.
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
class Hlr:
    """Parameters of the population.

    Attributes:
        base: mean log2 of the half-life in days without the counts.
        base_sd: its spread between learners; concepts spread half as much.
        right, wrong: weights of the square roots of the counts.
        by_difficulty: how much more an item of a logit more difficulty asks of a memory: recall
            is taken to the power exp(by_difficulty * difficulty).
        slip: chance of failing what is recalled.
        met: chance that a concept was practised before the course, once to four times.
        met_days: how many days before, at most.
    """

    base: float = -3.0
    base_sd: float = 0.7
    right: float = 1.4
    wrong: float = -0.1
    by_difficulty: float = 0.5
    slip: float = 0.05
    met: float = 0.4
    met_days: float = 20.0


@final
class HlrStudent(PacedStudent):
    """Counts and last practice of every concept."""

    def __init__(
        self,
        *,
        course: SimulatedCourse,
        truth: ItemTruth,
        pace: float,
        base: FloatArray,
        right: FloatArray,
        practised_at: FloatArray,
        model: Hlr,
    ) -> None:
        """Start with [concepts] base, right answers so far, and epoch seconds of the last one.

        A concept never practised has -inf there.
        """
        super().__init__(course=course, truth=truth, pace=pace)
        self.base = base
        self.right = right
        self.wrong = np.zeros(course.n_concepts)
        self.practised_at = practised_at
        self.model = model
        self._needs = needs_matrix(course).astype(np.float64)
        self._demand = np.exp(model.by_difficulty * truth.difficulty)

    def half_lives(self) -> FloatArray:
        """Return [concepts] days."""
        model = self.model
        exponent = model.right * np.sqrt(1.0 + self.right) + model.wrong * np.sqrt(1.0 + self.wrong)
        return np.asarray(np.exp2(self.base + exponent))

    def success_probs(self, *, at: float) -> FloatArray:
        """Return guess + (1 - guess - slip) times the recall of all concepts of the item."""
        halvings = (at - self.practised_at) / DAY_S / self.half_lives()
        # The product of recalls is 2 to the sum; never practised is infinitely many halvings.
        recall = np.exp2(-self._demand * (self._needs @ np.minimum(halvings, 1e6)))
        guess = self.truth.guess
        return np.asarray(guess + (1.0 - guess - self.model.slip) * recall)

    def learn(self, item: int, *, correct: bool, at: float, rng: np.random.Generator) -> None:
        """Count the outcome, and start forgetting anew."""
        del rng
        concepts = list(self.course.items[item].concepts)
        counts = self.right if correct else self.wrong
        counts[concepts] += 1.0
        self.practised_at[concepts] = at


class HlrPopulation:
    """Draws students; the concepts' bases are the population's."""

    def __init__(
        self, course: SimulatedCourse, truth: ItemTruth, *, seed: int, model: Hlr | None = None
    ) -> None:
        """Draw the concepts' bases from the seed."""
        self.course, self.truth, self.model = course, truth, model or Hlr()
        rng = np.random.default_rng([seed, 13])
        spread = 0.5 * self.model.base_sd * rng.standard_normal(course.n_concepts)
        self.base = self.model.base + spread

    def __call__(self, start_at: float, rng: np.random.Generator) -> HlrStudent:
        """Return a new student."""
        model, size = self.model, self.course.n_concepts
        met = rng.random(size) < model.met
        before = start_at - DAY_S * model.met_days * rng.random(size)
        return HlrStudent(
            course=self.course,
            truth=self.truth,
            pace=draw_pace(rng),
            base=self.base + model.base_sd * rng.standard_normal(),
            right=np.where(met, rng.integers(1, 5, size), 0).astype(np.float64),
            practised_at=np.where(met, before, -np.inf),
            model=model,
        )
