"""Learnt coefficients: found where there is something, the prior where there is not."""

import numpy as np
import pytest

from curriculum.bandits import LinearSoftmax
from curriculum.bandits.fit_linear import MIN_ROWS, NothingFitted, fit_linear
from curriculum.scheduler.features import FEATURES, PRIOR

SIZE = len(FEATURES)
ARMS = 6


def decisions(rng, *, truth, rows, noise):
    """Decisions among random arms by chance, with rewards `truth` of the chosen arm."""
    arms = rng.random((rows, ARMS, SIZE))
    drawn = arms[np.arange(rows), rng.integers(ARMS, size=rows)]
    mean = arms.mean(axis=1)
    level = rng.normal(0.0, 0.5, rows)
    reward = level + (drawn - mean) @ truth + rng.normal(0.0, noise, rows)
    return {
        "chosen": drawn,
        "mean": mean,
        "spread": (arms - mean[:, None]).reshape(-1, SIZE),
        "reward": 0.01 * reward,
    }


def test_finds_the_order_of_arms_that_earns():
    rng = np.random.default_rng(0)
    truth = rng.normal(0.0, 1.0, SIZE)
    given = decisions(rng, truth=truth, rows=6000, noise=0.5)

    found = fit_linear(**given)

    scores, best = given["spread"] @ np.array(found.coefficients), given["spread"] @ truth
    assert np.corrcoef(scores, best)[0, 1] > 0.97
    assert scores.std() == pytest.approx((given["spread"] @ np.array(PRIOR)).std())
    assert LinearSoftmax(coefficients=found.coefficients).version != LinearSoftmax().version


def test_keeps_the_prior_where_it_is_right_and_all_else_is_noise():
    rng = np.random.default_rng(1)
    given = decisions(rng, truth=np.array(PRIOR), rows=400, noise=1.0)

    found = fit_linear(**given)

    scores = given["spread"] @ np.array(found.coefficients)
    assert np.corrcoef(scores, given["spread"] @ np.array(PRIOR))[0, 1] > 0.9
    assert found.prior_slope == pytest.approx(0.01, abs=4 * found.prior_slope_se)


def test_random_rewards_have_no_slope():
    rng = np.random.default_rng(2)
    slopes = []
    for _ in range(60):
        given = decisions(rng, truth=np.zeros(SIZE), rows=300, noise=1.0)
        found = fit_linear(**given)
        slopes.append(found.prior_slope / found.prior_slope_se)

    assert abs(np.mean(slopes)) < 3.0 / np.sqrt(60)
    assert np.std(slopes) == pytest.approx(1.0, abs=0.3)


def test_a_situation_that_earns_is_no_arms_merit():
    """Whoever has many easy arms open earns more; which of them was drawn does not matter."""
    rng = np.random.default_rng(3)
    given = decisions(rng, truth=np.zeros(SIZE), rows=3000, noise=0.1)
    given["reward"] = given["reward"] + 0.05 * given["mean"][:, 3]

    found = fit_linear(**given)

    assert abs(found.prior_slope) < 4 * found.prior_slope_se


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reward": np.zeros(MIN_ROWS - 1)}, "features"),
        ({"chosen": np.zeros((MIN_ROWS, 3))}, f"{SIZE}"),
        ({"reward": np.full(MIN_ROWS, np.nan)}, "missing"),
    ],
)
def test_refuses_what_does_not_fit(change, message):
    given = decisions(np.random.default_rng(4), truth=np.zeros(SIZE), rows=MIN_ROWS, noise=1.0)

    with pytest.raises(NothingFitted, match=message):
        fit_linear(**{**given, **change})


def test_refuses_too_few():
    given = decisions(np.random.default_rng(5), truth=np.zeros(SIZE), rows=MIN_ROWS - 1, noise=1.0)

    with pytest.raises(NothingFitted, match=f"{MIN_ROWS} are needed"):
        fit_linear(**given)
