import itertools

import numpy as np
import pytest

from curriculum.irt.curves import probability
from curriculum.irt.em import fit_em
from curriculum.irt.item_fit import abilities_without_item, item_fit
from curriculum.irt.likelihood import design_of, posterior_on
from curriculum.irt.local_dependence import dependent_pairs, q3_matrix
from curriculum.irt.models import Fit, ItemModel
from curriculum.irt.parameters import bank_of
from curriculum.irt.population import REFERENCE, ability_points
from curriculum.irt.responses import responses_of_matrix
from curriculum.irt.s_x2 import conditional_chances, s_x2
from tests.curriculum.irt.factories import answer, simulate

WEIGHT = np.exp(REFERENCE.log_weights(ability_points()))


def true_fit(made):
    """The outcome of an engine that knows the truth."""
    bank = bank_of(
        made.responses.items, difficulty=made.difficulty, discrimination=made.discrimination
    )
    return Fit(bank=bank, population=REFERENCE, log_likelihood=0.0, iterations=0, converged=True)


def judged(responses, fit):
    posterior = posterior_on(design_of(responses), fit.bank, population=fit.population)
    return item_fit(responses, fit, posterior)


def curves(made):
    return probability(
        ability_points()[:, None],
        difficulty=made.difficulty,
        discrimination=made.discrimination,
    )


def test_mean_squares_are_those_of_plain_sums():
    made = simulate(seed=1, learners=20, items=4, share=0.7)
    chance = curves(made)
    squared, variance, standard, n = (np.zeros(4) for _ in range(4))
    for row in made.matrix:
        there = ~np.isnan(row)
        told = np.where(row == 1.0, chance, 1.0 - chance)[:, there].prod(axis=1) * WEIGHT
        told /= told.sum()
        for i in np.flatnonzero(there):
            p = chance[:, i]
            squared[i] += told @ (row[i] - p) ** 2
            variance[i] += told @ (p * (1 - p))
            standard[i] += told @ ((row[i] - p) ** 2 / (p * (1 - p)))
            n[i] += 1

    found = judged(made.responses, true_fit(made))

    assert found.infit == pytest.approx(squared / variance)
    assert found.outfit == pytest.approx(standard / n)


def test_mean_squares_of_items_that_fit_are_one():
    made = simulate(seed=2, learners=4000, items=40, share=0.4)

    found = judged(made.responses, true_fit(made))

    assert found.infit == pytest.approx(1.0, abs=0.1)
    assert found.outfit == pytest.approx(1.0, abs=0.25)
    assert found.infit.mean() == pytest.approx(1.0, abs=0.01)


def test_the_rest_leaves_the_item_out():
    made = simulate(seed=1, learners=10, items=5, share=0.8)
    fit, chance = true_fit(made), curves(made)
    posterior = posterior_on(design_of(made.responses), fit.bank, population=REFERENCE)

    found = abilities_without_item(made.responses, fit, posterior)

    expected = []
    for i, j in zip(made.responses.learner, made.responses.item, strict=True):
        row = made.matrix[i].copy()
        row[j] = np.nan
        there = ~np.isnan(row)
        told = np.where(row == 1.0, chance, 1.0 - chance)[:, there].prod(axis=1) * WEIGHT
        expected.append(told @ ability_points() / told.sum())
    assert found == pytest.approx(expected)


def test_a_wrong_key_shows_as_negative_discrimination():
    made = simulate(seed=5, learners=1500, items=30, share=0.6)
    matrix = made.matrix.copy()
    matrix[:, 7] = 1.0 - matrix[:, 7]
    responses = responses_of_matrix(matrix)

    found = judged(responses, fit_em(responses))

    assert np.flatnonzero(found.item_rest_high < 0.0).tolist() == [7]
    assert found.item_rest[7] < -0.15
    assert (np.delete(found.item_rest, 7) > 0.05).all()


def test_an_item_all_got_right_correlates_with_nothing():
    found = judged(
        responses_of_matrix([[1, 1], [1, 0], [1, 1]]),
        Fit(bank_of(["a", "b"], difficulty=[0.0, 0.0]), REFERENCE, 0.0, 0, converged=True),
    )

    assert np.isnan(found.item_rest[0])


def by_enumeration(made, row):
    """P(item right | number right) over all patterns of the row's items: slow and plain."""
    there = np.flatnonzero(~np.isnan(row))
    chance, score = curves(made)[:, there], int(np.nansum(row))
    whole, with_item = 0.0, np.zeros(len(there))
    for pattern in itertools.product((0, 1), repeat=len(there)):
        if sum(pattern) == score:
            told = WEIGHT @ np.where(pattern, chance, 1.0 - chance).prod(axis=1)
            whole += told
            with_item += told * np.array(pattern)
    return with_item / whole


def test_chances_given_the_score_agree_with_enumeration():
    made = simulate(seed=3, learners=25, items=7, share=0.7)
    responses = made.responses

    found = conditional_chances(responses, np.arange(len(responses)), true_fit(made))

    for i, row in enumerate(made.matrix):
        mine = found[responses.learner == i]
        if np.nansum(row) in (0.0, np.sum(~np.isnan(row))):
            assert np.isnan(mine).all()
        else:
            assert mine == pytest.approx(by_enumeration(made, row))


def test_s_x2_of_a_complete_test_is_the_published_sum():
    made = simulate(seed=4, learners=1500, items=8, share=1.0)
    found = s_x2(made.responses, true_fit(made), model=ItemModel.TWO, rng=np.random.default_rng(0))

    score = made.matrix.sum(axis=1)
    expected = np.array(
        [by_enumeration(made, np.arange(8) < k) for k in range(1, 8)]
    )  # any pattern with that score
    groups = [np.flatnonzero(score == k) for k in range(1, 8)]
    total = np.zeros(8)
    for k, group in enumerate(groups):
        observed = made.matrix[group].mean(axis=0)
        p = expected[k]
        total += len(group) * (observed - p) ** 2 / (p * (1 - p))
    # Scores with less than one expected are joined with their neighbours, so a few items differ.
    whole = found.degrees == 5
    assert whole.sum() >= 3
    assert found.statistic[whole] == pytest.approx(total[whole])


def test_s_x2_of_items_that_fit_keeps_its_level():
    made = simulate(seed=6, learners=2500, items=60, share=0.3)
    fit = fit_em(made.responses)

    found = s_x2(made.responses, fit, model=ItemModel.TWO, rng=np.random.default_rng(0))

    assert 0.0 <= (found.p < 0.05).mean() <= 0.15
    assert (found.p < 0.001).sum() <= 1
    assert 0.35 < found.p.mean() < 0.65
    assert (found.n > 500).all()


def test_s_x2_finds_a_curve_that_falls_and_rises():
    made = simulate(seed=7, learners=3000, items=25, share=0.6)
    matrix, rng = made.matrix.copy(), np.random.default_rng(1)
    chance = 0.5 + 0.4 * np.sin(2.0 * made.ability)
    seen = ~np.isnan(matrix[:, 3])
    matrix[seen, 3] = (rng.random(3000) < chance)[seen]
    responses = responses_of_matrix(matrix)

    found = s_x2(responses, fit_em(responses), model=ItemModel.TWO, rng=rng)

    assert int(np.argmin(found.p)) == 3
    assert found.p[3] < 1e-8


def test_items_with_few_answers_are_not_judged():
    responses = responses_of_matrix([[1, 0, 1], [0, 1, np.nan]])
    fit = fit_em(responses)

    found = s_x2(responses, fit, model=ItemModel.TWO, rng=np.random.default_rng(0))

    assert np.isnan(found.p).all()
    assert found.degrees.tolist() == [0, 0, 0]


def test_q3_is_the_correlation_of_residuals():
    made = simulate(seed=8, learners=60, items=5, share=0.8)
    fit = true_fit(made)
    posterior = posterior_on(design_of(made.responses), fit.bank, population=REFERENCE)
    ability = posterior.weight @ ability_points()
    residual = made.matrix - probability(
        ability[:, None], difficulty=made.difficulty, discrimination=made.discrimination
    )

    n, found = q3_matrix(made.responses, fit, posterior, np.arange(5))

    for i, j in itertools.combinations(range(5), 2):
        both = ~np.isnan(residual[:, i]) & ~np.isnan(residual[:, j])
        assert n[i, j] == both.sum()
        expected = np.corrcoef(residual[both, i], residual[both, j])[0, 1]
        assert found[i, j] == pytest.approx(expected)


def test_two_items_with_the_same_answer_depend_on_each_other():
    rng = np.random.default_rng(2)
    made = simulate(seed=8, learners=1500, items=20, share=1.0)
    matrix = answer(made.ability, made.difficulty, made.discrimination, rng=rng, share=0.7)
    copied = rng.random(1500) < 0.5
    matrix[copied, 4] = matrix[copied, 9]
    responses = responses_of_matrix(matrix)
    fit = fit_em(responses)
    posterior = posterior_on(design_of(responses), fit.bank, population=fit.population)

    pairs = dependent_pairs(responses, fit, posterior)

    assert [(pair.first, pair.second) for pair in pairs] == [("i4", "i9")]
    assert pairs[0].excess > 0.3
    assert pairs[0].n > 600
    assert dependent_pairs(responses, fit, posterior, least_pairs=10_000) == []
