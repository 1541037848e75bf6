"""Exponential forgetting of facts: every item is remembered by itself.

The EFC learner of Reddy, Levine and Dragan 2017 after Ebbinghaus. With S the times an item was
studied and D the days since it last was:

    recall = exp(-forgetting D / S),   0 before the first study
    P(right) = guess + (1 - guess - slip) recall

An item's forgetting grows with its difficulty. Concepts do not matter: practising one item
teaches nothing about its neighbours, which no tracer of concepts expects.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from curriculum.simulation.course import ItemTruth, SimulatedCourse
from curriculum.simulation.student import PacedStudent, draw_pace

FloatArray = npt.NDArray[np.float64]
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Efc:
    """Parameters of the population.

    Attributes:
        forgetting: median rate per day of an item of difficulty 0.
        by_difficulty: what a logit of difficulty adds to its logarithm.
        learner_log_sd: spread of the learners' factor on it.
        slip: chance of failing what is recalled.
        studied: chance that an item was studied once before the course.
        studied_days: how many days before, at most.
    """

    forgetting: float = 0.12
    by_difficulty: float = 0.6
    learner_log_sd: float = 0.5
    slip: float = 0.05
    studied: float = 0.3
    studied_days: float = 30.0


@final
class EfcStudent(PacedStudent):
    """Strength and last study of every item."""

    def __init__(
        self,
        *,
        course: SimulatedCourse,
        truth: ItemTruth,
        pace: float,
        forgetting: FloatArray,
        strength: FloatArray,
        studied_at: FloatArray,
        slip: float,
    ) -> None:
        """Start with [items] rates per day, times studied, and epoch seconds of the last study."""
        super().__init__(course=course, truth=truth, pace=pace)
        self.forgetting = forgetting
        self.strength = strength
        self.studied_at = studied_at
        self.slip = slip

    def success_probs(self, *, at: float) -> FloatArray:
        """Return guess + (1 - guess - slip) recall."""
        return np.asarray(
            self.truth.guess + (1.0 - self.truth.guess - self.slip) * self.recall(at=at)
        )

    def recall(self, *, at: float) -> FloatArray:
        """Return [items] exp(-forgetting days / strength)."""
        days = (at - self.studied_at) / DAY_S
        kept = np.exp(-self.forgetting * days / np.maximum(self.strength, 1.0))
        return np.where(self.strength > 0.0, kept, 0.0)

    def learn(self, item: int, *, correct: bool, at: float, rng: np.random.Generator) -> None:
        """Study the item once more, whatever the outcome: the feedback shows the answer."""
        del correct, rng
        self.strength[item] += 1.0
        self.studied_at[item] = at


class EfcPopulation:
    """Draws students."""

    def __init__(
        self, course: SimulatedCourse, truth: ItemTruth, *, seed: int, model: Efc | None = None
    ) -> None:
        """Keep the parameters; only the items' truth differs by seed."""
        del seed
        self.course, self.truth, self.model = course, truth, model or Efc()

    def __call__(self, start_at: float, rng: np.random.Generator) -> EfcStudent:
        """Return a new student."""
        model, size = self.model, len(self.course.items)
        factor = np.exp(model.learner_log_sd * rng.standard_normal())
        rates = model.forgetting * factor * np.exp(model.by_difficulty * self.truth.difficulty)
        return EfcStudent(
            course=self.course,
            truth=self.truth,
            pace=draw_pace(rng),
            forgetting=rates,
            strength=(rng.random(size) < model.studied).astype(np.float64),
            studied_at=start_at - DAY_S * model.studied_days * rng.random(size),
            slip=model.slip,
        )
