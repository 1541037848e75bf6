"""Pooling: exactly the filter at weight 0, exactly the deep chance at weight 1."""

import numpy as np
import pytest

from kt_models.errors import ImpossibleParameter
from kt_models.streaming import pool, psi_survey
from kt_models.streaming.pool import PoolWeights
from kt_models.streaming.psi_filter import FilterParameters
from tests.kt_models.streaming.test_psi_survey import live, make_bank

PARAMETERS = FilterParameters(gain_right=0.07, gain_wrong=0.02)


@pytest.fixture
def survey():
    rng = np.random.default_rng(4)
    bank = make_bank(rng, items=50, concepts=12)
    state, at = live(rng, PARAMETERS, bank["concept_ids"], 30)
    layout = psi_survey.lay_out(PARAMETERS, **bank)
    return psi_survey.survey(state, PARAMETERS, layout, at=at)


def test_no_shift_leaves_every_number(survey):
    pooled = pool.pool(survey, PARAMETERS, item_shifts=np.zeros(50), concept_shifts=np.zeros(12))

    for name in ("logit_mean", "logit_var", "prob"):
        assert np.array_equal(getattr(pooled.items, name), getattr(survey.items, name))
    for name in ("logit_mean", "prob", "lower_prob", "evidence_n"):
        assert np.array_equal(getattr(pooled.concepts, name), getattr(survey.concepts, name))
    assert np.array_equal(pooled.gains, survey.gains)


def test_a_whole_shift_gives_the_deep_chance(survey):
    deep = np.random.default_rng(5).uniform(0.05, 0.95, size=50)
    shifts = pool.shift_of(deep, survey.items.prob)
    pooled = pool.pool(survey, PARAMETERS, item_shifts=shifts, concept_shifts=np.zeros(12))

    np.testing.assert_allclose(pooled.items.prob, deep, rtol=1e-12)


def test_half_a_shift_is_the_mean_of_the_logits(survey):
    deep = np.random.default_rng(5).uniform(0.05, 0.95, size=50)
    shifts = 0.5 * pool.shift_of(deep, survey.items.prob)
    pooled = pool.pool(survey, PARAMETERS, item_shifts=shifts, concept_shifts=np.zeros(12))

    odds = np.sqrt(deep / (1 - deep) * survey.items.prob / (1 - survey.items.prob))
    np.testing.assert_allclose(pooled.items.prob, odds / (1 + odds), rtol=1e-12)
    assert pool.shifted(float(survey.items.prob[3]), float(shifts[3])) == pytest.approx(
        float(pooled.items.prob[3])
    )


def test_concepts_move_with_their_lower_bounds(survey):
    shifts = np.linspace(-1.0, 1.0, 12)
    pooled = pool.pool(survey, PARAMETERS, item_shifts=np.zeros(50), concept_shifts=shifts)

    moved = np.log(pooled.concepts.prob / (1 - pooled.concepts.prob))
    before = np.log(survey.concepts.prob / (1 - survey.concepts.prob))
    np.testing.assert_allclose(moved - before, shifts, atol=1e-12)
    assert np.array_equal(
        np.sign(pooled.concepts.lower_prob - survey.concepts.lower_prob), np.sign(shifts)
    )


def test_gains_follow_the_chances(survey):
    shifts = np.full(50, 0.8)
    pooled = pool.pool(survey, PARAMETERS, item_shifts=shifts, concept_shifts=np.zeros(12))

    def per_answer(prob):
        return 0.07 * prob + 0.02 * (1 - prob)

    np.testing.assert_allclose(
        pooled.gains / survey.gains, per_answer(pooled.items.prob) / per_answer(survey.items.prob)
    )


class TestWeights:
    WEIGHTS = PoolWeights((0.8, 0.5), aged=0.3, aged_after_s=600.0, concepts=0.2)

    @pytest.mark.parametrize(
        ("lag", "age_s", "weight"),
        [
            *[(0, 0.0, 0.8), (0, 600.0, 0.8), (0, 601.0, 0.3)],
            *[(1, 1.0, 0.5), (1, 1e9, 0.3), (2, 0.0, 0.0), (-1, 0.0, 0.0), (0, -5.0, 0.8)],
        ],
    )
    def test_falls_with_lag_and_age(self, lag, age_s, weight):
        assert self.WEIGHTS.weight(lag=lag, age_s=age_s) == weight

    def test_what_goes_with_its_concepts_never_counts_for_more(self):
        weights = PoolWeights((0.8, 0.2), concepts=0.3)
        assert weights.concept_weight(lag=0, age_s=0.0) == 0.3
        assert weights.concept_weight(lag=1, age_s=0.0) == 0.2
        assert weights.concept_weight(lag=2, age_s=0.0) == 0.0

    def test_age_never_lends_weight(self):
        assert PoolWeights((0.1,), aged=0.3).weight(lag=0, age_s=1e9) == 0.1

    def test_comes_back_from_json(self):
        assert PoolWeights.from_dict(self.WEIGHTS.to_dict()) == self.WEIGHTS

    @pytest.mark.parametrize(
        "values",
        [
            {"lags": (1.6,)},
            {"lags": (float("nan"),)},
            {"lags": (0.1,), "aged": -0.1},
            {"lags": (), "aged_after_s": -1.0},
        ],
    )
    def test_refuses_what_is_no_weight(self, values):
        with pytest.raises(ImpossibleParameter):
            PoolWeights(**values)
