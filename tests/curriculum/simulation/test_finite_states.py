"""The exact tasks: how close planning comes to the best policy there is."""

import functools
import itertools
import json

import numpy as np
import pytest

from curriculum.scheduler.planning import plan
from curriculum.simulation.finite_states import (
    FiniteStateLearner,
    FiniteStateModel,
    NoFiniteLearner,
    certain,
    draw_learner,
)
from tests.servers.process import ROOT


def published(name, *, horizon):
    """A learner of EduSim's TMS."""
    table = json.loads((ROOT / "tests" / "data" / "tms" / f"{name}.json").read_text())
    states = np.array(table["states"])
    transitions = np.zeros((len(table["transitions"]), len(states), len(states)))
    for action, cells in enumerate(table["transitions"]):
        for state, after, chance in cells:
            transitions[action, state, after] = chance
    start = np.isin(np.arange(len(states)), table["initial"]) / len(table["initial"])
    return FiniteStateLearner(transitions, states.sum(axis=1).astype(float), start, horizon)


def planned(learner):
    """The policy that plans anew before every action."""
    model, states = FiniteStateModel(learner), np.eye(len(learner.values))
    return functools.cache(lambda left: certain(plan(model, states, steps=left)[0]))


class TestPublishedLearners:
    # Numbers: the team's notes, by its own dynamic programme over EduSim's tables.
    @pytest.mark.parametrize(
        ("name", "horizon", "random", "greedy", "optimum"),
        [("binary", 2, 0.596, 1.085, 1.085), ("tree", 6, 2.098, 4.532, 4.652)],
    )
    def test_give_the_published_numbers(self, name, horizon, random, greedy, optimum):
        learner = published(name, horizon=horizon)
        assert learner.gain_of(learner.choose_at_random) == pytest.approx(random, abs=5e-4)
        assert learner.gain_of(learner.choose_greedily) == pytest.approx(greedy, abs=5e-4)
        assert learner.solve() == pytest.approx(optimum, abs=5e-4)

    def test_planning_is_between_greedy_and_the_optimum(self):
        binary, tree = published("binary", horizon=2), published("tree", horizon=6)
        assert binary.gain_of(planned(binary)) == pytest.approx(1.085, abs=5e-4)
        assert 4.64 < tree.gain_of(planned(tree)) <= tree.solve() + 1e-12


class TestDrawnLearners:
    def test_planning_comes_close_to_the_optimum_where_greed_does_not(self):
        rng = np.random.default_rng(7)
        learners = [draw_learner(rng) for _ in range(100)]
        found = []
        for learner in learners:
            policy = planned(learner)
            gains = [
                learner.gain_of(one)
                for one in (learner.choose_at_random, learner.choose_greedily, policy)
            ]
            noise = learner.times_taken(policy)[-1] / learner.horizon
            found.append([*gains, learner.solve(), noise * learner.n_actions])
        random, greedy, ours, optimum, noise = np.array(found).T
        assert max(len(learner.values) for learner in learners) > 20
        assert (ours <= optimum + 1e-9).all()
        way = (ours - random) / (optimum - random)
        greedy_way = (greedy - random) / (optimum - random)
        assert way.mean() >= 0.98
        assert greedy_way.mean() < 0.9
        # The last action teaches nothing: never more than its share under a uniform policy.
        assert noise.max() <= 1.0

    def test_the_optimum_is_that_of_all_policies_tried_one_by_one(self):
        rng = np.random.default_rng(3)
        rows = rng.random((2, 2, 2))
        learner = FiniteStateLearner(
            rows / rows.sum(axis=2, keepdims=True), np.array([0.0, 1.0]), np.array([0.6, 0.4]), 3
        )
        best = -np.inf
        for actions in itertools.product(range(2), repeat=6):
            table = np.array(actions).reshape(3, 2)
            best = max(best, learner.gain_of(lambda left, t=table: np.eye(2)[t[left - 1]]))
        assert learner.solve() == pytest.approx(best)

    def test_nothing_is_gained_where_nothing_can_be_learnt(self):
        drawn = draw_learner(np.random.default_rng(1))
        still = np.tile(np.eye(len(drawn.values)), (drawn.n_actions, 1, 1))
        learner = FiniteStateLearner(still, drawn.values, drawn.start, drawn.horizon)
        assert learner.gain_of(planned(learner)) == learner.solve() == 0.0

    def test_a_row_that_is_no_distribution_is_refused(self):
        with pytest.raises(NoFiniteLearner, match="sum to 1"):
            FiniteStateLearner(np.full((1, 2, 2), 0.4), np.zeros(2), np.array([1.0, 0.0]), 1)
