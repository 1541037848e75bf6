"""Planning over a horizon: what is the best next step if many more follow?

Every first step is tried; for each of what may be observed after it (an answer is right or wrong),
every second step; and from there on one of a few rules of thumb decides, in expectation, until the
horizon, and the best of these counts: parallel rollout (Chang, Givan and Chong 2004) behind one
observed step. It costs a number of simulated steps, whatever the number of states, and knows
nothing of a learner but what the model says.
"""

from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
State = TypeVar("State")


class LearnerModel(Protocol[State]):
    """How learners change by A actions. A `State` is a batch of B beliefs, one for each learner."""

    @property
    def n_actions(self) -> int:
        """Return A."""
        ...

    def size(self, states: State) -> int:
        """Return B."""
        ...

    def take(self, states: State, rows: IntArray) -> State:
        """Return the batch of these rows, which may repeat."""
        ...

    def join(self, some: State, others: State) -> State:
        """Return both batches as one."""
        ...

    def outcomes(self, states: State, actions: IntArray) -> tuple[FloatArray, State]:
        """Return what may be observed after one action each: O outcomes of every learner.

        Returns:
            The chances [B, O], rows summing to 1, and B * O states, those of a learner together.
        """
        ...

    def advance(self, states: State, actions: IntArray, *, left: int) -> State:
        """Return the states after one action each, in expectation, with `left` steps to go."""
        ...

    @property
    def n_rules(self) -> int:
        """Return how many rules of thumb there are, at least 1."""
        ...

    def index(self, states: State, *, left: int, rule: IntArray) -> FloatArray:
        """Return [B, A] what a rule of thumb [B] makes of each action; -inf if it cannot be taken.

        Which actions can be taken is the same for all rules.
        """
        ...

    def value(self, states: State) -> FloatArray:
        """Return [B] what is known at the horizon if nothing more is done."""
        ...


def plan(
    model: LearnerModel[State],
    states: State,
    *,
    steps: int,
    second_steps: int | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Return what the best plan that begins with each action is worth.

    Args:
        model: how the learners change.
        states: B learners.
        steps: actions until the horizon, at least 1.
        second_steps: how many second actions to try, those that the rules of thumb put first; None
            for all.

    Returns:
        The values at the horizon [B, A], -inf where an action cannot be taken, and [B] the value
        if the first step is left out.
    """
    size, n_actions = model.size(states), model.n_actions
    possible = np.isfinite(model.index(states, left=steps, rule=_first_rule(size)))
    rows, firsts = np.nonzero(possible)
    chances, after = model.outcomes(model.take(states, rows), firsts)
    likely = np.flatnonzero(chances.ravel() > 0.0)
    both = model.join(model.take(after, likely), states)
    worth = model.value(both) if steps == 1 else _best_second(model, both, steps, second_steps)
    values = np.zeros(chances.size)
    values[likely] = worth[: len(likely)]
    found = np.full((size, n_actions), -np.inf)
    found[rows, firsts] = (chances * values.reshape(chances.shape)).sum(axis=1)
    return found, worth[len(likely) :]


def _first_rule(size: int) -> IntArray:
    return np.zeros(size, dtype=np.int64)


def _best_second(
    model: LearnerModel[State], states: State, steps: int, second_steps: int | None
) -> FloatArray:
    """Return [B] the value of the best second action in each state, the best rule behind it."""
    size, tried = model.size(states), model.n_actions
    index = model.index(states, left=steps - 1, rule=_first_rule(size))
    ranked = np.tile(np.arange(tried), (size, 1))
    if second_steps is not None and second_steps < tried:
        tried = second_steps
        ranked = _best_by_any_rule(model, states, steps - 1)[:, :tried]
    rows = np.repeat(np.arange(size), tried)
    actions = ranked.ravel()
    possible = np.isfinite(index[rows, actions])
    values = np.full(len(rows), -np.inf)
    values[possible] = _roll_out(
        model, model.take(states, rows[possible]), actions[possible], steps - 1
    )
    best = values.reshape(size, tried).max(axis=1)
    stopped = ~np.isfinite(best)
    if stopped.any():
        best[stopped] = model.value(model.take(states, np.flatnonzero(stopped)))
    return np.asarray(best)


def _best_by_any_rule(model: LearnerModel[State], states: State, left: int) -> IntArray:
    """Return [B, A] the actions, those first that some rule of thumb puts first."""
    size = model.size(states)
    rule = np.repeat(np.arange(model.n_rules), size)
    index = model.index(
        model.take(states, np.tile(np.arange(size), model.n_rules)), left=left, rule=rule
    )
    places = np.argsort(np.argsort(-index, kind="stable"), kind="stable")
    best = places.reshape(model.n_rules, size, -1).min(axis=0)
    return np.argsort(best, axis=1, kind="stable")


def _roll_out(
    model: LearnerModel[State], states: State, actions: IntArray, steps: int
) -> FloatArray:
    """Return [B] the value after these actions and those of the best rule, `steps` in all."""
    states, size = model.advance(states, actions, left=steps), len(actions)
    if steps > 1 and model.n_rules > 1:
        states = model.take(states, np.tile(np.arange(size), model.n_rules))
    rule = np.repeat(np.arange(model.size(states) // size), size)
    for left in range(steps - 1, 0, -1):
        chosen = model.index(states, left=left, rule=rule).argmax(axis=1)
        states = model.advance(states, chosen, left=left)
    return np.asarray(model.value(states).reshape(-1, size).max(axis=0))
