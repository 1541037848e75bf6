import numpy as np
import pytest

from curriculum.irt.curves import information, log_chances, probability

ITEMS = {
    "difficulty": np.array([-1.0, 0.3, 2.0]),
    "discrimination": np.array([0.5, 1.0, 2.2]),
    "guessing": np.array([0.0, 0.25, 0.2]),
}
THETA = np.linspace(-4.0, 4.0, 9)


def test_half_of_those_who_do_not_guess_know_an_item_of_their_own_level():
    at = probability(ITEMS["difficulty"], **ITEMS)

    assert at == pytest.approx([0.5, 0.625, 0.6])


def test_information_is_the_squared_slope_over_the_variance():
    step = 1e-5
    chance = probability(THETA[:, None], **ITEMS)
    above, below = (probability(THETA[:, None] + d, **ITEMS) for d in (step, -step))
    slope = (above - below) / (2 * step)

    expected = slope**2 / (chance * (1.0 - chance))
    assert information(THETA[:, None], **ITEMS) == pytest.approx(expected, rel=1e-5)


def test_log_chances_are_the_logs_of_both_outcomes():
    right, wrong = log_chances(THETA, **ITEMS)
    chance = probability(THETA, **{name: x[:, None] for name, x in ITEMS.items()})

    assert np.exp(right) == pytest.approx(chance)
    assert np.exp(wrong) == pytest.approx(1.0 - chance)


def test_nothing_overflows_far_away():
    right, wrong = log_chances(np.array([-1e4, 1e4]), **ITEMS)

    assert np.isfinite(right[1:]).all()
    assert wrong[0, 1] == pytest.approx(-5000.5)
    assert information(np.array([-1e4, 1e4])[:, None], **ITEMS) == pytest.approx(0.0, abs=1e-12)
