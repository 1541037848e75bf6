"""What could at best be known of a simulated learner: the posterior under the true parameters.

A bootstrap particle filter (Gordon, Salmond and Smith 1993) over the generator itself, with
the population and the items known and the learner's traits and states drawn from their true
priors. It reads what a tracer may read - which item, when, right or wrong, hint or no hint -
and not the answering times.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curriculum.simulation import answering
from curriculum.simulation.course import ItemTruth, SimulatedCourse
from curriculum.simulation.knowledge import Knowledge
from curriculum.simulation.population import Population, draw_traits
from curriculum.simulation.records import Cohort

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The answers of one learner as a tracer may read them; arrays of shape (answers,).

    Attributes:
        item: index of the item.
        presented_at: epoch seconds, not decreasing.
        correct: outcome.
        hinted: whether a hint was taken before the answer.
        entry: position in the course's order where the learner joined.
        start_at: when the learner joined, epoch seconds.
    """

    item: IntArray
    presented_at: FloatArray
    correct: npt.NDArray[np.bool_]
    hinted: npt.NDArray[np.bool_]
    entry: int
    start_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything but the learner: the course, its items' true parameters, the population."""

    course: SimulatedCourse
    truth: ItemTruth
    population: Population


@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior:
    """Moments of the states given a history, for C concepts and B banks of items.

    Attributes:
        level_mean: (C,) mean of the level on an average day, logits.
        level_sd: (C,) its standard deviation.
        prob_mean: (B,) mean of P(unassisted right answer) averaged over the bank's items.
        logit_mean: (B,) mean of the logit of that probability.
        log_evidence: estimated log probability of the history.
        ability_mean: mean of the general ability.
    """

    level_mean: FloatArray
    level_sd: FloatArray
    prob_mean: FloatArray
    logit_mean: FloatArray
    log_evidence: float
    ability_mean: float


class _Particles:
    """Equally or unequally weighted guesses at one learner's whole hidden state."""

    def __init__(self, *, knowledge: Knowledge, world: World, rng: np.random.Generator) -> None:
        self.n = knowledge.traits.ability.size
        self.knowledge = knowledge
        self.log_weights: FloatArray = np.full(self.n, -np.log(self.n))
        self.log_evidence = 0.0
        self.world = world
        self._sitting = answering.Sitting(form=np.zeros(self.n))
        self._rng = rng

    def reveal(self, concepts: tuple[int, ...]) -> None:
        """Draw these concepts and their prerequisites, which gate growth."""
        self.knowledge.reveal(concepts, rng=self._rng)
        for concept in concepts:
            self.knowledge.reveal(self.world.course.prerequisites[concept], rng=self._rng)

    def success_prob(self, item: int, *, at: float) -> FloatArray:
        """Return every particle's P(unassisted right answer) to an item, on an average day."""
        concepts = self.world.course.items[item].concepts
        self.reveal(concepts)
        level = self.knowledge.item_level(concepts, at=at)
        return answering.success_prob(
            level=level, item=item, truth=self.world.truth, traits=self.knowledge.traits
        )

    def advance(self, *, item: int, at: float, correct: bool, hinted: bool) -> None:
        """Weigh every particle by one answer, resample if needed, and let all learn."""
        rng, traits = self._rng, self.knowledge.traits
        concepts = self.world.course.items[item].concepts
        self.reveal(concepts)
        self._sitting.begin_item(at=at, population=self.world.population, rows=self.n, rng=rng)
        level = self.knowledge.item_level(concepts, at=at) + self._sitting.offset(traits)
        hint = answering.hint_prob(level=level, item=item, truth=self.world.truth, traits=traits)
        boost = self.world.population.hint_boost if hinted else 0.0
        right = answering.success_prob(
            level=level, item=item, truth=self.world.truth, traits=traits, boost=boost
        )
        likelihood = (hint if hinted else 1.0 - hint) * (right if correct else 1.0 - right)
        self._weigh(likelihood)
        answering.learn_from_answer(
            self.knowledge, concepts=concepts, at=at, correct=correct, rng=rng
        )

    def _weigh(self, likelihood: FloatArray) -> None:
        """Multiply the weights; resample systematically below an effective size of a half."""
        joint = self.log_weights + np.log(likelihood)
        top = joint.max()
        total = top + np.log(np.sum(np.exp(joint - top)))
        self.log_evidence += float(total)
        self.log_weights = joint - total
        weights = np.exp(self.log_weights)
        if 1.0 / np.sum(weights**2) > self.n / 2:
            return
        points = (self._rng.random() + np.arange(self.n)) / self.n
        # The last cumulative sum may fall short of 1 by rounding.
        rows = np.minimum(np.searchsorted(np.cumsum(weights), points), self.n - 1)
        self.knowledge.resample(rows)
        self._sitting.form = self._sitting.form[rows]
        self.log_weights = np.full(self.n, -np.log(self.n))


def infer_states(
    history: History,
    *,
    world: World,
    concepts: Sequence[int],
    banks: Sequence[Sequence[int]],
    at: float,
    particles: int = 4_000,
    seed: int,
) -> Posterior:
    """Return the posterior of the states at `at` of the given concepts.

    Args:
        history: the answers, none later than `at`.
        world: the true course, items and population.
        concepts: which concepts to report levels of.
        banks: groups of items, one or more each, to report success on.
        at: epoch seconds.
        particles: how many; the Monte Carlo error of a mean falls with their square root.
        seed: fixes the result.
    """
    rng = np.random.default_rng(seed)
    knowledge = Knowledge(
        course=world.course,
        population=world.population,
        traits=draw_traits(world.population, rows=particles, rng=rng),
        entry=history.entry,
        start_at=history.start_at,
    )
    cloud = _Particles(knowledge=knowledge, world=world, rng=rng)
    for item, presented_at, correct, hinted in zip(
        history.item, history.presented_at, history.correct, history.hinted, strict=True
    ):
        cloud.advance(
            item=int(item), at=float(presented_at), correct=bool(correct), hinted=bool(hinted)
        )
    return _summarise(cloud, concepts=concepts, banks=banks, at=at)


def _summarise(
    cloud: _Particles, *, concepts: Sequence[int], banks: Sequence[Sequence[int]], at: float
) -> Posterior:
    """Return the weighted moments of the cloud."""
    weights = np.exp(cloud.log_weights)
    levels = np.empty((2, len(concepts)))
    for column, concept in enumerate(concepts):
        cloud.reveal((concept,))
        level = cloud.knowledge.level(concept, at=at)
        mean = weights @ level
        levels[:, column] = mean, np.sqrt(weights @ (level - mean) ** 2)
    successes = np.empty((2, len(banks)))
    for column, bank in enumerate(banks):
        prob = np.mean([cloud.success_prob(item, at=at) for item in bank], axis=0)
        successes[:, column] = weights @ prob, weights @ np.log(prob / (1.0 - prob))
    return Posterior(
        level_mean=levels[0],
        level_sd=levels[1],
        prob_mean=successes[0],
        logit_mean=successes[1],
        log_evidence=cloud.log_evidence,
        ability_mean=float(weights @ cloud.knowledge.traits.ability),
    )


def history_of(cohort: Cohort, learner: int, *, answers: int) -> History:
    """Return the first answers of a cohort's learner, without their truths."""
    rows = cohort.rows_of(learner)
    rows = slice(rows.start, min(rows.stop, rows.start + answers))
    log = cohort.responses
    return History(
        item=log.item[rows],
        presented_at=log.presented_at[rows],
        correct=log.correct[rows],
        hinted=log.hints[rows] > 0,
        entry=int(cohort.entry[learner]),
        start_at=float(cohort.start_at[learner]),
    )


def world_of(cohort: Cohort) -> World:
    """Return the true course, items and population of a cohort."""
    return World(course=cohort.course, truth=cohort.truth, population=cohort.population)
