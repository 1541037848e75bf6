"""The published reward of SEC chases noise; the signed one does not."""

import numpy as np
import pytest

from curriculum.bandits.sec import SelfEvolvingCurriculum, boltzmann, slope_of

RUNS, TRIALS, FLOOR, RATE = 300, 120, 0.1, 0.075
MASTERED, NOISE, HARD, LEARNABLE = range(4)


def teach(policy, *, seed=0):
    """Teach four arms: return the share of each and the final mastery with its standard error.

    One arm is mastered (0.95), one pure noise (0.5), one can be learnt from 0.3, and one from 0.1
    once that is above 0.7. A tenth of the trials is uniform. After the team's notes, whose learning
    rates are not stated: RATE gives their mastery under a uniform policy within 0.01.
    """
    rng = np.random.default_rng(seed)
    times, final = np.zeros(4), []
    for _ in range(RUNS):
        prob, values = np.array([0.95, 0.5, 0.1, 0.3]), np.zeros(4)
        credit = [[], [], [], []]
        for _ in range(TRIALS):
            shares = np.full(4, 0.25)
            if policy is not None:
                shares = (1.0 - FLOOR) * boltzmann(values, tau=policy.tau) + FLOOR / 4.0
            arm = int((shares.cumsum() > rng.random()).argmax())
            times[arm] += 1
            credit[arm].append(float(rng.random() < prob[arm]))
            if policy is not None:
                values[arm] += policy.alpha * (policy.reward_of(credit[arm]) - values[arm])
            if arm == LEARNABLE or (arm == HARD and prob[LEARNABLE] > 0.7):
                prob[arm] += RATE * (0.95 - prob[arm])
        final.append(prob.mean())
    return times / times.sum(), float(np.mean(final)), float(np.std(final) / RUNS**0.5)


def test_the_published_reward_chases_noise_and_the_signed_one_learns():
    _, uniform, uniform_se = teach(None)
    published, chased, chased_se = teach(SelfEvolvingCurriculum(reward="published"))
    signed, learnt, learnt_se = teach(SelfEvolvingCurriculum())
    # The notes: noise .40 and .21, learnable .25 and .32; mastery .769, .760 and .829.
    assert uniform == pytest.approx(0.769, abs=0.015)
    assert published[NOISE] == pytest.approx(0.40, abs=0.03)
    assert published[LEARNABLE] == pytest.approx(0.25, abs=0.03)
    assert chased == pytest.approx(0.760, abs=0.015)
    assert chased < uniform + 2.0 * np.hypot(uniform_se, chased_se)
    assert signed[NOISE] == pytest.approx(0.21, abs=0.03)
    assert signed[LEARNABLE] == pytest.approx(0.32, abs=0.04)
    assert learnt > uniform + 4.0 * np.hypot(uniform_se, learnt_se)


def test_the_published_reward_is_largest_for_coin_flips():
    policy = SelfEvolvingCurriculum(reward="published")
    rng = np.random.default_rng(0)

    def mean_reward(prob):
        credit = (rng.random(400) < prob).astype(float).tolist()
        return np.mean([policy.reward_of(credit[:n]) for n in range(50, 400)])

    # E|y - p| = 2 p (1 - p).
    assert mean_reward(0.5) == pytest.approx(0.5, abs=0.03)
    assert mean_reward(0.9) == pytest.approx(0.18, abs=0.05)


def test_the_slope_is_that_of_the_answers_when_there_are_many():
    rising = (np.arange(400) % 400 > np.random.default_rng(1).permutation(400)).astype(float)
    mean, sd = slope_of(rising.tolist(), mean=0.0, sd=0.03)
    assert mean == pytest.approx(1.0 / 400.0, abs=3.0 * sd)
    assert slope_of([1.0], mean=0.02, sd=0.03) == (0.02, 0.03)
