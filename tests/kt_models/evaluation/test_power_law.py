"""Error over learners: the law is found again, and no more is promised than it bears out."""

import math

import numpy as np
import pytest

from kt_models.errors import ShapeMismatch
from kt_models.evaluation.power_law import PowerLaw, TooFewSizes, fit_power_law, more_learners

SIZES = [50, 100, 200, 400, 800]
COUNTS = np.full(200, 30.0)


def curve(law, rng, *, sizes=SIZES, runs=3, noise=0.0, learners=0.0):
    """Summed losses [runs, T] per size: a law, luck of the run, luck of the test learner."""
    person = learners * rng.normal(size=len(COUNTS))
    return [
        np.stack([(law.error(size) + noise * rng.normal() + person) * COUNTS for _ in range(runs)])
        for size in sizes
    ]


class TestFitPowerLaw:
    @pytest.mark.parametrize("law", [PowerLaw(1.0, 0.5, 0.42), PowerLaw(0.3, 0.2, 0.0)])
    def test_finds_the_law_that_made_the_points(self, law):
        found = fit_power_law(SIZES, [law.error(n) for n in SIZES])

        assert found.b == pytest.approx(law.b, rel=0.02)
        assert found.c == pytest.approx(law.c, abs=0.005)
        for size in (50, 800, 3200):
            assert found.error(size) == pytest.approx(law.error(size), abs=1e-3)

    def test_has_no_slope_where_more_learners_hurt(self):
        found = fit_power_law(SIZES, [0.50, 0.51, 0.52, 0.53, 0.54])

        assert found.a == 0.0
        assert found.c == pytest.approx(0.52)
        assert found.learners_for(0.51) == math.inf

    def test_never_has_a_floor_below_nought(self):
        found = fit_power_law(SIZES, [0.5, 0.4, 0.2, 0.05, 0.001])

        assert found.c == 0.0

    def test_refuses_what_cannot_be_fitted(self):
        with pytest.raises(TooFewSizes, match="2 sizes"):
            fit_power_law([10, 20, 20], [0.3, 0.2, 0.2])
        with pytest.raises(ShapeMismatch):
            fit_power_law([10, 20, 30], [0.3, 0.2])


def test_learners_for_is_the_inverse_of_error():
    law = PowerLaw(1.0, 0.5, 0.42)

    assert law.learners_for(law.error(1234.0)) == pytest.approx(1234.0)
    assert law.learners_for(0.42) == math.inf


class TestMoreLearners:
    def test_tells_how_many_where_the_points_lie_on_a_law(self):
        law = PowerLaw(1.0, 0.5, 0.42)
        losses = curve(law, np.random.default_rng(0), noise=1e-4, learners=0.1)

        found = more_learners(losses, sizes=SIZES, counts=COUNTS, gain=0.005, seed=0, resamples=100)

        truth = law.learners_for(law.error(800) - 0.005) - 800
        assert found.low < truth < found.high
        assert found.high < 2.0 * truth
        assert found.out_of_reach == 0.0
        assert "95 % interval" in found.verdict()
        assert found.exponent[0] < 0.5 < found.exponent[1]

    def test_owns_up_where_the_floor_is_in_the_way(self):
        law = PowerLaw(1.0, 1.0, 0.5)
        losses = curve(law, np.random.default_rng(0), noise=1e-5)

        found = more_learners(losses, sizes=SIZES, counts=COUNTS, gain=0.01, seed=0, resamples=50)

        assert (found.needed, found.high, found.out_of_reach) == (math.inf, math.inf, 1.0)
        assert "cannot be told: in 100 %" in found.verdict()

    def test_owns_up_where_luck_is_larger_than_the_slope(self):
        law = PowerLaw(0.2, 0.3, 0.5)
        losses = curve(law, np.random.default_rng(1), noise=0.02)

        found = more_learners(losses, sizes=SIZES, counts=COUNTS, gain=0.005, seed=0, resamples=100)

        assert found.high == math.inf
        assert 0.0 < found.out_of_reach < 1.0
        assert "cannot be told" in found.verdict()

    def test_knows_the_luck_of_who_was_tested(self):
        law, widths = PowerLaw(1.0, 0.5, 0.42), []
        for spread in (0.0, 0.3):
            losses = curve(law, np.random.default_rng(0), runs=1, learners=spread)
            found = more_learners(
                losses, sizes=SIZES, counts=COUNTS, gain=0.005, seed=0, resamples=50
            )
            widths.append(found.floor[1] - found.floor[0])

        # The mean of 200 learners' levels moves by 0.3 / sqrt(200) either way.
        assert widths[0] < 1e-6
        assert widths[1] == pytest.approx(4.0 * 0.3 / np.sqrt(200), rel=0.3)

    def test_weighs_test_learners_by_their_answers(self):
        counts = np.array([10.0, 30.0])
        losses = [np.array([[10.0, 15.0]]) * 0.8**k for k in range(3)]

        found = more_learners(
            losses, sizes=[10, 20, 40], counts=counts, gain=0.01, seed=0, resamples=5
        )

        assert found.errors == pytest.approx([25.0 / 40.0 * 0.8**k for k in range(3)])

    def test_refuses_losses_of_other_learners(self):
        with pytest.raises(ShapeMismatch, match="same T test learners"):
            more_learners(
                [np.ones((1, 3))] * 3, sizes=[1, 2, 3], counts=np.ones(4), gain=0.1, seed=0
            )
