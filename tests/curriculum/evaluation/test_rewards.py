"""Rewards: signed, of what was learnt, and nothing where nothing was."""

import numpy as np
import pytest

from curriculum.evaluation.rewards import (
    Rewards,
    RewardsUnusable,
    mastery_gain_per_minute,
    shrink,
)
from kt_models.streaming import psi_filter, psi_survey

PARAMETERS = psi_filter.FilterParameters(gain_right=0.0, gain_wrong=0.0, concept_drift_var=0.0)


def gain(before, after, *, var=(0.3, 0.3), goal=(1.0,), minutes=2.0):
    return mastery_gain_per_minute(
        before_mean=np.array([before], dtype=float),
        before_var=np.full((1, len(before)), var[0]),
        after_mean=np.array([after], dtype=float),
        after_var=np.full((1, len(after)), var[1]),
        goal=np.array(goal),
        minutes=np.array([minutes]),
    )


def test_it_is_the_rise_of_the_goals_mastery_per_minute():
    shrunk = 1.0 / np.sqrt(1.0 + np.pi / 8.0 * 0.3)
    rise = 1.0 / (1.0 + np.exp(-1.0 * shrunk)) - 0.5

    assert gain([0.0], [1.0]).value[0] == pytest.approx(rise / 2.0)
    assert gain([1.0], [0.0]).value[0] == pytest.approx(-rise / 2.0)
    assert gain([0.0, 0.0], [1.0, 0.0], goal=(1.0, 3.0)).value[0] == pytest.approx(rise / 8.0)


def survey(parameters, state, at):
    layout = psi_survey.lay_out(
        parameters,
        concepts=np.array([[0], [1]]),
        item_offsets=np.zeros(2),
        concept_ids=np.arange(2),
        concept_offsets=np.zeros(2),
    )
    return psi_survey.survey(state, parameters, layout, at=at).concepts


def rewards_of_answers(parameters, *, learners, truth, seed):
    """One answer each of learners whose level comes from the filter's own prior, or is given."""
    rng = np.random.default_rng(seed)
    sd = np.sqrt(parameters.ability_prior_var + parameters.concept_prior_var)
    start = psi_filter.init(parameters)
    columns = []
    for _ in range(learners):
        level = sd * rng.standard_normal() if truth is None else truth
        correct = float(rng.random() < 1.0 / (1.0 + np.exp(-level)))
        state = psi_filter.update(
            start, parameters, concept_ids=(0,), item_offset=0.0, correct=correct, at=60.0
        )
        before, after = survey(parameters, start, 60.0), survey(parameters, state, 60.0)
        columns.append((before.logit_mean, before.logit_var, after.logit_mean, after.logit_var))
    means = [np.array(one) for one in zip(*columns, strict=True)]
    return mastery_gain_per_minute(
        before_mean=means[0],
        before_var=means[1],
        after_mean=means[2],
        after_var=means[3],
        goal=np.array([1.0, 0.0]),
        minutes=np.ones(learners),
    )


def test_what_an_answer_reveals_is_no_reward_on_average():
    found = rewards_of_answers(PARAMETERS, learners=3_000, truth=None, seed=0)

    assert found.value.std() > 0.05
    assert abs(found.value.mean()) < 3.5 * found.value.std() / np.sqrt(3_000)
    # The stated noise is that of the answer: with nothing to learn it is all there is.
    assert np.sqrt((found.se**2).mean()) == pytest.approx(found.value.std(), rel=0.2)


def test_coin_flips_earn_nothing():
    found = rewards_of_answers(PARAMETERS, learners=3_000, truth=0.0, seed=1)

    assert abs(found.value.mean()) < 3.5 * found.value.std() / np.sqrt(3_000)


def test_fitted_practice_gain_is_rewarded():
    teaching = psi_filter.FilterParameters(gain_right=0.3, gain_wrong=0.3)
    found = rewards_of_answers(teaching, learners=1_000, truth=0.0, seed=2)

    # A logit of 0.3 at even odds, less what the uncertainty takes.
    assert 0.04 < found.value.mean() < 0.08


def test_shrinking_keeps_signs_and_order_of_equal_noise_and_drops_pure_noise():
    rng = np.random.default_rng(3)
    true = 0.05 * rng.standard_normal(4_000)
    se = np.where(rng.random(4_000) < 0.5, 0.02, 0.2)
    seen = Rewards(true + se * rng.standard_normal(4_000), se)

    shrunk = shrink(seen)

    assert (np.sign(shrunk) == np.sign(seen.value)).all()
    assert np.mean((shrunk - true) ** 2) < 0.2 * np.mean((seen.value - true) ** 2)
    # Empirical Bayes knows the spread: its error is near the best linear one.
    best = seen.value * 0.05**2 / (0.05**2 + se**2)
    assert np.mean((shrunk - true) ** 2) == pytest.approx(np.mean((best - true) ** 2), rel=0.1)
    noise = Rewards(0.1 * rng.standard_normal(500), np.full(500, 0.15))
    assert (shrink(noise) == 0.0).all()
    assert shrink(Rewards(np.zeros(0), np.zeros(0))).shape == (0,)


@pytest.mark.parametrize(
    "change",
    [{"minutes": 0.0}, {"minutes": -1.0}, {"minutes": np.nan}, {"goal": (0.0,)}, {"goal": (-1.0,)}],
)
def test_what_has_no_reward_is_refused(change):
    with pytest.raises(RewardsUnusable):
        gain([0.0], [1.0], **change)
