"""Performance factors: practice adds up, by outcome, without end and without forgetting.

Pavlik, Cen and Koedinger 2009; the additive factors model (Cen, Koedinger and Junker 2006) is
the case of equal gains. With S and F the earlier right and wrong answers on a concept:

    logit P(right) = ability - difficulty + sum over concepts of (gain_right S + gain_wrong F)

There are no prerequisites in it: whatever is practised is learnt.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from curriculum.simulation.course import ItemTruth, SimulatedCourse, needs_matrix
from curriculum.simulation.student import PacedStudent, draw_pace

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pfa:
    """Parameters of the population, logits.

    Attributes:
        ability_mean, ability_sd: of the learners.
        concept_sd: spread of the concepts' easiness.
        gain_right, gain_wrong: medians over concepts of what one answer adds.
        gain_log_sd: spread of the gains between concepts.
    """

    ability_mean: float = -0.6
    ability_sd: float = 0.7
    concept_sd: float = 0.6
    gain_right: float = 0.20
    gain_wrong: float = 0.10
    gain_log_sd: float = 0.4


@final
class PfaStudent(PacedStudent):
    """Two counts a concept."""

    def __init__(
        self,
        *,
        course: SimulatedCourse,
        truth: ItemTruth,
        pace: float,
        easiness: FloatArray,
        gain_right: FloatArray,
        gain_wrong: FloatArray,
    ) -> None:
        """Start without practice.

        Args:
            course: the course.
            truth: the items' true parameters; discrimination and guess are not used.
            pace: offset of log answering time.
            easiness: [items] logit of a right answer before any practice.
            gain_right: [concepts].
            gain_wrong: [concepts].
        """
        super().__init__(course=course, truth=truth, pace=pace)
        self.easiness = easiness
        self.gain_right, self.gain_wrong = gain_right, gain_wrong
        self.right = np.zeros(course.n_concepts)
        self.wrong = np.zeros(course.n_concepts)
        self._needs = needs_matrix(course).astype(np.float64)

    def success_probs(self, *, at: float) -> FloatArray:
        """Return the logistic of easiness and practice."""
        del at
        practice = self.gain_right * self.right + self.gain_wrong * self.wrong
        logit = self.easiness + self._needs @ practice
        return np.asarray(1.0 / (1.0 + np.exp(-logit)))

    def learn(self, item: int, *, correct: bool, at: float, rng: np.random.Generator) -> None:
        """Count the answer on every concept of the item."""
        del at, rng
        counts = self.right if correct else self.wrong
        counts[list(self.course.items[item].concepts)] += 1.0


class PfaPopulation:
    """Draws students; easiness and gains of concepts are the population's."""

    def __init__(
        self, course: SimulatedCourse, truth: ItemTruth, *, seed: int, model: Pfa | None = None
    ) -> None:
        """Draw the concepts' parameters from the seed."""
        self.course, self.truth, self.model = course, truth, model or Pfa()
        rng, size = np.random.default_rng([seed, 12]), course.n_concepts
        own = self.model
        concepts = own.concept_sd * rng.standard_normal(size)
        needs = needs_matrix(course)
        self.easiness = needs @ concepts / needs.sum(axis=1) - truth.difficulty
        self.gain_right = own.gain_right * np.exp(own.gain_log_sd * rng.standard_normal(size))
        self.gain_wrong = own.gain_wrong * np.exp(own.gain_log_sd * rng.standard_normal(size))

    def __call__(self, start_at: float, rng: np.random.Generator) -> PfaStudent:
        """Return a new student."""
        del start_at
        model = self.model
        ability = model.ability_mean + model.ability_sd * rng.standard_normal()
        return PfaStudent(
            course=self.course,
            truth=self.truth,
            pace=draw_pace(rng),
            easiness=self.easiness + ability,
            gain_right=self.gain_right,
            gain_wrong=self.gain_wrong,
        )
