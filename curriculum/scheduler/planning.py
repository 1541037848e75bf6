"""Planning over a horizon: what is the best next step if many more follow?

Every first step is tried; for each of what may be observed after it (an answer is right or wrong),
every second step; and from there on one of a few rules of thumb decides, in expectation, until the
horizon, and the best of these counts: parallel rollout (Chang, Givan and Chong 2004) behind one
observed step. It costs a number of simulated steps, whatever the number of states, and knows nothing
of a learner but what the model says.
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

    def index(self, states: State, *, left: int, rule: int) -> FloatArray:
        """Return [B, A] what a rule of thumb makes of each action; -inf if it cannot be taken.

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
) -> FloatArray:
    """Return [B, A] the value at the horizon of each first action, -inf where it cannot be taken.

    Args:
        model: how the learners change.
        states: B learners.
        steps: actions until the horizon, at least 1.
        second_steps: how many second actions to try, the best by `index`; None for all.
    """
    size, n_actions = model.size(states), model.n_actions
    possible = np.isfinite(model.index(states, left=steps, rule=0))
    rows, firsts = np.nonzero(possible)
    found = np.full((size, n_actions), -np.inf)
    chances, after = model.outcomes(model.take(states, rows), firsts)
    likely = np.flatnonzero(chances.ravel() > 0.0)
    after = model.take(after, likely)
    worth = model.value(after) if steps == 1 else _best_second(model, after, steps, second_steps)
    values = np.zeros(chances.size)
    values[likely] = worth
    found[rows, firsts] = (chances * values.reshape(chances.shape)).sum(axis=1)
    return found


def value_of_waiting(
    model: LearnerModel[State], states: State, *, steps: int, second_steps: int | None = None
) -> FloatArray:
    """Return [B] the value at the horizon if the first step is left out; arguments as `plan`."""
    if steps == 1:
        return model.value(states)
    return _best_second(model, states, steps, second_steps)


def _best_second(
    model: LearnerModel[State], states: State, steps: int, second_steps: int | None
) -> FloatArray:
    """Return [B] the value of the best second action in each state, greedy steps behind it."""
    index, tried = model.index(states, left=steps - 1, rule=0), model.n_actions
    ranked = np.tile(np.arange(tried), (len(index), 1))
    if second_steps is not None and second_steps < tried:
        tried = second_steps
        ranked = _best_by_any_rule(model, states, steps - 1)[:, :tried]
    rows = np.repeat(np.arange(len(index)), tried)
    actions = ranked.ravel()
    possible = np.isfinite(index[rows, actions])
    values = np.full(len(rows), -np.inf)
    values[possible] = _roll_out(
        model, model.take(states, rows[possible]), actions[possible], steps - 1
    )
    best = values.reshape(len(index), tried).max(axis=1)
    stopped = ~np.isfinite(best)
    if stopped.any():
        best[stopped] = model.value(model.take(states, np.flatnonzero(stopped)))
    return np.asarray(best)


def _best_by_any_rule(model: LearnerModel[State], states: State, left: int) -> IntArray:
    """Return [B, A] the actions, those first that some rule of thumb puts first."""
    places = [
        np.argsort(np.argsort(-model.index(states, left=left, rule=rule), kind="stable"))
        for rule in range(model.n_rules)
    ]
    return np.argsort(np.min(places, axis=0), axis=1, kind="stable")


def _roll_out(
    model: LearnerModel[State], states: State, actions: IntArray, steps: int
) -> FloatArray:
    """Return [B] the value after these actions and those of the best rule, `steps` in all."""
    states = model.advance(states, actions, left=steps)
    best = np.full(len(actions), -np.inf)
    for rule in range(model.n_rules):
        later = states
        for left in range(steps - 1, 0, -1):
            chosen = model.index(later, left=left, rule=rule).argmax(axis=1)
            later = model.advance(later, chosen, left=left)
        best = np.maximum(best, model.value(later))
    return best
