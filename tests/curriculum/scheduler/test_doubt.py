"""How unsure a gain is, against plain draws from the posterior."""

import numpy as np
import pytest

from curriculum.scheduler.arms import relative_doubt
from curriculum.scheduler.concept_model import LOGIT_SHRINK


@pytest.mark.parametrize("prob", [0.2, 0.5, 0.66, 0.9])
@pytest.mark.parametrize("var", [0.05, 0.3, 1.0])
def test_is_that_of_draws(prob, var):
    mean = np.log(prob / (1.0 - prob)) * np.sqrt(1.0 + LOGIT_SHRINK * var)
    logits = np.random.default_rng(1).normal(mean, np.sqrt(var), 200_000)
    slope = np.exp(-logits) / (1.0 + np.exp(-logits)) ** 2

    found = relative_doubt(np.array([prob]), var=np.array([var]))[0]

    assert found == pytest.approx(slope.std() / slope.mean(), rel=0.07, abs=0.003)


def test_grows_with_the_variance_at_even_odds_too():
    var = np.array([0.0, 0.1, 0.5, 1.0, 2.0])
    doubt = relative_doubt(np.full(5, 0.5), var=var)

    assert doubt[0] == pytest.approx(0.0, abs=1e-7)
    assert (np.diff(doubt) > 0.0).all()


@pytest.mark.parametrize("prob", [0.0, 1.0])
def test_is_finite_at_certain_success_and_failure(prob):
    assert np.isfinite(relative_doubt(np.array([prob]), var=np.array([4.0]))).all()
