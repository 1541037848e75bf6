"""How simulated knowledge moves: inheritance, gated learning, forgetting on two time scales."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from curriculum.simulation.course import SimulatedCourse
from curriculum.simulation.population import Population, Traits

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

DAY_S = 86_400.0


def soft_minimum(levels: FloatArray) -> FloatArray:
    """Return -log of the mean of exp(-level) over the first axis: between minimum and mean."""
    if len(levels) == 1:
        return levels[0]  # type: ignore[no-any-return]
    minimum: FloatArray = -np.log(np.mean(np.exp(-levels), axis=0))
    return minimum


class Knowledge:
    """The latent knowledge of several learners (rows) who live through the same events.

    One row is a simulated learner; thousands of rows are the particles of one learner's
    posterior. A concept's column must be drawn by `reveal` before it is used. A late draw has
    the same distribution, since nothing was observed of the concept before, and keeps
    particles diverse.

    Mutable by design: it is the inner loop of a simulation and never stored.
    """

    __slots__ = ("_course", "_drawn", "_entry", "_fresh", "_moved_at", "_population",
                 "_practised_at", "_stable", "deviation", "traits")  # fmt: skip

    def __init__(
        self,
        *,
        course: SimulatedCourse,
        population: Population,
        traits: Traits,
        entry: int,
        start_at: float,
    ) -> None:
        """Start before the first answer.

        Args:
            course: the course.
            population: the generator's global parameters.
            traits: one row per learner.
            entry: position in the teaching order where the learner joins; concepts before
                it were taught elsewhere.
            start_at: when what was taught elsewhere begins to be forgotten, epoch seconds.
        """
        shape = (traits.ability.size, course.n_concepts)
        self._course = course
        self._population = population
        self._entry = frozenset(course.order[:entry])
        self.traits = traits
        self.deviation: FloatArray = np.zeros(shape, order="F")
        self._stable: FloatArray = np.zeros(shape, order="F")
        self._fresh: FloatArray = np.zeros(shape, order="F")
        self._drawn = np.zeros(course.n_concepts, dtype=bool)
        self._moved_at = np.full(course.n_concepts, start_at)
        self._practised_at = np.full(course.n_concepts, np.nan)

    def resample(self, rows: IntArray) -> None:
        """Replace the rows by the given ones, in that order; as many as before."""
        self.traits = self.traits.take(rows)
        for concept in np.flatnonzero(self._drawn):
            for values in (self.deviation, self._stable, self._fresh):
                values[:, concept] = values[rows, concept]

    def reveal(self, concepts: Iterable[int], *, rng: np.random.Generator) -> None:
        """Draw the columns of these concepts and of all their ancestors, where not yet drawn."""
        for concept in concepts:
            if not self._drawn[concept]:
                self.reveal(self._course.prerequisites[concept], rng=rng)
                self._draw(concept, rng=rng)

    def level(self, concept: int, *, at: float) -> FloatArray:
        """Return every row's level (logits) on a concept at `at`, on an average day."""
        stable, fresh = self._retained(concept, at=at)
        return self.traits.ability + self.deviation[:, concept] + stable + fresh

    def item_level(self, concepts: tuple[int, ...], *, at: float) -> FloatArray:
        """Return the level an item of these concepts meets: a soft minimum over them.

        Weakness in one concept is not made up for by strength in another.
        """
        if len(concepts) == 1:
            return self.level(concepts[0], at=at)
        return soft_minimum(np.array([self.level(concept, at=at) for concept in concepts]))

    def gate(self, concept: int, *, at: float) -> FloatArray:
        """Return the share of growth (0..1) that the weakest direct prerequisite lets through."""
        parents = self._course.prerequisites[concept]
        if not parents:
            return np.ones(self.traits.ability.size)
        weakest = np.min([self.level(parent, at=at) for parent in parents], axis=0)
        p = self._population
        opened = 1.0 / (1.0 + np.exp(-p.gate_slope * (weakest - p.gate_level)))
        share: FloatArray = p.gate_floor + (1.0 - p.gate_floor) * opened
        return share

    def practise(
        self,
        concept: int,
        *,
        at: float,
        correct: bool,
        weight: float = 1.0,
        rng: np.random.Generator,
    ) -> None:
        """Let every row learn from one answer and its feedback.

        Args:
            concept: what was practised.
            at: when, epoch seconds.
            correct: the answer's outcome; a wrong one teaches less.
            weight: scales the gain, e.g. for a concept that is not the item's main one.
            rng: source of the random steps.
        """
        gate = self.gate(concept, at=at)
        stable, fresh = self._retained(concept, at=at)
        p = self._population
        headroom = np.clip(p.ceiling - stable - fresh, 0.0, None)
        share = weight * gate * self.traits.rate * (1.0 if correct else p.wrong_share)
        gain = self._gain(share, headroom, rng=rng)
        last = self._practised_at[concept]
        rested = 1.0 if np.isnan(last) else -np.expm1(-(at - last) / DAY_S)
        lasting = p.massed_share + (p.spaced_share - p.massed_share) * rested
        self._stable[:, concept] = stable + lasting * gain
        self._fresh[:, concept] = fresh + (1.0 - lasting) * gain
        self._moved_at[concept] = at
        self._practised_at[concept] = at

    def _gain(
        self, share: FloatArray, headroom: FloatArray, *, rng: np.random.Generator
    ) -> FloatArray:
        """Return random gains with mean `share * headroom`, never above the headroom."""
        if self._population.learning == "insight":
            leap = 0.75  # an insight is worth most of the headroom, and comes so much rarer
            happens = rng.random(share.size) < np.minimum(share / leap, 1.0)
            return np.where(happens, leap * headroom, 0.0)
        shape = 1.5  # a skewed step: many small ones, some large
        steps = rng.standard_gamma(shape, share.size) / shape
        return np.minimum(share * steps, 1.0) * headroom

    def _retained(self, concept: int, *, at: float) -> tuple[FloatArray, FloatArray]:
        """Return the stable and the fresh part of a concept after forgetting up to `at`."""
        stable, fresh = self._stable[:, concept], self._fresh[:, concept]
        days = (at - self._moved_at[concept]) / DAY_S
        if not days > 0.0:
            return stable, fresh
        decay = -days * self.traits.forgetting
        p = self._population
        return stable * np.exp(decay / p.stable_days), fresh * np.exp(decay / p.fresh_days)

    def _draw(self, concept: int, *, rng: np.random.Generator) -> None:
        """Draw one column, given those of its direct prerequisites."""
        parents = self._course.prerequisites[concept]
        p, rows = self._population, self.traits.ability.size
        own = p.deviation_sd * rng.standard_normal(rows)
        if parents:
            inherited = np.mean(self.deviation[:, list(parents)], axis=1)
            own = p.inheritance * inherited + np.sqrt(1.0 - p.inheritance**2) * own
        self.deviation[:, concept] = own
        if concept in self._entry:
            # Schooling is uneven, and worth at most what practice can reach.
            shape = 3.0
            taught = p.schooling * rng.standard_gamma(shape, rows) / shape
            self._stable[:, concept] = np.minimum(taught, p.ceiling)
        self._drawn[concept] = True
