"""Intervals by learner: against enumeration, against chance, and within their time."""

import time

import numpy as np
import pytest

from kt_models.errors import ShapeMismatch
from kt_models.evaluation import metrics, resampling

CORRECT = np.array([1.0, 0.0, 1.0, 0.0, 1.0, 0.0])
PROB = np.array([0.9, 0.2, 0.5, 0.5, 0.4, 0.7])
METRICS = [
    metrics.auc,
    metrics.log_loss,
    metrics.brier,
    metrics.accuracy,
    metrics.calibration_error,
]


def simulated(rng, *, learners=60, answers=30, noise=0.0):
    """Answers drawn from true probabilities, and a forecast that is off by some noise."""
    truth = rng.uniform(0.1, 0.9, learners * answers)
    return {
        "correct": (rng.random(len(truth)) < truth).astype(float),
        "learner": np.repeat(np.arange(learners), answers),
    }, np.clip(truth + noise * rng.normal(size=len(truth)), 0.01, 0.99)


class TestByLearner:
    def test_covers_the_figure_and_is_wider_than_if_answers_were_independent(self):
        rng = np.random.default_rng(1)
        # 40 learners of 50 identical answers each: 2,000 rows that hold 40 facts.
        learner = np.repeat(np.arange(40), 50)
        prob = np.repeat(rng.uniform(0.3, 0.7, 40), 50)
        correct = np.repeat((rng.random(40) < 0.5).astype(float), 50)

        whole, apart = (
            resampling.by_learner(
                metrics.brier, correct=correct, prob=prob, learner=who, seed=2, resamples=200
            )
            for who in (learner, np.arange(2000))
        )

        assert whole.low < whole.value < whole.high
        assert whole.high - whole.low > 4 * (apart.high - apart.low)

    def test_gives_the_same_interval_for_the_same_seed(self):
        chosen = {"correct": CORRECT, "prob": PROB, "learner": np.array([0, 0, 1, 1, 2, 2])}

        one, two = (
            resampling.by_learner(metrics.auc, **chosen, seed=3, resamples=50) for _ in range(2)
        )

        assert one == two

    @pytest.mark.parametrize("metric", METRICS)
    def test_equals_the_metric_on_copies_of_the_drawn_learners(self, metric):
        answers, prob = simulated(np.random.default_rng(0), learners=8, answers=6)
        rng, values = np.random.default_rng(5), []
        for _ in range(60):
            drawn = np.bincount(rng.integers(0, 8, 8), minlength=8)[answers["learner"]]
            values.append(metric(answers["correct"], prob, drawn.astype(float)))

        found = resampling.by_learner(metric, **answers, prob=prob, seed=5, resamples=60)

        assert (found.low, found.high) == pytest.approx(np.quantile(values, [0.025, 0.975]))
        assert found.value == metric(answers["correct"], prob)

    def test_passes_over_draws_with_one_kind_of_answer(self):
        found = resampling.by_learner(
            metrics.auc,
            correct=np.array([1.0, 1.0, 0.0, 0.0]),
            prob=np.array([0.9, 0.8, 0.3, 0.2]),
            learner=np.array([0, 0, 1, 1]),
            seed=0,
            resamples=40,
        )

        assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)

    def test_refuses_arrays_of_different_length(self):
        with pytest.raises(ShapeMismatch, match="6 answers, 6 probabilities, 2 learners"):
            resampling.by_learner(
                metrics.auc, correct=CORRECT, prob=PROB, learner=np.array([0, 1]), seed=0
            )

    @pytest.mark.slow
    def test_500_resamples_of_190_000_answers_take_seconds(self):
        answers, prob = simulated(np.random.default_rng(3), learners=380, answers=500)
        began = time.process_time()

        resampling.by_learner(metrics.auc, **answers, prob=prob, seed=0)

        assert time.process_time() - began < 20.0


class TestPaired:
    @pytest.mark.parametrize("metric", METRICS)
    def test_is_nought_with_no_width_for_a_model_against_itself(self, metric):
        answers, prob = simulated(np.random.default_rng(0))

        found = resampling.paired(
            metric, **answers, prob=prob, other=prob.copy(), seed=0, resamples=50
        )

        assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)

    def test_sees_a_lead_that_the_two_intervals_would_hide(self):
        answers, prob = simulated(np.random.default_rng(1))
        worse = np.clip(prob + np.random.default_rng(2).normal(0.0, 0.12, len(prob)), 0.01, 0.99)
        chosen = {**answers, "seed": 0, "resamples": 200}

        apart = [
            resampling.by_learner(metrics.log_loss, prob=one, **chosen) for one in (prob, worse)
        ]
        lead = resampling.paired(metrics.log_loss, prob=prob, other=worse, **chosen)

        assert apart[0].high > apart[1].low
        assert lead.high < 0.0
        assert lead.value == pytest.approx(apart[0].value - apart[1].value)

    def test_covers_nought_for_two_guesses_at_random_labels(self):
        rng = np.random.default_rng(4)
        covered = 0
        for seed in range(40):
            correct = (rng.random(600) < 0.5).astype(float)
            one, two = rng.uniform(0.2, 0.8, (2, 600))
            found = resampling.paired(
                metrics.auc,
                correct=correct,
                prob=one,
                other=two,
                learner=np.repeat(np.arange(60), 10),
                seed=seed,
                resamples=100,
            )
            covered += found.low <= 0.0 <= found.high

        assert covered >= 33
