"""The house generator as a student: gated skewed growth, two memories, good and bad days, hints."""

from typing import final

import numpy as np
import numpy.typing as npt

from curriculum.simulation.course import ItemTruth, SimulatedCourse, needs_matrix
from curriculum.simulation.learner import SimulatedLearner
from curriculum.simulation.population import Population
from curriculum.simulation.student import CORRECTION_S, FEEDBACK_S, Answer

FloatArray = npt.NDArray[np.float64]


@final
class GrowthStudent:
    """A `SimulatedLearner` behind the interface of students."""

    def __init__(self, learner: SimulatedLearner) -> None:
        """Wrap a learner."""
        self.learner = learner
        needs = needs_matrix(learner.course)
        self._share = needs / needs.sum(axis=1, keepdims=True)

    def answer(self, item: int, *, at: float, rng: np.random.Generator) -> Answer:
        """Answer, with or without a hint, and learn."""
        given = self.learner.answer(item, at, rng)
        seconds = given.elapsed_ms / 1_000.0 + FEEDBACK_S
        return Answer(
            correct=given.correct,
            seconds=seconds + (0.0 if given.correct else CORRECTION_S),
            assisted=given.hints > 0,
        )

    def success_probs(self, *, at: float) -> FloatArray:
        """Return the true chances on an average day: `SimulatedLearner.success_probs`, at once."""
        truth, slip = self.learner.truth, self.learner.traits.slip
        # The soft minimum over an item's concepts is -log of the mean of exp(-level).
        met = -np.log(self._share @ np.exp(-self.learner.levels(at=at)))
        known = 1.0 / (1.0 + np.exp(-truth.discrimination * (met - truth.difficulty)))
        return np.asarray(truth.guess + (1.0 - truth.guess - slip) * known)


class GrowthPopulation:
    """Draws students."""

    def __init__(
        self,
        course: SimulatedCourse,
        truth: ItemTruth,
        *,
        seed: int,
        population: Population | None = None,
    ) -> None:
        """Keep the parameters; only the items' truth differs by seed."""
        del seed
        self.course, self.truth = course, truth
        self.population = population or Population()

    def __call__(self, start_at: float, rng: np.random.Generator) -> GrowthStudent:
        """Return a new student."""
        return GrowthStudent(
            SimulatedLearner.draw(
                self.course,
                truth=self.truth,
                start_at=start_at,
                rng=rng,
                population=self.population,
            )
        )
