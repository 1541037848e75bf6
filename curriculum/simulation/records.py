"""What a simulated cohort leaves behind: a response log, and the truth it came from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from curriculum.simulation.course import ItemTruth, SimulatedCourse
from curriculum.simulation.learner import SimulatedResponse
from curriculum.simulation.population import Population, Traits

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Responses:
    """The log of a cohort, ordered by (learner, presented_at); arrays of shape (responses,).

    Attributes:
        learner: index of the learner, from 0.
        item: index of the item in the course.
        presented_at: epoch seconds.
        answered_at: epoch seconds; per learner strictly increasing.
        elapsed_ms: from presentation to answer.
        correct: the outcome.
        hints: hints taken before the answer.
        attempt: 1 at the learner's first meeting with the item.
        session: number of the learner's session, from 0.
        prob: the probability that `correct` was drawn from; a truth, not an observation.
        level: the level (logits) the item met, form and fatigue included; a truth.
        misconception: the tag a wrong answer showed, -1 for none.
    """

    learner: IntArray
    item: IntArray
    presented_at: FloatArray
    answered_at: FloatArray
    elapsed_ms: IntArray
    correct: BoolArray
    hints: IntArray
    attempt: IntArray
    session: IntArray
    prob: FloatArray
    level: FloatArray
    misconception: IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """A simulated log with the truth behind it. L learners, S snapshots, K concepts, I items.

    Attributes:
        course: what was taught.
        truth: the items' true parameters.
        population: the global parameters everything was drawn from.
        responses: the log.
        entry: (L,) position in `course.order` where each learner joined.
        start_at: (L,) when each learner joined, epoch seconds.
        traits: true traits, arrays of shape (L,).
        snapshot_after: (S,) the numbers of answers at which states were recorded; a learner
            with fewer answers is recorded at the last.
        snapshot_at: (L, S) when that was, epoch seconds.
        levels: (L, S, K) true level per concept at the snapshot, on an average day, logits.
        final_levels: (L, K) true level at the end of the calendar.
        reference_items: (K,) the item of median true difficulty of each concept, -1 if none.
        reference_probs: (L, S, K) true P(unassisted right answer) to the reference item, NaN
            where a concept has no item.
        bank_probs: (L, S, K) the same averaged over all items whose main concept it is.
        misconceptions: per learner, the tags carried.
    """

    course: SimulatedCourse
    truth: ItemTruth
    population: Population
    responses: Responses
    entry: IntArray
    start_at: FloatArray
    traits: Traits
    snapshot_after: tuple[int, ...]
    snapshot_at: FloatArray
    levels: FloatArray
    final_levels: FloatArray
    reference_items: IntArray
    reference_probs: FloatArray
    bank_probs: FloatArray
    misconceptions: tuple[frozenset[int], ...]

    def rows_of(self, learner: int) -> slice:
        """Return where a learner's responses lie, in order."""
        first, last = np.searchsorted(self.responses.learner, [learner, learner + 1])
        return slice(int(first), int(last))


def collect_responses(lives: Sequence[Sequence[SimulatedResponse]]) -> Responses:
    """Return the answers of several learners, learner by learner, as columns."""
    rows = [(learner, one) for learner, life in enumerate(lives) for one in life]

    def column(name: str, dtype: type) -> npt.NDArray[Any]:
        return np.array([getattr(one, name) for _, one in rows], dtype=dtype)

    misconceptions = [-1 if one.misconception is None else one.misconception for _, one in rows]
    return Responses(
        learner=np.array([learner for learner, _ in rows], dtype=np.int64),
        item=column("item", np.int64),
        presented_at=column("presented_at", np.float64),
        answered_at=column("answered_at", np.float64),
        elapsed_ms=column("elapsed_ms", np.int64),
        correct=column("correct", np.bool_),
        hints=column("hints", np.int64),
        attempt=column("attempt", np.int64),
        session=column("session", np.int64),
        prob=column("prob", np.float64),
        level=column("level", np.float64),
        misconception=np.array(misconceptions, dtype=np.int64),
    )
