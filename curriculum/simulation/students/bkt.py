"""Bayesian knowledge tracing with prerequisites: a concept is known or not, and never forgotten.

Corbett and Anderson 1995: P(right) = 1 - slip if known, else guess; each answer turns an unknown
concept into a known one with probability T. Here T is multiplied by `locked` while a direct
prerequisite is unknown, as in the dynamic Bayesian networks of Käser et al. 2017.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from curriculum.simulation.course import ItemTruth, SimulatedCourse, needs_matrix
from curriculum.simulation.student import PacedStudent, draw_pace

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bkt:
    """Parameters of the population.

    Attributes:
        known: chance that a root concept is known at the start; it halves with each step down.
        transit: mean chance to learn a concept from one answer; concepts spread around it.
        rate_log_sd: spread of the learners' factor on it.
        locked: factor on it while a direct prerequisite is unknown.
        slip: chance of failing an item of average difficulty that is known.
    """

    known: float = 0.35
    transit: float = 0.18
    rate_log_sd: float = 0.4
    locked: float = 0.1
    slip: float = 0.08


@final
class BktStudent(PacedStudent):
    """Known or not, concept by concept."""

    def __init__(
        self,
        *,
        course: SimulatedCourse,
        truth: ItemTruth,
        pace: float,
        known: BoolArray,
        transit: FloatArray,
        slip: FloatArray,
        locked: float,
    ) -> None:
        """Start with [concepts] `known` and `transit`, and [items] `slip`."""
        super().__init__(course=course, truth=truth, pace=pace)
        self.known = known
        self.transit = transit
        self.slip = slip
        self.locked = locked
        self._needs = needs_matrix(course)

    def success_probs(self, *, at: float) -> FloatArray:
        """Return 1 - slip where all concepts of the item are known, else its guess."""
        del at
        missing = self._needs @ ~self.known
        return np.where(missing == 0, 1.0 - self.slip, self.truth.guess)

    def learn(self, item: int, *, correct: bool, at: float, rng: np.random.Generator) -> None:
        """Let each unknown concept of the item become known by chance."""
        del correct, at
        for place, concept in enumerate(self.course.items[item].concepts):
            open_ = all(self.known[parent] for parent in self.course.prerequisites[concept])
            chance = self.transit[concept] * (1.0 if open_ else self.locked)
            if rng.random() < chance * (1.0 if place == 0 else 0.5):
                self.known[concept] = True


class BktPopulation:
    """Draws students; the concepts' transit and the items' slip are the population's."""

    def __init__(
        self, course: SimulatedCourse, truth: ItemTruth, *, seed: int, model: Bkt | None = None
    ) -> None:
        """Draw the concepts' parameters from the seed."""
        self.course, self.truth, self.model = course, truth, model or Bkt()
        rng = np.random.default_rng([seed, 11])
        spread = np.exp(0.3 * rng.standard_normal(course.n_concepts))
        self.transit = self.model.transit * spread
        # A hard item is failed more often though known: up to twice and down to no slip.
        self.slip = self.model.slip * 2.0 / (1.0 + np.exp(-truth.difficulty))

    def __call__(self, start_at: float, rng: np.random.Generator) -> BktStudent:
        """Return a new student."""
        del start_at
        model, course = self.model, self.course
        known = np.zeros(course.n_concepts, dtype=np.bool_)
        chance = np.zeros(course.n_concepts)
        for concept in course.order:
            parents = list(course.prerequisites[concept])
            chance[concept] = 0.5 * chance[parents].min() if parents else model.known
            met = all(known[parents])
            known[concept] = bool(rng.random() < chance[concept]) and met
        rate = float(np.exp(model.rate_log_sd * rng.standard_normal()))
        return BktStudent(
            course=course,
            truth=self.truth,
            pace=draw_pace(rng),
            known=known,
            transit=np.minimum(self.transit * rate, 0.95),
            slip=self.slip,
            locked=model.locked,
        )
