"""A network is judged on learners it has not met: what is learnt passes, noise and leaks do not."""

import dataclasses
import datetime as dt

import numpy as np
import pytest

from kt_models import api
from kt_models.evaluation import gates, release
from kt_models.streaming.psi_parameters import FilterParameters
from kt_models.training import pool_fit
from tests.kt_models.factories import simulated_log

TINY = {
    "hidden": 8,
    "width": 8,
    "attention": 0,
    "window": 16,
    "training": {"epochs": 2, "positions": 2048},
}


@pytest.fixture(scope="module")
def parts():
    """A log of which learners 0 to 95 are learnt from and the others are kept aside."""
    log = simulated_log(np.random.default_rng(0), FilterParameters(), learners=120, answers=50)
    log = log[0] if isinstance(log, tuple) else log
    train, kept = log.only_learners(np.arange(96)), log.only_learners(np.arange(96, 120))
    return train, kept, api.fit_filter(train, seed=0, fitted_on=dt.date(2026, 1, 1))


@pytest.fixture(scope="module")
def network(parts):
    return api.fit_model("cakt-item", parts[0], settings=TINY)


def named(found):
    return {gate.name: gate for gate in found}


class Wrapped:
    """A network that says something else than it was taught."""

    def __init__(self, network, told):
        self._network, self._told = network, told

    def __getattr__(self, name):
        return getattr(self._network, name)

    def predict(self, log):
        return self._told(log)


def test_what_is_served_is_judged_crosswise(parts, network):
    """No answer is judged by a weight that was fitted on its own learner."""
    _, kept, live_filter = parts
    group = np.arange(24) % 2
    judged = release.predict_held_out(network, live_filter, kept, group=group)

    logits = release.crosswise(judged.replay, seed=0)

    learner = judged.replay.learner
    flipped = dataclasses.replace(
        judged.replay,
        correct=np.where(learner == 3, 1.0 - judged.replay.correct, judged.replay.correct),
    )
    again = release.crosswise(flipped, seed=0)
    side = np.random.default_rng(0).permutation(24) % 2 == 0
    mine = side[learner] == side[3]
    assert np.array_equal(again[mine], logits[mine])
    assert not np.array_equal(again[~mine], logits[~mine])


def test_sisters_judged_together_count_as_learners_of_their_own(parts, network):
    _, kept, live_filter = parts
    group = np.zeros(24, dtype=np.int64)
    one = release.predict_held_out(network, live_filter, kept, group=group)

    verdict = release.judge([one, one], groups=["all"])

    assert verdict.scores["pool"]["learners"] == 48
    assert verdict.scores["pool"]["n"] == 2 * len(kept)
    assert not verdict.passed
    assert [row["lag"] for row in verdict.scores["lags"]] == [0, 1, 2, 3]


def test_of_very_many_answers_learners_are_drawn(parts, network, monkeypatch):
    _, kept, live_filter = parts
    monkeypatch.setattr(release, "MOST_ANSWERS", 300)

    judged = release.predict_held_out(
        network, live_filter, kept, group=np.arange(24, dtype=np.int64)
    )

    learners = np.unique(judged.replay.learner)
    assert 300 <= len(judged.replay.correct) <= 300 + 50
    # Each drawn learner is still of their own class.
    assert len(np.unique(judged.group)) == len(learners)


def test_a_network_trained_on_noise_gains_nothing(parts):
    train, kept, live_filter = parts
    rng = np.random.default_rng(1)
    noise = dataclasses.replace(train, correct=rng.permutation(train.correct))
    taught = api.fit_model("cakt-item", noise, settings=TINY)
    judged = release.predict_held_out(taught, live_filter, kept, group=np.zeros(24, dtype=np.int64))

    verdict = release.judge([judged], groups=["all"])

    assert not named(verdict.gates)["gain"].passed
    assert max(verdict.pool.lags) < 0.3


class TestInspect:
    def test_a_network_without_a_leak_passes(self, parts, network):
        train, kept, live_filter = parts

        found = named(release.inspect(network, live_filter, kept, train=train, settings=TINY))

        assert {name: gate.passed for name, gate in found.items()} == {
            "random-labels": True,
            "random-labels-learnt": True,
            "latency": True,
        }
        assert found["random-labels"].n == len(kept)

    def test_one_that_sees_the_outcome_dimly_fails(self, parts, network):
        train, kept, live_filter = parts
        rng = np.random.default_rng(2)
        peeping = Wrapped(network, lambda log: 0.5 + 0.1 * log.correct + 0.3 * rng.random(len(log)))

        found = release.inspect(peeping, live_filter, kept, train=train, settings=TINY)

        assert not named(found)["random-labels"].passed

    def test_so_does_a_training_that_sees_them(self, parts, network, monkeypatch):
        train, kept, live_filter = parts
        fit = api.fit_model

        def leaky(*arguments, **options):
            return Wrapped(fit(*arguments, **options), lambda log: 0.3 + 0.4 * log.correct)

        monkeypatch.setattr(api, "fit_model", leaky)

        found = release.inspect(network, live_filter, kept, train=train, settings=TINY)

        assert not named(found)["random-labels-learnt"].passed

    def test_a_slow_one_fails(self, parts, network, monkeypatch):
        monkeypatch.setattr(release, "BUDGET_MS", 1e-6)

        assert not release.measured_latency(network, parts[1]).passed


def test_the_lag_judged_is_the_one_that_items_are_chosen_by(parts, network):
    _, kept, live_filter = parts
    judged = release.predict_held_out(
        network, live_filter, kept, group=np.zeros(24, dtype=np.int64)
    )

    verdict = release.judge([judged], groups=["all"])

    by_lag = {row["lag"]: row["log_loss"] for row in verdict.scores["lags"]}
    assert verdict.scores["pool"]["log_loss"][0] == pytest.approx(by_lag[1])
    assert named(verdict.gates)["gain"].value == pytest.approx(
        by_lag[1] - verdict.scores["filter"]["log_loss"][0]
    )
    assert isinstance(named(verdict.gates)["classes"], gates.Gate)
    assert verdict.pool.concepts == pool_fit.fit_concept_weight(judged.replay)
