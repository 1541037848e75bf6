"""The learnt score finds the coefficients that made the rewards, whoever chose the arms."""

import numpy as np
import pytest

from curriculum.bandits import make_policy
from curriculum.fitting.errors import NothingToFit
from curriculum.fitting.linear import fit_linear
from curriculum.scheduler import find_distribution
from curriculum.scheduler.features import FEATURES, PRIOR
from tests.curriculum.bandits.test_every_policy import an_open_course

TRUTH = np.array(PRIOR) + np.where(np.array(FEATURES) == "progress", 3.0, 0.0)


def decisions(n, *, truth, noise, seed=0, greedy=0.0):
    """Decisions among four arms with random features; `greedy` prefers the prior's best."""
    rng = np.random.default_rng(seed)
    arms = rng.uniform(0.0, 1.0, (n, 4, len(FEATURES)))
    weight = np.exp(greedy * arms @ np.array(PRIOR))
    shares = weight / weight.sum(axis=1, keepdims=True)
    taken = (shares.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    features = arms[np.arange(n), taken]
    rewards = 0.02 * (features @ truth + noise * rng.standard_normal(n))
    return features, rewards, shares[np.arange(n), taken]


class TestFit:
    def test_finds_what_made_the_rewards(self):
        fit = fit_linear(*decisions(20_000, truth=TRUTH, noise=1.0, greedy=1.0))
        ratio = fit.coefficients / TRUTH.clip(min=1e-9)
        shown = TRUTH > 0.0
        # Up to the scale on which the score is put.
        assert ratio[shown].std() / ratio[shown].mean() < 0.05
        assert abs(fit.coefficients[~shown]).max() < 0.1 * fit.coefficients[shown].min()
        assert fit.effective < fit.decisions

    def test_stays_with_the_prior_where_little_is_known(self):
        few = fit_linear(*decisions(60, truth=TRUTH, noise=1.0))
        many = fit_linear(*decisions(5_000, truth=TRUTH, noise=1.0))
        place = FEATURES.index("progress")
        assert abs(few.coefficients - np.array(PRIOR)).max() < 0.5
        assert many.coefficients[place] > 2.0 * few.coefficients[place]

    def test_noise_teaches_nothing(self):
        features, rewards, chances = decisions(20_000, truth=0.0 * TRUTH, noise=1.0)
        fit = fit_linear(features, rewards, chances)
        assert fit.explained < 0.01
        assert abs(fit.coefficients).max() < 0.15

    def test_its_standard_deviations_are_those_of_repeated_fits(self):
        fits = [
            fit_linear(
                *decisions(2_000, truth=TRUTH, noise=2.0, seed=seed, greedy=1.0),
                prior_decisions=0.01,
            )
            for seed in range(60)
        ]
        estimates = np.array([fit.coefficients * fit.reward_scale for fit in fits])
        stated = np.array(
            [np.sqrt((fit.root @ fit.root.T).diagonal()) * fit.reward_scale for fit in fits]
        )
        assert (stated.mean(axis=0) / estimates.std(axis=0)).mean() == pytest.approx(1.0, abs=0.15)

    @pytest.mark.parametrize("chances", [np.zeros(60), np.full(60, np.nan), np.ones(3)])
    def test_impossible_tables_are_refused(self, chances):
        with pytest.raises(NothingToFit):
            fit_linear(np.ones((60, len(FEATURES))), np.ones(60), chances)


class TestPolicies:
    def test_take_the_fit_through_json(self):
        fit = fit_linear(*decisions(3_000, truth=TRUTH, noise=1.0))
        situation = an_open_course()
        for policy in (fit.softmax(), fit.thompson(draws=4_000)):
            again = make_policy(policy.name, policy.to_dict())
            assert again.version == policy.version
            assert again.version != make_policy(policy.name).version
            chances = find_distribution(situation, policy=again)
            assert chances.fallback is None

    def test_thompson_counts_wins_within_its_stated_error(self):
        situation = an_open_course()
        exact = find_distribution(situation, policy=make_policy("thompson", {"draws": 200_000}))
        for seed in range(20):
            policy = make_policy("thompson", {"draws": 500, "seed": seed})
            rating = find_distribution(situation, policy=policy).rating
            z = (rating.shares - exact.rating.shares) / rating.shares_error
            assert abs(z).max() < 4.5

    def test_an_unfitted_softmax_is_the_score_set_by_hand(self):
        situation = an_open_course()
        ours, theirs = (
            find_distribution(situation, policy=make_policy(name)).joint
            for name in ("linear-softmax", "gain-softmax")
        )
        assert ours == pytest.approx(theirs)
