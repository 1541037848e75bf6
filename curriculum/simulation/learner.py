"""One simulated learner who can be asked item by item."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curriculum.simulation import answering
from curriculum.simulation.course import ItemTruth, SimulatedCourse
from curriculum.simulation.knowledge import Knowledge, soft_minimum
from curriculum.simulation.population import Population, Traits, draw_traits

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedResponse:
    """One answer of a simulated learner.

    Attributes:
        item: index of the item in the course.
        presented_at: epoch seconds.
        elapsed_ms: from presentation to answer.
        correct: the outcome.
        hints: hints taken before answering.
        attempt: 1 at the learner's first meeting with the item.
        session: number of the session, from 0.
        prob: the probability of a right answer that `correct` was drawn from.
        level: the level the item met that moment, daily form and fatigue included, logits.
        misconception: what a wrong answer showed, None for a right or an unforeseen one.
    """

    item: int
    presented_at: float
    elapsed_ms: int
    correct: bool
    hints: int
    attempt: int
    session: int
    prob: float
    level: float
    misconception: int | None

    @property
    def answered_at(self) -> float:
        """When the answer was given, epoch seconds."""
        return self.presented_at + self.elapsed_ms / 1_000.0


class SimulatedLearner:
    """A learner with hidden traits and states, who answers, learns and forgets.

    >>> import numpy as np
    >>> from curriculum.simulation import SimulatedCourse, SimulatedItem, draw_item_truth
    >>> course = SimulatedCourse(prerequisites=((),), items=(SimulatedItem(concepts=(0,)),))
    >>> rng = np.random.default_rng(0)
    >>> learner = SimulatedLearner.draw(
    ...     course, truth=draw_item_truth(course, seed=0), start_at=0.0, rng=rng)
    >>> learner.answer(0, at=60.0, rng=rng).attempt
    1
    """

    __slots__ = ("_attempts", "_sitting", "course", "knowledge", "misconceptions", "population",
                 "truth")  # fmt: skip

    def __init__(
        self,
        *,
        course: SimulatedCourse,
        truth: ItemTruth,
        population: Population,
        knowledge: Knowledge,
        misconceptions: frozenset[int],
    ) -> None:
        """Wrap knowledge of one row; `draw` is the usual way to get a learner."""
        self.course = course
        self.truth = truth
        self.population = population
        self.knowledge = knowledge
        self.misconceptions = misconceptions
        self._sitting = answering.Sitting(form=np.zeros(1))
        self._attempts: dict[int, int] = {}

    @classmethod
    def draw(
        cls,
        course: SimulatedCourse,
        *,
        truth: ItemTruth,
        start_at: float,
        rng: np.random.Generator,
        population: Population | None = None,
        entry: int = 0,
    ) -> "SimulatedLearner":
        """Return a new learner drawn from the population.

        Args:
            course: what there is to learn.
            truth: the items' true parameters.
            start_at: when the learner joins, epoch seconds; before any answer.
            rng: source of the draw.
            population: the generator's global parameters; the default population if None.
            entry: position in the course's order where the learner joins; what comes
                before was taught elsewhere.
        """
        population = population or Population()
        traits = draw_traits(population, rows=1, rng=rng)
        tags = sorted({tag for item in course.items for tag in item.misconceptions})
        carried = rng.random(len(tags)) < population.misconception_prob
        knowledge = Knowledge(
            course=course, population=population, traits=traits, entry=entry, start_at=start_at
        )
        knowledge.reveal(range(course.n_concepts), rng=rng)
        return cls(
            course=course,
            truth=truth,
            population=population,
            knowledge=knowledge,
            misconceptions=frozenset(tag for tag, own in zip(tags, carried, strict=True) if own),
        )

    @property
    def traits(self) -> Traits:
        """The learner's true traits, arrays of shape (1,)."""
        return self.knowledge.traits

    def answer(self, item: int, at: float, rng: np.random.Generator) -> SimulatedResponse:
        """Answer an item presented at `at`, and learn from it.

        Times must not decrease from call to call.
        """
        population, truth, traits = self.population, self.truth, self.traits
        self._sitting.begin_item(at=at, population=population, rows=1, rng=rng)
        concepts = self.course.items[item].concepts
        level = self.knowledge.item_level(concepts, at=at) + self._sitting.offset(traits)
        wants_hint = answering.hint_prob(level=level, item=item, truth=truth, traits=traits)
        hinted = bool(rng.random() < wants_hint[0])
        boost = population.hint_boost if hinted else 0.0
        prob = answering.success_prob(
            level=level, item=item, truth=truth, traits=traits, boost=boost
        )
        correct = bool(rng.random() < prob[0])
        response = SimulatedResponse(
            item=item,
            presented_at=at,
            elapsed_ms=answering.draw_elapsed_ms(
                level=float(level[0]), item=item, truth=truth, pace=float(traits.pace[0]), rng=rng
            ),
            correct=correct,
            hints=1 + int(rng.random() < 0.3) if hinted else 0,
            attempt=self._attempts.get(item, 0) + 1,
            session=self._sitting.index,
            prob=float(prob[0]),
            level=float(level[0]),
            misconception=None if correct else self._mistake(item, rng=rng),
        )
        self._attempts[item] = response.attempt
        answering.learn_from_answer(
            self.knowledge, concepts=concepts, at=at, correct=correct, rng=rng
        )
        return response

    def levels(self, *, at: float) -> FloatArray:
        """Return the true level on every concept at `at`, on an average day; shape (concepts,)."""
        return np.array(
            [self.knowledge.level(concept, at=at)[0] for concept in range(self.course.n_concepts)]
        )

    def success_probs(self, *, at: float) -> FloatArray:
        """Return the true P(unassisted right answer) to every item at `at`; shape (items,).

        On an average day: without form and fatigue.
        """
        levels = self.levels(at=at)
        met = np.array([soft_minimum(levels[list(item.concepts)]) for item in self.course.items])
        truth = self.truth
        known = 1.0 / (1.0 + np.exp(-truth.discrimination * (met - truth.difficulty)))
        probs: FloatArray = truth.guess + (1.0 - truth.guess - self.traits.slip) * known
        return probs

    def _mistake(self, item: int, *, rng: np.random.Generator) -> int | None:
        """Return the misconception behind a wrong answer to `item`."""
        return answering.draw_misconception(
            offered=self.course.items[item].misconceptions,
            carried=self.misconceptions,
            rng=rng,
        )
