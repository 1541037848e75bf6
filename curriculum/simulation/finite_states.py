"""Learners with a handful of states, whose best policy dynamic programming gives exactly.

The state of such a learner is the set of skills it has, as in knowledge space theory (Doignon and
Falmagne 1985); an action practises one skill and changes the state by known chances. The exact
optimum is the yardstick of a planner (`curriculum.scheduler.planning`), which sees the learner
through `FiniteStateModel` and never through `solve`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curriculum.errors import CurriculumError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Chooser = Callable[[int], FloatArray]


class NoFiniteLearner(CurriculumError):
    """The arrays are no learner: rows that are no distribution, or shapes that do not fit."""


@dataclass(frozen=True, slots=True, eq=False)
class FiniteStateLearner:
    """A learner with S states and A actions.

    Attributes:
        transitions: [A, S, S] chance of the new state given action and state.
        values: [S] what a state is worth.
        start: [S] chance of beginning in it.
        horizon: how many actions there are.
    """

    transitions: FloatArray
    values: FloatArray
    start: FloatArray
    horizon: int

    def __post_init__(self) -> None:
        """Refuse what is no distribution.

        Raises:
            NoFiniteLearner: shapes or sums are wrong.
        """
        size = len(self.values)
        if self.transitions.shape[1:] != (size, size) or self.start.shape != (size,):
            raise NoFiniteLearner(f"The arrays do not fit to {size} states.")
        for rows in (self.transitions, self.start):
            if rows.min() < 0.0 or np.abs(rows.sum(axis=-1) - 1.0).max() > 1e-9:
                raise NoFiniteLearner("A row of chances is negative or does not sum to 1.")

    @property
    def n_actions(self) -> int:
        """Return A."""
        return len(self.transitions)

    def gain_of(self, chooser: Chooser) -> float:
        """Return the expected gain of a policy, exactly.

        Args:
            chooser: given the actions left, [S, A] the chance of each action in each state.
        """
        values = self.values
        for left in range(1, self.horizon + 1):
            values = np.einsum("sa,ast,t->s", chooser(left), self.transitions, values)
        return float(self.start @ (values - self.values))

    def times_taken(self, chooser: Chooser) -> FloatArray:
        """Return [A] how often a policy takes each action, on average over the horizon."""
        beliefs, taken = self.start, np.zeros(self.n_actions)
        for left in range(self.horizon, 0, -1):
            flow = beliefs[:, None] * chooser(left)
            taken += flow.sum(axis=0)
            beliefs = np.einsum("sa,ast->t", flow, self.transitions)
        return taken

    def solve(self) -> float:
        """Return the largest expected gain that any policy can have, by dynamic programming."""
        values = self.values
        for _ in range(self.horizon):
            values = (self.transitions @ values).max(axis=0)
        return float(self.start @ (values - self.values))

    def choose_at_random(self, _: int) -> FloatArray:
        """Return equal chances of all actions."""
        return np.full((len(self.values), self.n_actions), 1.0 / self.n_actions)

    def choose_greedily(self, _: int) -> FloatArray:
        """Return the action with the largest expected value of the next state, or the first."""
        worth = self.transitions @ self.values
        return np.asarray(np.eye(self.n_actions)[worth.argmax(axis=0)])


def certain(worth: FloatArray) -> FloatArray:
    """Return [S, A] chances that give all to the best action, equally to equal ones."""
    best = worth >= worth.max(axis=1, keepdims=True) - 1e-12
    return np.asarray(best / best.sum(axis=1, keepdims=True))


@dataclass(frozen=True, slots=True, eq=False)
class FiniteStateModel:
    """A finite-state learner as a planner sees it: B beliefs [B, S] over its states."""

    learner: FiniteStateLearner

    @property
    def n_actions(self) -> int:
        """Return A."""
        return self.learner.n_actions

    def size(self, states: FloatArray) -> int:
        """Return B."""
        return len(states)

    def take(self, states: FloatArray, rows: IntArray) -> FloatArray:
        """Return these rows."""
        return np.asarray(states[rows])

    def join(self, some: FloatArray, others: FloatArray) -> FloatArray:
        """Return both batches as one."""
        return np.concatenate([some, others])

    def outcomes(self, states: FloatArray, actions: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return the chance of each state, which is then known."""
        size = len(self.learner.values)
        return self.advance(states, actions, left=1), np.tile(np.eye(size), (len(states), 1))

    def advance(self, states: FloatArray, actions: IntArray, *, left: int) -> FloatArray:  # noqa: ARG002
        """Return the beliefs after one action each."""
        return np.asarray(np.einsum("bs,bst->bt", states, self.learner.transitions[actions]))

    @property
    def n_rules(self) -> int:
        """Return 1: the greedy rule."""
        return 1

    def index(self, states: FloatArray, *, left: int, rule: IntArray) -> FloatArray:  # noqa: ARG002
        """Return the expected value after each action."""
        return np.asarray(states @ (self.learner.transitions @ self.learner.values).T)

    def value(self, states: FloatArray) -> FloatArray:
        """Return the expected value."""
        return np.asarray(states @ self.learner.values)


def draw_learner(rng: np.random.Generator, *, most_states: int = 30) -> FiniteStateLearner:
    """Return a random learner: skills under random prerequisites, up to 7 of them, and noise.

    A skill is worth something between nothing and 3; practising it succeeds with a chance that
    other skills raise or lower; half of the skills can be forgotten again, while others that need
    them are not known. One action, the last, is noise: it teaches nothing.
    """
    n_skills, requires, known = _draw_space(rng, most_states)
    chance, helped = rng.uniform(0.2, 0.9, n_skills), rng.uniform(-0.15, 0.15, (n_skills, n_skills))
    forgotten = rng.uniform(0.0, 0.06, n_skills) * (rng.random(n_skills) < 0.5)
    worth = rng.choice([0.0, 0.5, 1.0, 2.0, 3.0], n_skills)
    worth[-1] = max(worth[-1], 1.0)
    place = {tuple(state): row for row, state in enumerate(known.tolist())}
    transitions = np.zeros((n_skills + 1, len(known), len(known)))
    for action in range(n_skills + 1):
        for row, state in enumerate(known):
            gained = 0.0
            if action < n_skills and not state[action] and state[requires[action]].all():
                gained = float(np.clip(chance[action] + helped[action] @ state, 0.1, 0.95))
            for odds, reached in ((1.0 - gained, state), (gained, _with(state, action))):
                if odds > 0.0:
                    for share, after in _fade(reached, action, forgotten, place):
                        transitions[action, row, after] += odds * share
    return FiniteStateLearner(
        transitions=transitions,
        values=known @ worth,
        start=np.eye(len(known))[place[(False,) * n_skills]],
        horizon=int(rng.integers(4, 13)),
    )


def _draw_space(
    rng: np.random.Generator, most_states: int
) -> tuple[int, NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the number of skills, [n, n] their prerequisites, and [S, n] the possible states."""
    while True:
        n_skills = int(rng.integers(3, 7))
        requires = np.tril(rng.random((n_skills, n_skills)) < 0.45, -1)
        bits = (np.arange(2**n_skills)[:, None] >> np.arange(n_skills)) & 1
        states = bits.astype(np.bool_)
        closed = [(~state[:, None] | ~requires | state[None, :]).all() for state in states]
        known = states[np.array(closed)]
        if 4 <= len(known) <= most_states:
            return n_skills, requires, known


def _with(state: NDArray[np.bool_], skill: int) -> NDArray[np.bool_]:
    reached = state.copy()
    if skill < len(state):
        reached[skill] = True
    return reached


def _fade(
    state: NDArray[np.bool_], action: int, forgotten: FloatArray, place: dict[tuple[bool, ...], int]
) -> list[tuple[float, int]]:
    """Return the chances of the states after one skill at most is forgotten."""
    fates, left = [], 1.0
    for skill in np.flatnonzero(state):
        without = state.copy()
        without[skill] = False
        row = place.get(tuple(without.tolist()))
        if skill != action and row is not None and forgotten[skill] > 0.0:
            fates.append((float(forgotten[skill]), row))
            left -= float(forgotten[skill])
    return [*fates, (left, place[tuple(state.tolist())])]
