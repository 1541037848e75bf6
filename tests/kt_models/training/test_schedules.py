"""Learning rates: the linear decay, and the refinement of arXiv 2310.07831 worked out by hand."""

import numpy as np
import pytest

from kt_models.training.schedules import POINTS, learning_rates

LAST = POINTS - 1


class TestLinear:
    def test_falls_from_the_highest_to_zero(self):
        rates = learning_rates(0.0)

        assert rates == pytest.approx(np.linspace(1.0, 0.0, POINTS))

    def test_rises_during_the_warm_up_and_then_joins_the_line(self):
        rates = learning_rates(0.2)

        assert rates[0] == 0.0
        assert rates.argmax() == LAST // 5
        assert rates.max() == 1.0
        # At 0.6 of the run 0.4 is left, of 0.8 at the top.
        assert rates[600] == pytest.approx(0.5)
        assert rates[-1] == 0.0


class TestRefined:
    def test_weighs_each_step_by_its_inverse_norm_and_what_is_to_come(self):
        # w = 1, 1/2, 1/4; what is to come 3/4, 1/4, 0; products 3/4, 1/8, 0.
        rates = learning_rates(0.0, gradient_norms=np.array([1.0, 2.0, 4.0]))

        assert rates[[0, 500, 1000]] == pytest.approx([1.0, 1.0 / 6.0, 0.0])
        assert rates[250] == pytest.approx((1.0 + 1.0 / 6.0) / 2.0)

    def test_of_even_norms_is_the_linear_decay(self):
        rates = learning_rates(0.0, gradient_norms=np.full(50, 3.0))

        assert rates == pytest.approx(learning_rates(0.0))

    def test_one_wild_step_is_filtered_out(self):
        norms = np.full(40, 2.0)
        norms[17] = 1e6

        assert learning_rates(0.0, gradient_norms=norms) == pytest.approx(learning_rates(0.0))

    def test_large_first_gradients_make_a_warm_up_whatever_was_configured(self):
        norms = np.concatenate([np.linspace(50.0, 1.0, 20), np.ones(180)])

        rates = learning_rates(0.05, gradient_norms=norms)

        assert 0.0 < rates[0] < 0.1
        assert 0.05 * LAST < rates.argmax() < 0.15 * LAST
        assert (rates == learning_rates(0.3, gradient_norms=norms)).all()

    @pytest.mark.parametrize("steps", [1, 2, 9, 10, 11, 999])
    def test_runs_of_any_length_end_at_zero(self, steps):
        norms = np.random.default_rng(0).uniform(0.0, 5.0, steps)

        rates = learning_rates(0.1, gradient_norms=norms)

        assert rates.shape == (POINTS,)
        assert ((rates >= 0.0) & (rates <= 1.0)).all()
        assert rates.max() == 1.0
        assert rates[-1] == 0.0
