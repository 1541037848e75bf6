"""Priors of new items: learnt where there is something to learn, worth nothing where not."""

import numpy as np
import pytest

from curriculum.irt.crowd import LEAST_RESPONDENTS, calibrate_crowd
from curriculum.irt.em import fit_em
from curriculum.irt.errors import ImpossibleResponse, ImpossibleSetting
from curriculum.irt.item_priors import (
    LEAST_SD,
    UNTRIED_SD,
    Source,
    concept_source,
    learn_priors,
    pool,
)
from curriculum.irt.models import Priors
from curriculum.irt.responses import responses_of_matrix
from curriculum.irt.standard_errors import standard_errors
from curriculum.irt.text_features import NAMES, text_features


def a_bank(*, items=120, seed=0, noise=0.5):
    """Items whose difficulty follows concept and text, with noise; and what is known of them."""
    rng = np.random.default_rng(seed)
    concept = rng.integers(0, 8, items)
    text = rng.normal(size=(items, 3))
    difficulty = rng.normal(0.0, 1.0, 8)[concept] + 0.8 * text[:, 0] + rng.normal(0, noise, items)
    return difficulty, (concept_source(concept), Source("text", text))


class TestLearnPriors:
    def test_equals_leaving_each_item_out_by_hand(self):
        difficulty, sources = a_bank(items=40)
        se = np.full(40, 0.2)
        whole = learn_priors(sources=sources, difficulty=difficulty, se=se)

        for k in (0, 7, 23):
            without = difficulty.copy()
            without[k] = np.nan
            alone = learn_priors(sources=sources, difficulty=without, se=se)
            # The other one standardises and tunes without the item, too: nearly the same.
            assert whole.mean[k] == pytest.approx(alone.mean[k], abs=0.12)

    def test_says_of_new_items_what_known_ones_teach(self):
        difficulty, sources = a_bank(noise=0.3)
        known = difficulty.copy()
        known[90:] = np.nan

        found = learn_priors(sources=sources, difficulty=known, se=np.full(120, 0.2))

        new = slice(90, None)
        assert np.corrcoef(found.mean[new], difficulty[new])[0, 1] > 0.9
        assert set(found.sources) == {"concept", "text"}
        assert found.rmse < 0.6 * found.rmse_without
        assert (found.sd == LEAST_SD).all()

    def test_believes_nothing_that_is_chance(self):
        rng = np.random.default_rng(1)
        difficulty = rng.normal(0.3, 1.2, 200)
        sources = (
            concept_source(rng.integers(0, 40, 200)),
            Source("text", rng.normal(size=(200, 12))),
        )

        found = learn_priors(sources=sources, difficulty=difficulty, se=np.full(200, 0.2))

        assert found.rmse == pytest.approx(found.rmse_without, rel=0.02)
        assert found.sd[0] == pytest.approx(1.2, abs=0.15)
        assert np.abs(found.mean - difficulty.mean()).max() < 0.5

    def test_covers_what_it_says(self):
        difficulty, sources = a_bank(items=400, noise=1.0)
        known = difficulty.copy()
        known[200:] = np.nan

        found = learn_priors(sources=sources, difficulty=known, se=np.full(400, 0.1))

        apart = np.abs(difficulty - found.mean)[200:] / found.sd[200:]
        assert 0.9 < (apart < 1.96).mean() < 0.99

    def test_takes_the_author_s_word_while_few_are_known(self):
        guess = np.array([-1.0, 0.0, 1.0, 2.0])
        difficulty = np.array([0.5, np.nan, np.nan, np.nan])

        found = learn_priors(sources=(), difficulty=difficulty, se=np.full(4, 0.2), guess=guess)

        assert found.mean.tolist() == [0.5, 1.5, 2.5, 3.5]
        assert set(found.sd) == {UNTRIED_SD}
        assert np.isnan(found.rmse)

    def test_bears_silent_and_constant_features(self):
        difficulty, (concept, _) = a_bank(items=60)
        odd = np.full((60, 2), np.nan)
        odd[:, 1] = 4.0

        found = learn_priors(
            sources=(concept, Source("odd", odd)), difficulty=difficulty, se=np.full(60, 0.2)
        )

        assert np.isfinite(found.mean).all()

    def test_refuses_another_number_of_items(self):
        with pytest.raises(ImpossibleSetting):
            learn_priors(
                sources=(Source("text", np.zeros((3, 1))),), difficulty=np.zeros(4), se=np.ones(4)
            )


class TestPool:
    def test_is_the_posterior_under_the_other_prior(self):
        """The twin: the fit itself, made with the prior that `pool` puts in afterwards."""
        rng = np.random.default_rng(3)
        matrix = (
            rng.random((400, 12))
            < 1 / (1 + np.exp(np.linspace(-1, 1, 12) - rng.normal(size=(400, 1))))
        ).astype(float)
        matrix[25:, 0] = np.nan
        responses = responses_of_matrix(matrix)
        wide, narrow = Priors(2.0, 0.05), Priors(0.7, 0.05)
        wide_fit, narrow_fit = (fit_em(responses, priors=own) for own in (wide, narrow))
        nobody = np.zeros(12, dtype=bool)
        errors = standard_errors(
            responses, wide_fit, model="2pl", priors=wide, anchored=nobody
        ).difficulty

        found, se = pool(
            difficulty=wide_fit.bank.difficulty,
            se=errors,
            fitted_sd=2.0,
            prior_mean=np.zeros(12),
            prior_sd=np.full(12, 0.7),
        )

        assert found == pytest.approx(narrow_fit.bank.difficulty, abs=0.06)
        assert (se < errors).all()

    def test_of_nothing_is_the_prior(self):
        found, se = pool(
            difficulty=np.array([np.nan]),
            se=np.array([np.nan]),
            fitted_sd=2.0,
            prior_mean=np.array([0.4]),
            prior_sd=np.array([0.9]),
        )

        assert (found[0], se[0]) == pytest.approx((0.4, 0.9))


class TestCrowd:
    def test_finds_what_its_members_find_hard(self):
        rng = np.random.default_rng(4)
        difficulty = np.linspace(-2.0, 2.0, 60)
        ability = np.linspace(-2.0, 2.0, 12)[:, None]
        answers = (rng.random((12, 60)) < 1 / (1 + np.exp(difficulty - ability))).astype(float)
        answers[3, 5:20] = np.nan
        answers[:, 9] = np.nan

        found = calibrate_crowd(answers)

        seen = np.arange(60) != 9
        assert np.isnan(found[9])
        assert np.corrcoef(found[seen], difficulty[seen])[0, 1] > 0.8

    def test_refuses_too_few_and_what_is_no_answer(self):
        with pytest.raises(ImpossibleSetting):
            calibrate_crowd(np.ones((LEAST_RESPONDENTS - 1, 3)))
        with pytest.raises(ImpossibleResponse):
            calibrate_crowd(np.full((LEAST_RESPONDENTS, 3), 0.5))
        assert np.isnan(calibrate_crowd(np.full((LEAST_RESPONDENTS, 3), np.nan))).all()


class TestTextFeatures:
    def test_has_a_number_for_every_name(self):
        found = text_features(
            stem="Which is <b>not</b> $\\frac{12}{7} + (3^2)$?",
            options=("one", "two three"),
            hints=2,
        )

        by_name = dict(zip(NAMES, found, strict=True))
        assert len(found) == len(NAMES)
        assert by_name["negations"] == 1.0
        assert by_name["longest_number"] == pytest.approx(np.log(3))
        assert by_name["fractions"] > 0.0
        assert by_name["options"] == pytest.approx(np.log(3))
        assert by_name["hints"] == pytest.approx(np.log(3))

    def test_bears_an_empty_stem(self):
        assert np.isfinite(text_features(stem="")).all()
