"""The trait filter and its graph against brute force, and on learners whose truth is known."""

import dataclasses

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from kt_models.data.vocabulary import Vocabulary
from kt_models.evaluation import metrics
from kt_models.models import psi_trait_filter as filtering
from kt_models.models.base import Fitting
from kt_models.models.psi_filter_graph import PsiFilterGraph
from kt_models.models.psi_filter_network import GraphFilterConfig
from kt_models.models.psi_graph import permuted
from kt_models.models.psi_trait_filter import Scalars
from kt_models.models.psi_traits import filtered_traits
from kt_models.training.resuming import RESUME, CannotResume
from kt_models.training.training_config import TrainingConfig
from tests.benchmarks.psi_kt_recovery import true_filter
from tests.kt_models.factories import random_log
from tests.kt_models.models.psi_learners import exact_posterior_means, simulate

TRAINING = TrainingConfig(
    epochs=2, learning_rate=3e-2, weight_decay=0.0, longest=40, positions=4096
)


def scalars(*, alphas=(0.3,), omegas=(0.9,), level_var=0.5, transfer=(0.0, 0.0)):
    nodes = [(a, o) for a in alphas for o in omegas]
    alpha, omega = (torch.tensor(x, dtype=torch.float64) for x in zip(*nodes, strict=True))
    tensor = torch.tensor
    return Scalars(
        alpha=alpha,
        omega=omega,
        log_weight=torch.log(torch.ones_like(alpha) / len(alpha)),
        level=tensor([0.2, transfer[0]], dtype=torch.float64),
        level_cov=tensor([level_var, 0.0, transfer[1]], dtype=torch.float64),
        level_drift=torch.zeros(2, dtype=torch.float64),
        concept_drift=tensor(0.0, dtype=torch.float64),
        gain=torch.zeros(2, dtype=torch.float64),
        tau=tensor(1.0, dtype=torch.float64),
        memory=1.0,
    )


def run(given, concepts, days, correct, *, count, carried=None):
    """Return the expected logits of one learner's answers, and the state after them."""
    state, logits = filtering.start(given, count=1, concepts=count), []
    for k, gap, y in zip(concepts, days, correct, strict=True):
        place = torch.tensor([[k]])
        asked = filtering.ask(
            state,
            given,
            concepts=place,
            days=torch.tensor([gap], dtype=torch.float64),
            offset=torch.zeros(1, dtype=torch.float64),
            carried=carried,
        )
        logits.append(float(filtering.expected_logit(state, asked)))
        state = filtering.absorb(
            state,
            given,
            asked,
            concepts=place,
            correct=torch.tensor([y], dtype=torch.float64),
            measures=torch.ones(1),
            came=torch.ones(1),
            days=torch.tensor([gap], dtype=torch.float64),
        )
    return np.array(logits), state


class TestOneConcept:
    """With the level known, one concept is a scalar that a fine grid follows exactly."""

    def test_follows_the_exact_posterior(self):
        rng = np.random.default_rng(0)
        answers, sure = 40, []
        for _ in range(8):
            gaps = rng.exponential(1.0, answers)
            correct = (rng.random(answers) < 0.6).astype(float)

            logits, state = run(scalars(level_var=1e-12), [1] * answers, gaps, correct, count=1)
            probs, mean = exact_filter(gaps, correct, alpha=0.3, omega=0.9, mu=0.2)

            sure.append((np.abs(1 / (1 + np.exp(-logits)) - probs).max(), abs(held(state) - mean)))
        worst_prob, worst_mean = np.max(sure, axis=0)
        assert worst_prob <= 0.012
        assert worst_mean <= 0.06

    def test_an_unknown_level_is_learnt_with_the_concepts(self):
        """Two concepts share a level: brute force over (mu, z1, z2) by importance sampling."""
        rng = np.random.default_rng(1)
        draws = 400_000
        mu = rng.normal(0.2, 0.5**0.5, draws)
        z = mu[:, None] + rng.normal(0.0, 0.9, (draws, 2))
        weight = np.ones(draws)
        # Without time between answers nothing moves: ten answers on concept 1, two on concept 2.
        for k, y in [(0, 1)] * 8 + [(0, 0)] * 2 + [(1, 0), (1, 1)]:
            right = 1.0 / (1.0 + np.exp(-z[:, k]))
            weight *= right if y else 1.0 - right
        weight /= weight.sum()
        concepts, correct = [1] * 10 + [2] * 2, [1.0] * 8 + [0.0] * 2 + [0.0, 1.0]

        _, state = run(scalars(), concepts, [0.0] * 12, correct, count=2)

        assert float(state["level"][0, 0, 0]) == pytest.approx(weight @ mu, abs=0.02)
        var = weight @ mu**2 - (weight @ mu) ** 2
        assert float(state["level_cov"][0, 0, 0]) == pytest.approx(var, rel=0.06)
        for k in (0, 1):
            assert held(state, k + 1) == pytest.approx(weight @ z[:, k], abs=0.05)


class TestTransfer:
    def test_a_known_share_of_the_prerequisite_is_taken_over(self):
        """gamma and what is carried make the mean of a concept never met."""
        given = scalars(transfer=(0.8, 0.0))

        logits, _ = run(
            given, [1], [0.0], [1.0], count=1, carried=torch.full((1, 1, 1), 1.5).double()
        )

        # mean 0.2 + 0.8 * 1.5, variance 0.5 + 0.81
        expected = (0.2 + 0.8 * 1.5) / np.sqrt(1 + np.pi / 8 * (0.5 + 0.81))
        assert logits[0] == pytest.approx(expected, abs=1e-9)

    def test_gamma_is_learnt_where_it_is_unsure(self):
        given = scalars(transfer=(0.5, 0.4))
        carried = torch.full((1, 1, 1), 1.5, dtype=torch.float64)

        _, right = run(given, [1] * 4, [0.0] * 4, [1.0] * 4, count=1, carried=carried)
        _, wrong = run(given, [1] * 4, [0.0] * 4, [0.0] * 4, count=1, carried=carried)

        assert float(right["level"][0, 0, 1]) > 0.55
        assert float(wrong["level"][0, 0, 1]) < 0.45
        assert float(right["level_cov"][0, 0, 2]) < 0.4


class TestTraits:
    def test_are_recovered_as_well_as_the_exact_posterior_recovers_them(self):
        test = simulate(np.random.default_rng(1), learners=30)
        exact = np.array([exact_posterior_means(test, k, points=41) for k in range(30)])

        found = filtered_traits(*true_filter(test.log))

        for column, best, truth in ((0, exact[:, 0], test.alpha), (1, exact[:, 1], test.mu)):
            own = spearmanr(found.estimate[:, column], truth).statistic
            assert own >= 0.95 * spearmanr(best, truth).statistic
            inside = (found.low[:, column] <= truth) & (truth <= found.high[:, column])
            assert inside.mean() >= 0.85
        # Rank agreement with the truth could be had by luck; this is agreement answer for answer.
        assert spearmanr(found.estimate[:, 0], exact[:, 0]).statistic > 0.97

    def test_intervals_narrow_with_answers(self):
        test = simulate(np.random.default_rng(2), learners=20, answers=100)
        few = dataclasses.replace(test.log)

        wide = filtered_traits(*true_filter(few.only_answers(few.position < 10)))
        narrow = filtered_traits(*true_filter(test.log))

        assert ((narrow.high - narrow.low)[:, 1] < (wide.high - wide.low)[:, 1]).all()


class TestGraph:
    def fitted(self, log, graph):
        model = PsiFilterGraph(
            GraphFilterConfig(graph=graph, alpha_nodes=3, omega_nodes=1, training=TRAINING)
        )
        model.fit(log)
        return model

    def test_finds_the_edges_that_there_are(self):
        truth = np.zeros((4, 4))
        truth[0, 1] = truth[2, 3] = 0.9
        log = simulate(
            np.random.default_rng(7), learners=250, answers=40, concepts=4, edges=truth, gap=0.3
        ).log

        model = self.fitted(log, "learnt")

        # The log names concepts as they come; a key says which one it is.
        order = np.argsort([int(key.removeprefix("k")) for key in model.vocabulary.concept_keys])
        edges = model.edges()[np.ix_(order, order)]
        # Which way an edge points is hardly told from answers; that two belong together is.
        pairs = edges + edges.T
        linked = truth + truth.T > 0.0
        others = ~linked & ~np.eye(4, dtype=bool)
        assert pairs[linked].min() > 0.1
        assert pairs[linked].mean() > 3.0 * pairs[others].mean()

    def test_gains_nothing_where_there_is_none(self):
        log = simulate(np.random.default_rng(6), learners=300, answers=40, concepts=4, gap=3.0).log
        train, test = log.only_learners(np.arange(220)), log.only_learners(np.arange(220, 300))

        with_graph = self.fitted(train, "learnt").predict(test)
        without = self.fitted(train, "none").predict(test)

        gain = metrics.log_loss(test.correct, without) - metrics.log_loss(test.correct, with_graph)
        assert gain <= 0.0005

    def test_permuting_keeps_the_shape(self):
        edges = np.random.default_rng(0).random((5, 5))
        np.fill_diagonal(edges, 0.0)

        other = permuted(edges, seed=3)

        assert np.sort(other.ravel()) == pytest.approx(np.sort(edges.ravel()))
        assert np.diag(other) == pytest.approx(np.zeros(5))
        assert np.abs(other - edges).max() > 0.1


def held(state, place=1):
    """Return the mean of a concept, theta averaged out."""
    a, of_mu, of_gamma, _ = state["concept"][0, 0, place].tolist()
    mu, gamma = state["level"][0, 0].tolist()
    return a + of_mu * mu + of_gamma * gamma


def exact_filter(gaps, correct, *, alpha, omega, mu, points=301):
    """Return P(right) of each answer and the last posterior mean of z, over a fine grid."""
    z = np.linspace(mu - 6 * omega, mu + 6 * omega, points)
    belief = np.exp(-0.5 * ((z - mu) / omega) ** 2)
    belief /= belief.sum()
    right, probs = 1.0 / (1.0 + np.exp(-z)), []
    for t, (gap, y) in enumerate(zip(gaps, correct, strict=True)):
        if t:
            r = np.exp(-alpha * np.log1p(gap))
            spread = omega * np.sqrt(1 - r * r)
            kernel = np.exp(-0.5 * ((z - (r * z[:, None] + (1 - r) * mu)) / spread) ** 2)
            belief = belief @ (kernel / kernel.sum(axis=1, keepdims=True))
        probs.append(belief @ right)
        belief = belief * (right if y else 1.0 - right)
        belief /= belief.sum()
    return np.array(probs), float(belief @ z)


def test_an_items_vocabulary_is_that_of_the_training_log():
    log = simulate(np.random.default_rng(7), learners=12, answers=10).log
    model = PsiFilterGraph(GraphFilterConfig(graph="none", training=TRAINING))

    model.fit(log)

    assert model.vocabulary.concept_keys == Vocabulary.of(log).concept_keys


def test_a_fitted_model_reads_traits_from_stored_states():
    log = simulate(np.random.default_rng(7), learners=12, answers=10).log
    model = PsiFilterGraph(GraphFilterConfig(graph="none", training=TRAINING))
    model.fit(log)
    states = model.advance(model.init(12), log)

    found = model.traits(model.unpack(model.pack(states)))

    assert found.estimate.shape == (12, 4)
    assert (found.low <= found.estimate).all()
    assert (found.estimate <= found.high).all()
    # Without a graph nobody's transfer is anything but none.
    assert found.estimate[:, 3] == pytest.approx(np.zeros(12))


class TestResuming:
    """A folder belongs to one configuration; graphs of one filter share its first training."""

    LOG = random_log(np.random.default_rng(6), learners=12, answers=10)
    CONFIG = GraphFilterConfig(
        alpha_nodes=2, rounds=1, training=TrainingConfig(epochs=2, learning_rate=2e-2)
    )

    def fit(self, folder, **changes):
        model = PsiFilterGraph(dataclasses.replace(self.CONFIG, **changes))
        model.fit(self.LOG, Fitting(seed=0, folder=folder))
        return model

    @pytest.mark.parametrize(
        "change",
        [{"memory": 0.9}, {"item_prior_sd": 0.1}, {"concept_prior_sd": 0.1}, {"rounds": 2}],
    )
    def test_another_configuration_is_refused(self, tmp_path, change):
        self.fit(tmp_path)

        with pytest.raises(CannotResume, match="another log, configuration"):
            self.fit(tmp_path, **change)

    def test_a_permuted_graph_shares_the_first_training(self, tmp_path):
        learnt = self.fit(tmp_path)
        scalars = (tmp_path / "scalars" / RESUME).stat().st_mtime_ns

        permuted = self.fit(tmp_path, graph="permuted")

        assert (tmp_path / "scalars" / RESUME).stat().st_mtime_ns == scalars
        assert np.sort(permuted.edges().ravel()) == pytest.approx(np.sort(learnt.edges().ravel()))
