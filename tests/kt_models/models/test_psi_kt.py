"""PSI-KT's closed forms against brute force, and the network's causality and bound."""

import dataclasses

import numpy as np
import pytest
import torch

from kt_models.data.vocabulary import Vocabulary
from kt_models.evaluation import metrics
from kt_models.models import psi_kt_dynamics as dynamics
from kt_models.models.psi_graph import EmbeddedGraph, normalised
from kt_models.models.psi_kt import PsiKt
from kt_models.models.psi_kt_config import PsiKtConfig
from kt_models.models.psi_kt_dynamics import Gaussian
from kt_models.models.psi_kt_visits import ages, find_visits, held
from kt_models.training import trainer
from kt_models.training.sequences import encode, windows
from kt_models.training.training_config import TrainingConfig
from tests.kt_models.factories import random_log
from tests.kt_models.models.psi_learners import simulate

DRAWS = 1_000_000


def gaussian(mean, var):
    return Gaussian(torch.tensor(mean).double(), torch.tensor(var).double())


def number(value):
    return torch.tensor(value).double()


TRAITS = gaussian([-1.0, 0.3, -0.4, 0.7], [0.2, 0.1, 1e-12, 0.05])


def drawn(gaussian_, rng):
    """Return [DRAWS, ..] draws."""
    mean, sd = gaussian_.mean.numpy(), np.sqrt(gaussian_.var.numpy())
    return rng.normal(mean, sd, (DRAWS, *mean.shape))


class TestClosedForms:
    """Each against a million draws: the tolerance is some standard errors of the draws."""

    @pytest.mark.parametrize("met", [0.0, 1.0])
    def test_expected_knowledge(self, met):
        rng = np.random.default_rng(0)
        before, elapsed, carried = gaussian(1.2, 0.3), 1.4, 0.8
        s = drawn(TRAITS, rng)
        r = np.exp(-np.exp(s[:, 0]) * elapsed) * met
        target = s[:, 1] + s[:, 3] * carried
        noise = np.exp(s[:, 2]) * np.sqrt(1 - r * r)
        z = r * drawn(before, rng) + (1 - r) * target + noise * rng.normal(size=DRAWS)

        found = dynamics.expected(
            before, TRAITS, elapsed=number(elapsed), met=number(met), carried=number(carried)
        )

        assert float(found.mean) == pytest.approx(z.mean(), abs=0.004)
        assert float(found.var) == pytest.approx(z.var(), rel=0.01)

    @pytest.mark.parametrize(("spread", "met"), [(0.0, 1.0), (0.1, 1.0), (0.4, 1.0), (0.1, 0.0)])
    def test_divergence_of_the_transition(self, spread, met):
        """E_q(s) KL(q(z') || p(z' | s)), with the Gaussian KL in closed form for each draw of s."""
        rng = np.random.default_rng(1)
        now, before, elapsed, carried = gaussian(0.5, 0.2), gaussian(1.2, 0.3), 1.4, 0.8
        traits = gaussian([-1.0, 0.3, -0.4, 0.7], [0.2, 0.1, spread + 1e-12, 0.05])
        s = drawn(traits, rng)
        r = np.exp(-np.exp(s[:, 0]) * elapsed) * met
        mean = r * 1.2 + (1 - r) * (s[:, 1] + s[:, 3] * carried)
        var = r * r * 0.3 + (1 - r * r) * np.exp(2 * s[:, 2])
        each = 0.5 * (np.log(var / 0.2) + (0.2 + (0.5 - mean) ** 2) / var - 1.0)

        found = dynamics.transition_divergence(
            now, before, traits, elapsed=number(elapsed), met=number(met), carried=number(carried)
        )

        error = each.std() / DRAWS**0.5
        assert error < 0.004
        assert float(found) == pytest.approx(each.mean(), abs=4 * error + 0.001)

    def test_a_divergence_from_nothing_retained_is_the_closed_form(self):
        """At r = 0 the variance is omega^2: E log = 2m and E 1 / omega^2 = exp(2v - 2m)."""
        m, v = -0.4, 0.1
        traits = gaussian([-1.0, 0.3, m, 0.7], [0.2, 0.1, v, 0.05])
        away = 0.2 + (0.5 - 0.3) ** 2 + 0.1
        truth = 0.5 * (2 * m - np.log(0.2) + away * np.exp(2 * v - 2 * m) - 1.0)

        found = dynamics.transition_divergence(
            gaussian(0.5, 0.2),
            gaussian(0.0, 0.0),
            traits,
            elapsed=number(0.0),
            met=number(0.0),
            carried=number(0.0),
        )

        assert float(found) == pytest.approx(truth, abs=1e-6)

    def test_divergence_of_traits(self):
        rng = np.random.default_rng(2)
        one, other = gaussian([0.3, -1.0], [0.5, 0.1]), gaussian([0.0, -0.5], [1.0, 0.4])
        s = drawn(one, rng)
        each = log_density(s, one.mean.numpy(), one.var.numpy())
        each -= log_density(s, other.mean.numpy(), other.var.numpy())

        found = float(dynamics.divergence(one, other))

        assert found == pytest.approx(each.sum(axis=1).mean(), abs=0.005)

    @pytest.mark.parametrize("correct", [0.0, 1.0, 0.4])
    def test_expected_log_chance(self, correct):
        logit = gaussian(0.7, 2.0)
        x = drawn(logit, np.random.default_rng(3))
        truth = -(correct * np.logaddexp(0, -x) + (1 - correct) * np.logaddexp(0, x)).mean()

        found = float(dynamics.expected_log_chance(logit, number(correct)))

        assert found == pytest.approx(truth, abs=0.004)

    def test_the_bound_is_one(self):
        """E log P(y | z) - KL(q || prior) stays below log P(y) and reaches it at the posterior."""
        z = np.linspace(-8, 8, 4001)
        prior = np.exp(log_density(z, 0.4, 0.9))
        right = 1 / (1 + np.exp(-z))
        chance = np.log((prior * right).sum() / prior.sum())
        posterior = prior * right / (prior * right).sum()
        mean = (posterior * z).sum()
        var = (posterior * z * z).sum() - mean**2

        def bound(m, v):
            q = Gaussian(number([m]), number([v]))
            kl = dynamics.divergence(q, Gaussian(number([0.4]), number([0.9])))
            at = Gaussian(number(m), number(v))
            return float(dynamics.expected_log_chance(at, number(1.0)) - kl)

        assert bound(mean, var) == pytest.approx(chance, abs=0.003)
        for m, v in ((mean, var), (mean + 0.5, var), (mean, var * 2), (0.4, 0.9)):
            assert bound(m, v) <= chance
        assert bound(0.4, 0.9) < chance - 0.02

    def test_pushed_traits_go_back_to_the_first(self):
        first = gaussian([0.0] * 4, [1.0] * 4)
        kept, drift = number([0.9] * 4), number([0.01] * 4)

        found = dynamics.pushed(gaussian([2.0] * 4, [0.5] * 4), first=first, kept=kept, drift=drift)

        assert found.mean.numpy() == pytest.approx(np.full(4, 1.8))
        assert found.var.numpy() == pytest.approx(np.full(4, 0.81 * 0.5 + 0.01))


class TestVisits:
    def test_the_table_holds_what_was_last_shown_of_each_concept(self):
        log = random_log(np.random.default_rng(4), learners=6, answers=15)
        vocabulary = Vocabulary.of(log)
        size = len(vocabulary.concept_keys)
        batch = encode(log, vocabulary).whole()
        visits = find_visits(batch, concepts=size)
        values = torch.arange(batch.concepts.numel()).reshape(batch.concepts.shape).float()
        table, age = held(values, batch, visits), ages(visits)

        for b in range(6):
            for k in range(1, size + 1):
                last, at = 0.0, None
                for t in range(15):
                    assert float(table[b, t, k]) == last
                    clock = float(visits.answered[b, t])
                    assert float(age[b, t, k]) == pytest.approx(
                        0.0 if at is None else clock - at, abs=1e-4
                    )
                    for m in torch.nonzero(batch.concepts[b, t] == k).flatten().tolist():
                        last, at = float(values[b, t, m]), float(visits.answered[b, t + 1])


class TestGraph:
    def test_two_concepts_are_no_prerequisites_of_each_other_in_full(self):
        torch.manual_seed(0)
        graph = EmbeddedGraph(concepts=9, width=4)
        edges = graph().detach()

        together = torch.sigmoid(graph.place @ graph.place.T + graph.link).detach()
        off = ~torch.eye(9, dtype=torch.bool)
        # The two directions share what the pair has: none of it is lost.
        assert (edges + edges.T)[off].numpy() == pytest.approx(together[off].numpy(), abs=1e-6)
        assert (edges[off] > 0.0).all()
        assert float((edges + edges.T).max()) <= 1.0
        assert (edges.diagonal() == 0).all()

    def test_columns_sum_to_one_at_most_and_place_0_is_blank(self):
        weights = normalised(torch.full((5, 5), 0.8))

        assert weights.sum(dim=0).tolist() == pytest.approx([0.0] + [1.0] * 5)
        assert float(weights[0].sum()) == 0.0


@pytest.fixture(scope="module")
def fitted():
    log = simulate(np.random.default_rng(8), learners=80, answers=30, concepts=4).log
    training = TrainingConfig(epochs=3, learning_rate=1e-2, positions=1024)
    model = PsiKt(PsiKtConfig(hidden=16, width=8, training=training))
    model.fit(log)
    return model, log


@pytest.fixture
def trainings(monkeypatch):
    """What every training of a fit began with: weights, configuration, answers to learn from."""
    seen, train = [], trainer.train

    def spy(net, **how):
        weights = {name: value.clone() for name, value in net.state_dict().items()}
        seen.append((weights, how["config"], how["training"]))
        return train(net, **how)

    monkeypatch.setattr(trainer, "train", spy)
    return seen


class TestFitting:
    def test_whoever_is_learnt_from_is_a_beginner(self, trainings):
        """A piece from mid-history has counts, ages and traits that a beginner has not."""
        log = random_log(np.random.default_rng(4), learners=12, answers=25)
        training = TrainingConfig(epochs=1, positions=512, longest=10)
        PsiKt(PsiKtConfig(hidden=8, width=4, training=training)).fit(log)

        ((_, _, learnt_from),) = trainings
        pieces = windows(learnt_from.starts, longest=10, context=10)

        assert (learnt_from.step[pieces[:, 0]] == 0).all()
        assert (pieces[:, 2] - pieces[:, 0] == 10).all()
        assert len(pieces) == len(learnt_from.starts) - 1 > 5

    def test_a_permuted_graph_is_trained_with_as_long_and_from_the_same_weights(self, trainings):
        log = random_log(np.random.default_rng(4), learners=12, answers=10)
        training = TrainingConfig(epochs=3, positions=512)
        PsiKt(PsiKtConfig(hidden=8, width=4, graph="permuted", training=training)).fit(log)

        (first, usual, _), (again, other, _) = trainings

        assert usual == other == training
        assert again.pop("is_fixed")
        assert not first.pop("is_fixed")
        assert float((again.pop("fixed") - first.pop("fixed")).abs().max()) > 0.0
        assert all(torch.equal(first[name], again[name]) for name in first)


class TestNetwork:
    def test_several_answers_ahead_sees_none_of_the_answers_between(self, fitted):
        model, log = fitted
        net = model.network()
        batch = encode(log, model.vocabulary).whole()
        horizon = torch.full_like(batch.item, 5)
        at, ahead = 20, 5
        changed = batch.correct.clone()
        changed[:, at - ahead + 1 :] = 1.0 - changed[:, at - ahead + 1 :]
        other = dataclasses.replace(batch, correct=changed)

        with torch.inference_mode():
            one = net._ahead(batch, net._recognise(batch), horizon)[:, at]
            two = net._ahead(other, net._recognise(other), horizon)[:, at]
            near = net(other)[:, at] - net(batch)[:, at]

        assert one.numpy() == pytest.approx(two.numpy(), abs=1e-6)
        # One answer ahead they do count, so the check above can fail.
        assert float(near.abs().max()) > 1e-3

    def test_the_bound_is_below_the_prediction_it_bounds(self, fitted):
        model, log = fitted
        net = model.network()
        batch = encode(log, model.vocabulary).whole()

        with torch.inference_mode():
            bound = net.bound(batch, net._recognise(batch))[batch.mask].mean()
        predicted = -metrics.log_loss(log.correct, np.asarray(model._predict(log)))

        assert float(bound) < predicted
        assert float(bound) > predicted - 1.0

    def test_traits_come_with_intervals(self, fitted):
        model, log = fitted
        fresh = model.init(80)
        states = model.advance(fresh, log)

        found, before = model.traits(states), model.traits(fresh)

        assert (found.low < found.estimate).all()
        assert (found.estimate < found.high).all()
        assert (found.low[:, [0, 2]] > 0).all()
        share = np.bincount(log.learner, log.correct) / 30
        assert np.corrcoef(found.estimate[:, 1], share)[0, 1] > 0.45
        # Nobody is known before the first answer.
        assert np.ptp(before.estimate, axis=0) == pytest.approx(np.zeros(4))

    def test_without_a_graph_nothing_is_carried_over(self, fitted):
        model, log = fitted
        none = PsiKt(dataclasses.replace(model.config, graph="none"))
        none.vocabulary = model.vocabulary
        none.restore(model.arrays())

        with_graph = np.asarray(model._predict(log))
        without = np.asarray(none._predict(log))

        assert np.abs(with_graph - without).max() > 1e-4
        first = log.position == 0
        assert without[first] == pytest.approx(with_graph[first], abs=1e-6)

    def test_a_permuted_graph_is_the_learnt_one_under_other_names(self):
        log = simulate(np.random.default_rng(9), learners=30, answers=10, concepts=4).log
        training = TrainingConfig(epochs=2, positions=512)
        models = [
            PsiKt(PsiKtConfig(hidden=8, width=4, graph=graph, training=training))
            for graph in ("learnt", "permuted")
        ]
        for model in models:
            model.fit(log)

        learnt, other = (np.sort(model.edges().ravel()) for model in models)

        assert learnt == pytest.approx(other, abs=1e-6)
        assert np.abs(models[0].edges() - models[1].edges()).max() > 1e-4


def log_density(x, mean, var):
    return -0.5 * (np.log(2 * np.pi * var) + (x - mean) ** 2 / var)
