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

    def test_keeps_those_who_were_told_the_same_in_one_bin(self):
        # Half of the learners get all right, half all wrong, and the rows are sorted by learner:
        # a bin that split them would see a certain error where on average there is none.
        correct = np.repeat([1.0, 0.0], 500)

        assert metrics.calibration_error(correct, np.full(1000, 0.5)) == 0.0


class TestAccuracy:
    def test_counts_answers_on_the_predicted_side_and_a_half_as_half(self):
        assert metrics.accuracy(CORRECT, PROB) == pytest.approx((1 + 1 + 0.5 + 0.5 + 0 + 0) / 6)

    def test_of_a_constant_is_the_majority_rate(self):
        correct = np.array([1.0, 0.0, 0.0, 0.0])

        assert metrics.accuracy(correct, np.full(4, 0.25)) == metrics.majority_rate(correct) == 0.75


class TestReliability:
    def test_gives_mean_prediction_and_share_right_of_bins_of_one_size(self):
        prob = np.array([0.1, 0.2, 0.3, 0.4, 0.8, 0.9])
        correct = np.array([0.0, 0.0, 1.0, 0.0, 1.0, 1.0])

        found = metrics.reliability(correct, prob, bins=3)

        assert [b.n for b in found] == [2, 2, 2]
        assert [b.prob for b in found] == pytest.approx([0.15, 0.35, 0.85])
        assert [b.right for b in found] == [0.0, 0.5, 1.0]

    def test_holds_every_answer_once_even_where_many_are_told_the_same(self):
        prob = np.repeat([0.2, 0.5, 0.9], [70, 900, 30])

        found = metrics.reliability((prob > 0.3).astype(float), prob)

        assert [(b.n, b.right) for b in found] == [(70, 0.0), (900, 1.0), (30, 1.0)]


class TestAucByPosition:
    def test_is_the_auc_of_the_answers_at_those_places(self):
        position = np.array([0, 0, 1, 2, 3, 700])

        found = metrics.auc_by_position(CORRECT, PROB, position, edges=(0, 1, 5))

        assert [(b.first, b.last, b.n) for b in found] == [(0, 0, 2), (1, 4, 3), (5, None, 1)]
        assert found[0].auc == 1.0
        assert found[1].auc == metrics.auc(CORRECT[2:5], PROB[2:5])
        assert found[2].auc is None


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
    assert metrics.accuracy(correct, clever) == pytest.approx(0.5, abs=0.006)
    assert metrics.majority_rate(correct) == pytest.approx(0.5, abs=0.006)
    for part in metrics.auc_by_position(correct, clever, rng.integers(0, 2000, len(correct))):
        assert part.auc is None or part.auc == pytest.approx(0.5, abs=2.0 / np.sqrt(part.n))
    for point in metrics.reliability(correct, clever):
        assert point.right == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("metric", [metrics.auc, metrics.log_loss, metrics.brier])
def test_metrics_refuse_lists_of_different_length(metric):
    with pytest.raises(ShapeMismatch):
        metric(CORRECT, PROB[:3])
