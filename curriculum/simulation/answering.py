"""How a level becomes an answer: hints, guessing, slips, time, and which mistake is made.

With level x, item difficulty b, discrimination a, guess c and the learner's slip s:

    known    = sigmoid(a (x - b))
    P(hint)  = hint propensity * (1 - known)
    P(right) = c + (1 - c - s) * known,   x raised by the boost if a hint was taken
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curriculum.simulation.course import ItemTruth
from curriculum.simulation.knowledge import Knowledge
from curriculum.simulation.population import Population, Traits

FloatArray = npt.NDArray[np.float64]

SESSION_GAP_S = 1_800.0
SLOWEST_ANSWER_S = 600.0


def success_prob(
    *, level: FloatArray, item: int, truth: ItemTruth, traits: Traits, boost: float = 0.0
) -> FloatArray:
    """Return P(right answer) of every row on an item met at `level` (+ `boost`)."""
    known = known_prob(level=level + boost, item=item, truth=truth)
    guess = truth.guess[item]
    prob: FloatArray = guess + (1.0 - guess - traits.slip) * known
    return prob


def known_prob(*, level: FloatArray, item: int, truth: ItemTruth) -> FloatArray:
    """Return P(the item is known) before guessing and slips."""
    known: FloatArray = 1.0 / (
        1.0 + np.exp(-truth.discrimination[item] * (level - truth.difficulty[item]))
    )
    return known


def hint_prob(*, level: FloatArray, item: int, truth: ItemTruth, traits: Traits) -> FloatArray:
    """Return P(at least one hint is taken before answering)."""
    prob: FloatArray = traits.hint * (1.0 - known_prob(level=level, item=item, truth=truth))
    return prob


@dataclass(slots=True)
class Sitting:
    """The current session of one learner: its daily form, and how many answers it has seen.

    Attributes:
        form: offset of the level today, one per row, logits.
        n: answers given in this session.
        last_at: when the last item was presented, epoch seconds; None before the first.
        index: number of the session, from 0.
    """

    form: FloatArray
    n: int = 0
    last_at: float | None = None
    index: int = -1

    def begin_item(
        self, *, at: float, population: Population, rows: int, rng: np.random.Generator
    ) -> None:
        """Open a new session (with a new form) if the pause was long, and count the item."""
        if self.last_at is None or at - self.last_at > SESSION_GAP_S:
            self.form = population.form_sd * rng.standard_normal(rows)
            self.n = 0
            self.index += 1
        self.n += 1
        self.last_at = at

    def offset(self, traits: Traits) -> FloatArray:
        """Return what today's form and the fatigue so far add to every row's level."""
        return self.form - traits.fatigue * (self.n - 1) / 10.0


def learn_from_answer(
    knowledge: Knowledge,
    *,
    concepts: Sequence[int],
    at: float,
    correct: bool,
    rng: np.random.Generator,
) -> None:
    """Let every row learn from an answered item: its main concept fully, the others by half."""
    for position, concept in enumerate(concepts):
        weight = 1.0 if position == 0 else 0.5
        knowledge.practise(concept, at=at, correct=correct, weight=weight, rng=rng)


def draw_elapsed_ms(
    *, level: float, item: int, truth: ItemTruth, pace: float, rng: np.random.Generator
) -> int:
    """Return an answering time: log-normal, longer for items above the learner's level."""
    behind = float(np.clip(truth.difficulty[item] - level, -3.0, 3.0))
    log_s = truth.log_seconds[item] + pace + 0.15 * behind + 0.35 * rng.standard_normal()
    return int(1_000 * min(max(float(np.exp(log_s)), 2.0), SLOWEST_ANSWER_S))


def draw_misconception(
    *, offered: Sequence[int], carried: frozenset[int], rng: np.random.Generator
) -> int | None:
    """Return the misconception a wrong answer shows, or None for an unforeseen mistake.

    A misconception that the learner carries usually wins; otherwise wrong answers spread
    evenly over what the item offers and over mistakes nobody anticipated.
    """
    if not offered:
        return None
    own = [tag for tag in offered if tag in carried]
    if own and rng.random() < 0.75:
        return own[int(rng.integers(len(own)))]
    pick = int(rng.integers(len(offered) + 1))
    return offered[pick] if pick < len(offered) else None
