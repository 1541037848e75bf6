"""A learner as the planner sees one: concepts that grow by practice, fade, and open others.

The arithmetic is the tracer's (`kt_models.streaming.psi_core`): a concept's logit is a base and a
level above it; the level fades with the days since the last practice, practice raises it by a
damped gain, and an answer moves it by what it reveals. `Situation.memory` has the numbers.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curriculum.scheduler.situation import Memory

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

# E sigmoid(x) = sigmoid(m / sqrt(1 + pi v / 8)) for x ~ N(m, v), MacKay 1992.
LOGIT_SHRINK = np.pi / 8.0
LOWER_QUANTILE = -1.6448536269514722
# Below this a level is as good as never practised, and fading need not be inverted.
LONG_AGO_DAYS = 3_650.0
# How much credit the rules of thumb give for opening other concepts: none, some, that above all.
OPENING = np.array([0.0, 1.0, 8.0])


class ConceptStates(NamedTuple):
    """B learners. All arrays [B, C].

    Attributes:
        level: logits above the base right after the last practice.
        since: days of the last practice, counted from now; negative in the past.
        var: variance of the logit that is left then.
        spread: variance of the logit seen from now: answers that are only expected leave it.
        n: answers so far.
    """

    level: FloatArray
    since: FloatArray
    var: FloatArray
    spread: FloatArray
    n: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class ConceptModel:
    """How C concepts change, in `steps` steps until a day on which they are judged.

    Attributes:
        memory: base, forgetting and damping; its arrays are [C].
        gain: [C] logits that one answer on the concept teaches now, on average.
        weights: [C] what knowing the concept on the day is worth.
        credit: [C] what it is worth besides while it is not reached, for what it opens.
        requires: [C, C] row c: concepts that must be reached before c.
        reached: [C] reached already; what is not in `requires` here counts as reached.
        evidence: answers below which a concept is never reached.
        threshold: lower bound of success from which it is.
        days: [steps] when each step is taken, counted from now.
        items: [steps] answers in each step.
        horizon_days: the day on which knowledge counts, from now.
        first: [C] concepts that the first step may be on; None for all.
    """

    memory: Memory
    gain: FloatArray
    weights: FloatArray
    credit: FloatArray
    requires: BoolArray
    reached: BoolArray
    evidence: int
    threshold: float
    days: FloatArray
    items: FloatArray
    horizon_days: float
    first: BoolArray | None = None

    @property
    def n_actions(self) -> int:
        """Return C: an action is a step of practice on one concept."""
        return len(self.gain)

    def begin(self, *, since: FloatArray) -> ConceptStates:
        """Return the one learner as it is now.

        Args:
            since: [C] days of the last practice, not positive; -inf for never.
        """
        met = np.maximum(since, -LONG_AGO_DAYS)
        level = self.memory.level / self._kept(-met)
        memory = self.memory
        columns = (level, met, memory.var, memory.var, memory.practised)
        return ConceptStates(*(np.asarray(column, dtype=np.float64)[None, :] for column in columns))

    def size(self, states: ConceptStates) -> int:
        """Return B."""
        return len(states.level)

    def take(self, states: ConceptStates, rows: IntArray) -> ConceptStates:
        """Return these rows."""
        return ConceptStates(*(column[rows] for column in states))

    def join(self, some: ConceptStates, others: ConceptStates) -> ConceptStates:
        """Return both batches as one."""
        return ConceptStates(*map(np.concatenate, zip(some, others, strict=True)))

    def outcomes(
        self, states: ConceptStates, actions: IntArray
    ) -> tuple[FloatArray, ConceptStates]:
        """Return the chances of a right and a wrong answer, and the states after each."""
        left = len(self.days)
        rows = np.arange(len(actions))
        logit, var = self._logit_at(states, rows, actions, left), states.var[rows, actions]
        shrink = 1.0 / np.sqrt(1.0 + LOGIT_SHRINK * var)
        prob = _sigmoid(shrink * logit)
        after = self.advance(states, actions, left=left)
        after.spread[rows, actions] -= var - after.var[rows, actions]
        twice = self.take(after, np.repeat(rows, 2))
        # What an answer reveals: slope of its log likelihood times the variance.
        shift = np.stack([1.0 - prob, -prob], axis=1) * (shrink * var)[:, None]
        twice.level[np.arange(2 * len(rows)), np.repeat(actions, 2)] += shift.ravel()
        return np.stack([prob, 1.0 - prob], axis=1), twice

    def advance(self, states: ConceptStates, actions: IntArray, *, left: int) -> ConceptStates:
        """Return the states after one step of practice each, in expectation."""
        step, rows = len(self.days) - left, np.arange(len(actions))
        after = ConceptStates(*(column.copy() for column in states))
        items, day = self.items[step], self.days[step]
        logit, var = self._logit_at(states, rows, actions, left), states.var[rows, actions]
        after.level[rows, actions] = (
            logit
            - self.memory.base[actions]
            + self._taught(states.n[rows, actions], actions, items)
        )
        after.since[rows, actions] = day
        after.n[rows, actions] += items
        shrink = 1.0 / (1.0 + LOGIT_SHRINK * var)
        prob = _sigmoid(np.sqrt(shrink) * logit)
        # Each answer narrows the variance by v^2 times the curvature; so do several, summed up.
        after.var[rows, actions] = var / (1.0 + items * var * shrink * prob * (1.0 - prob))
        return after

    @property
    def n_rules(self) -> int:
        """Return how many rules of thumb there are."""
        return len(OPENING)

    def outlook(
        self, states: ConceptStates, *, left: int
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return what practising each concept now adds to success on the day, all [B, C].

        Returns:
            The rise, the success without it, and the levels now.
        """
        step = len(self.days) - left
        day, items = self.days[step], self.items[step]
        idle = self._level_at(states, self.horizon_days)
        now = self._level_at(states, day)
        kept = self._kept(self.horizon_days - day)
        practised = (now + self._taught(states.n, slice(None), items)) * kept
        shrink = 1.0 / np.sqrt(1.0 + LOGIT_SHRINK * states.spread)
        base = self.memory.base
        alone = _sigmoid(shrink * (base + idle))
        return _sigmoid(shrink * (base + practised)) - alone, alone, now

    def index(self, states: ConceptStates, *, left: int, rule: IntArray) -> FloatArray:
        """Return what practising each concept adds on the day, with credit for what it opens."""
        rise, _, now = self.outlook(states, left=left)
        is_reached = self._is_reached(states, now)
        # What is opened needs steps to be learnt in: with the last one there are none.
        credit = OPENING[rule][:, None] * self.credit * (1.0 - 1.0 / left)
        worth = rise * (self.weights + np.where(is_reached, 0.0, credit))
        locked = np.zeros_like(is_reached)
        if self.requires.any():
            locked = (~is_reached).astype(np.float64) @ self.requires.T.astype(np.float64) > 0.0
        if self.first is not None and left == len(self.days):
            locked |= ~self.first
        return np.where(locked, -np.inf, worth)

    def value(self, states: ConceptStates) -> FloatArray:
        """Return the weighted success on the day."""
        return np.asarray(self.success(states) @ self.weights)

    def success(self, states: ConceptStates) -> FloatArray:
        """Return [B, C] success on each concept on the day if nothing more is done."""
        level = self._level_at(states, self.horizon_days)
        shrink = 1.0 / np.sqrt(1.0 + LOGIT_SHRINK * states.spread)
        return _sigmoid(shrink * (self.memory.base + level))

    def _is_reached(self, states: ConceptStates, now: FloatArray) -> BoolArray:
        """Test [B, C] for concepts others may build on; what was reached stays so."""
        lower = self.memory.base + now + LOWER_QUANTILE * np.sqrt(states.var)
        needed = np.log(self.threshold / (1.0 - self.threshold))
        return np.asarray(self.reached | ((lower >= needed) & (states.n >= self.evidence)))

    def _logit_at(
        self, states: ConceptStates, rows: IntArray, actions: IntArray, left: int
    ) -> FloatArray:
        """Return [B] the logit of the concept practised, when it is."""
        day = self.days[len(self.days) - left]
        kept = self._kept(day - states.since[rows, actions])
        return np.asarray(self.memory.base[actions] + states.level[rows, actions] * kept)

    def _level_at(self, states: ConceptStates, day: float) -> FloatArray:
        return np.asarray(states.level * self._kept(day - states.since))

    def _kept(self, days: FloatArray | float) -> FloatArray:
        """Return the share of a level that is left after so many days."""
        ratio = 1.0 + np.asarray(days) / self.memory.tau_days
        return np.asarray(ratio**-self.memory.power)

    def _taught(self, n: FloatArray, actions: IntArray | slice, items: float) -> FloatArray:
        """Return what `items` answers teach after n.

        The damped gains, (1 + n + i)^-rho times the present one, summed up by the midpoint rule:
        within 4 % for the very first answer, closer for all others.
        """
        start = 1.0 + self.memory.practised[actions]
        gain, rho = self.gain[actions], self.memory.gain_rho
        begin, end = (0.5 + n) / start, (0.5 + n + items) / start
        if abs(rho - 1.0) < 1e-9:
            return np.asarray(gain * start * np.log(end / begin))
        power = 1.0 - rho
        return np.asarray(gain * start * (end**power - begin**power) / power)


def _sigmoid(x: FloatArray) -> FloatArray:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)))
