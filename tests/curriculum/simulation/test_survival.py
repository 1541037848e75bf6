"""Kaplan-Meier's restricted mean, against a plain twin and closed forms."""

import numpy as np
import pytest

from curriculum.simulation.survival import restricted_means


def plain_restricted_mean(time, event, *, horizon):
    """Area under Kaplan-Meier's curve, step by step from its definition."""
    survival, area, last = 1.0, 0.0, 0.0
    for moment in sorted({min(t, horizon) for t in time}):
        area += survival * (moment - last)
        last = moment
        at_risk = sum(min(t, horizon) >= moment for t in time)
        died = sum(
            e and t <= horizon and min(t, horizon) == moment
            for t, e in zip(time, event, strict=True)
        )
        survival *= 1.0 - died / at_risk
    return area + survival * (horizon - last)


def test_it_is_the_plain_mean_where_nothing_is_censored_before_the_horizon():
    time = np.array([1.0, 4.0, 2.0, 9.0])
    event = np.array([True, True, True, False])

    found = restricted_means(time, event, np.ones((1, 4)), horizon=5.0)

    assert found == pytest.approx([(1 + 4 + 2 + 5) / 4])


def test_it_equals_the_plain_twin_with_ties_and_censoring():
    rng = np.random.default_rng(0)
    for _ in range(30):
        time = rng.integers(0, 8, 25).astype(float)
        event = rng.random(25) < 0.6
        found = restricted_means(time, event, np.ones((1, 25)), horizon=6.0)
        assert found[0] == pytest.approx(plain_restricted_mean(time, event, horizon=6.0))


def test_weights_count_like_repeated_cases():
    rng = np.random.default_rng(1)
    time, event = rng.exponential(3.0, 12), rng.random(12) < 0.7
    weight = rng.integers(0, 4, 12)
    repeated = np.repeat(np.arange(12), weight)

    found = restricted_means(time, event, weight[None].astype(float), horizon=5.0)

    assert found[0] == pytest.approx(
        plain_restricted_mean(time[repeated], event[repeated], horizon=5.0)
    )


def test_it_sees_through_random_censoring():
    rng = np.random.default_rng(2)
    waits, left = rng.exponential(2.0, 20_000), rng.exponential(3.0, 20_000)
    time, event = np.minimum(waits, left), waits <= left

    found = restricted_means(time, event, np.ones((1, 20_000)), horizon=4.0)[0]

    # The integral of exp(-t / 2) from 0 to 4; the plain mean of what was seen is far below.
    assert found == pytest.approx(2.0 * (1.0 - np.exp(-2.0)), abs=0.03)
    assert np.minimum(time, 4.0).mean() < 1.3


def test_nobody_cannot_be_waited_for():
    with pytest.raises(ValueError, match="nobody"):
        restricted_means(np.array([]), np.array([], dtype=bool), np.ones((1, 0)), horizon=1.0)
