"""Weights of a deep tracer's shifts: found where they are known, and 0 where there is nothing."""

import dataclasses

import numpy as np
import pytest

from kt_models.data.splits import NothingToSplit
from kt_models.evaluation import metrics
from kt_models.models.base import Fitting
from kt_models.models.folding import offsets_of_answers
from kt_models.models.psi_filter import PsiFilter
from kt_models.streaming.psi_reading import sigmoid
from kt_models.training.pool_fit import (
    RIDGE,
    fit_concept_weight,
    fit_pool,
    fit_weights,
    pooled_logits,
)
from kt_models.training.pool_replay import Replay, replay
from tests.kt_models.factories import random_log
from tests.kt_models.models.tiny import tiny


def made_up(rng, *, truth, learners=60, answers=100, lags=3, aged=0.3):
    """Answers drawn from the filter plus so many times the shift: `truth` by lag, and by age.

    Each answer is drawn at one lag; its shifts at the others are noise of its own.
    """
    size = learners * answers
    learner = np.repeat(np.arange(learners), answers)
    known = rng.normal(0.5, 1.0, size)
    shifts = rng.normal(0.0, 0.8, (size, lags))
    ages = rng.uniform(0.0, 3000.0, (size, lags))
    old = rng.random(size) < 0.3
    ages[old] += 90_000.0
    lag = np.where(old, 0, rng.integers(0, lags, size))
    weight = np.where(old, aged, np.array(truth)[lag])
    told = known + weight * shifts[np.arange(size), lag]
    # What the others would have said is hidden, so that every column has its own answers.
    for column in range(lags):
        shifts[lag != column, column] = np.nan
    return Replay(
        learner=learner,
        correct=(rng.random(size) < sigmoid(told)).astype(float),
        filter_prob=sigmoid(known),
        deep_prob=sigmoid(told),
        shifts=shifts,
        ages=ages,
        concept_shifts=np.where(lag == 0, 0.5 * shifts[:, 0], np.nan),
    )


@pytest.fixture(scope="module")
def given():
    return made_up(np.random.default_rng(0), truth=(0.9, 0.6, 0.2), learners=300)


class TestWeights:
    def test_are_those_that_the_answers_were_drawn_with(self, given):
        weights = fit_weights(given)

        # Three standard errors of some 7,000 answers each.
        assert weights.lags == pytest.approx((0.9, 0.6, 0.2), abs=0.12)
        assert weights.aged == pytest.approx(0.3, abs=0.12)
        assert weights.aged_after_s == 3600.0

    def test_are_the_best_of_a_fine_grid(self, given):
        known = np.log(given.filter_prob) - np.log1p(-given.filter_prob)
        there = np.isfinite(given.shifts[:, 1]) & (given.ages[:, 1] <= 3600.0)
        grid = np.linspace(0.0, 1.5, 1501)
        losses = [
            metrics.log_losses(
                given.correct[there], sigmoid(known[there] + w * given.shifts[there, 1])
            ).sum()
            + 0.5 * RIDGE * w * w
            for w in grid
        ]

        assert fit_weights(given).lags[1] == pytest.approx(grid[np.argmin(losses)], abs=2e-3)

    @pytest.mark.parametrize(("truth", "found"), [(-0.5, 0.0), (3.0, 1.5)])
    def test_stay_within_their_range(self, truth, found):
        part = made_up(np.random.default_rng(1), truth=(truth,), lags=1)

        assert fit_weights(part).lags == (found,)

    def test_are_the_filter_alone_where_nothing_was_predicted(self, given):
        nothing = given.rows(given.ages[:, 0] > 1e9)

        weights = fit_weights(nothing)

        assert (weights.lags, weights.aged) == ((0.0, 0.0, 0.0), 0.0)

    def test_few_answers_do_not_carry_them_far(self):
        few = made_up(np.random.default_rng(3), truth=(1.5,), lags=1, learners=2, answers=2)

        assert fit_weights(few).lags[0] < 0.3

    def test_of_concepts_are_their_own(self, given):
        # Half the shift was drawn with twice the weight.
        fresh = given.rows(given.ages[:, 0] <= 3600.0)

        assert fit_concept_weight(given) == fit_concept_weight(fresh)
        assert fit_concept_weight(given) == pytest.approx(1.5, abs=0.25)


class TestPooledLogits:
    def test_weigh_each_prediction_as_it_is_served(self, given):
        weights = fit_weights(given)
        part = given.rows(np.arange(len(given.learner)) % 500 == 0)

        found = pooled_logits(part, weights)

        for row in range(len(part.learner)):
            own = float(np.log(part.filter_prob[row] / (1.0 - part.filter_prob[row])))
            for lag in range(3):
                shift = np.nan_to_num(part.shifts[row, lag])
                w = weights.weight(lag=lag, age_s=float(part.ages[row, lag]))
                assert found[row, lag] == pytest.approx(own + w * shift, abs=1e-12)


class TestFitPool:
    def test_reports_what_each_part_and_the_pool_are_worth(self, given):
        fit = fit_pool(given, resamples=40)
        figures = fit.figures

        assert (figures["learners"], figures["answers"]) == (300, 30_000)
        for name, prob in (("filter", given.filter_prob), ("deep", given.deep_prob)):
            assert figures[name]["log_loss"] == metrics.log_loss(given.correct, prob)
            assert figures[name]["auc"] == metrics.auc(given.correct, prob)
        first = figures["pooled"][0]
        value, low, high = first["above_filter"]["log_loss"]
        assert value == pytest.approx(first["log_loss"] - figures["filter"]["log_loss"])
        assert low < value < high < 0.0
        assert [one["lag"] for one in figures["pooled"]] == [0, 1, 2]
        assert 0.5 < first["predicted"] < 0.6
        own = fit_concept_weight(given)
        assert fit.weights == dataclasses.replace(fit_weights(given), concepts=own)

    def test_judges_no_learner_by_weights_that_they_gave(self):
        # One half is moved by the shifts, the other against them: each half's weights are wrong for
        # the other, so an honest judge finds the pool worse than the filter.
        rng = np.random.default_rng(5)
        side = np.random.default_rng(0).permutation(60) % 2 == 0
        one = made_up(rng, truth=(1.2,), lags=1, aged=0.0)
        flipped = np.where(side[one.learner], one.shifts[:, 0], -one.shifts[:, 0])[:, None]
        part = Replay(
            one.learner,
            one.correct,
            one.filter_prob,
            one.deep_prob,
            flipped,
            np.zeros_like(one.ages),
            one.concept_shifts,
        )

        fit = fit_pool(part, seed=0, resamples=40)

        value, low, _ = fit.figures["pooled"][0]["above_filter"]["log_loss"]
        assert 0.0 < low < value

    def test_finds_nothing_in_random_labels(self):
        # The filter is fitted too: the usual one believes in learners, and doubt would help it.
        log = random_log(np.random.default_rng(7), learners=90, answers=40)
        training, held_out = log.only_learners(np.arange(50)), log.only_learners(np.arange(50, 90))
        deep, live = tiny("cakt-item"), PsiFilter()
        deep.fit(training, Fitting(seed=0))
        live.fit(training)
        offsets = offsets_of_answers(
            held_out, item=live.item, concept=live.concept, unknown=live.intercept
        )
        part = replay(held_out, deep, live.parameters, offsets=offsets, siblings=2)

        fit = fit_pool(part, resamples=100)

        for pooled in fit.figures["pooled"]:
            _, _, high = pooled["above_filter"]["log_loss"]
            assert high > 0.0
            assert pooled["auc"] == pytest.approx(0.5, abs=0.04)
        assert fit.figures["deep"]["auc"] == pytest.approx(0.5, abs=0.04)

    def test_refuses_a_single_learner(self, given):
        with pytest.raises(NothingToSplit, match="at least two"):
            fit_pool(given.rows(given.learner == 0))
