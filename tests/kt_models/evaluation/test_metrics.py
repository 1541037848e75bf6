"""Metrics against enumeration and against chance."""

import math

import numpy as np
import pytest

from kt_models.errors import ShapeMismatch
from kt_models.evaluation import metrics
from kt_models.evaluation.metrics import OneKindOfAnswer

CORRECT = np.array([1.0, 0.0, 1.0, 0.0, 1.0, 0.0])
PROB = np.array([0.9, 0.2, 0.5, 0.5, 0.4, 0.7])


class TestAuc:
    def test_counts_pairs_in_the_right_order_and_ties_half(self):
        pairs = [
            1.0 if p > q else 0.5 if p == q else 0.0
            for p, y in zip(PROB, CORRECT, strict=True)
            if y
            for q, z in zip(PROB, CORRECT, strict=True)
            if not z
        ]

        assert metrics.auc(CORRECT, PROB) == pytest.approx(np.mean(pairs))

    def test_takes_a_weight_as_that_many_copies(self):
        weight = np.array([2, 0, 1, 3, 1, 2])

        copied = metrics.auc(np.repeat(CORRECT, weight), np.repeat(PROB, weight))

        assert metrics.auc(CORRECT, PROB, weight.astype(float)) == pytest.approx(copied)

    def test_is_a_half_for_a_constant(self):
        assert metrics.auc(CORRECT, np.full(6, 0.3)) == 0.5

    def test_needs_both_kinds_of_answers(self):
        with pytest.raises(OneKindOfAnswer):
            metrics.auc(np.ones(3), np.array([0.1, 0.2, 0.3]))


class TestLogLoss:
    def test_is_the_mean_surprise(self):
        found = metrics.log_loss(np.array([1.0, 0.0]), np.array([0.8, 0.4]))

        assert found == pytest.approx(-(math.log(0.8) + math.log(0.6)) / 2)

    def test_is_finite_for_a_certain_error(self):
        assert metrics.log_loss(np.array([1.0]), np.array([0.0])) == pytest.approx(-math.log(1e-9))


class TestBrier:
    def test_is_the_mean_squared_difference(self):
        found = metrics.brier(np.array([1.0, 0.0]), np.array([0.8, 0.4]))
        assert found == pytest.approx((0.04 + 0.16) / 2)


class TestCalibrationError:
    def test_is_nought_for_true_probabilities_and_the_offset_for_shifted_ones(self):
        rng = np.random.default_rng(0)
        prob = rng.uniform(0.2, 0.8, 200_000)
        correct = (rng.random(200_000) < prob).astype(float)

        assert metrics.calibration_error(correct, prob) < 0.005
        assert metrics.calibration_error(correct, prob + 0.1) == pytest.approx(0.1, abs=0.005)


class TestByLearner:
    def test_covers_the_figure_and_is_wider_than_if_answers_were_independent(self):
        rng = np.random.default_rng(1)
        # 40 learners of 50 identical answers each: 2,000 rows that hold 40 facts.
        learner = np.repeat(np.arange(40), 50)
        prob = np.repeat(rng.uniform(0.3, 0.7, 40), 50)
        correct = np.repeat((rng.random(40) < 0.5).astype(float), 50)

        whole, apart = (
            metrics.by_learner(
                metrics.brier, correct=correct, prob=prob, learner=who, seed=2, resamples=200
            )
            for who in (learner, np.arange(2000))
        )

        assert whole.low < whole.value < whole.high
        assert whole.high - whole.low > 4 * (apart.high - apart.low)

    def test_gives_the_same_interval_for_the_same_seed(self):
        chosen = {"correct": CORRECT, "prob": PROB, "learner": np.array([0, 0, 1, 1, 2, 2])}

        one, two = (
            metrics.by_learner(metrics.auc, **chosen, seed=3, resamples=50) for _ in range(2)
        )

        assert one == two


def test_every_metric_reads_chance_on_random_labels():
    rng = np.random.default_rng(4)
    correct = (rng.random(100_000) < 0.5).astype(float)
    clever = rng.uniform(0.2, 0.8, 100_000)
    constant = np.full(100_000, 0.5)

    assert metrics.auc(correct, clever) == pytest.approx(0.5, abs=0.006)
    for metric in (metrics.log_loss, metrics.brier):
        assert metric(correct, clever) > metric(correct, constant)
    assert metrics.log_loss(correct, constant) == pytest.approx(math.log(2))
    assert metrics.brier(correct, constant) == pytest.approx(0.25)
    assert metrics.calibration_error(correct, constant) < 0.01


@pytest.mark.parametrize("metric", [metrics.auc, metrics.log_loss, metrics.brier])
def test_metrics_refuse_lists_of_different_length(metric):
    with pytest.raises(ShapeMismatch):
        metric(CORRECT, PROB[:3])
