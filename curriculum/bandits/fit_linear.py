"""Coefficients of `LinearSoftmax` from decisions and what they earned.

Rewards are in mastery per minute, scores in units of the softmax's temperature. What ties the two
is the score with weights set by hand: the reward is regressed on the chosen arm's features, less
their mean over the open arms (a constant added to all arms moves no choice), the slopes are drawn
to a multiple of the prior's weights, and the result is scaled so that scores differ between arms as
much as under the prior. So the temperature keeps its meaning, and with few decisions the prior
stays.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curriculum.errors import CurriculumError
from curriculum.scheduler.features import FEATURES, PRIOR

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Of the slopes beside the prior's, in rows of standardised features.
PENALTY = 200.0
MIN_ROWS = 200


class NothingFitted(CurriculumError):
    """Too few decisions, or features that do not fit the policy."""


@dataclass(frozen=True, slots=True, eq=False)
class LinearFit:
    """What was learnt.

    Attributes:
        coefficients: one for each of `FEATURES`.
        prior_slope: reward per unit of the prior's score; at or below 0 the hand-set weights rank
            arms no better than chance, and the coefficients are those of the rewards alone.
        prior_slope_se: its standard error, as if decisions were independent.
        rows: decisions used.
    """

    coefficients: tuple[float, ...]
    prior_slope: float
    prior_slope_se: float
    rows: int


def fit_linear(
    *, chosen: FloatArray, mean: FloatArray, spread: FloatArray, reward: FloatArray
) -> LinearFit:
    """Return the coefficients.

    Args:
        chosen: [n, F] features of the arm that was drawn, in the order of `FEATURES`.
        mean: [n, F] their mean over the arms that were open.
        spread: [m, F] features of open arms less their decision's mean, any sample of them: how
            much arms differ where a choice is made.
        reward: [n] what the decision earned.

    Raises:
        NothingFitted: fewer than `MIN_ROWS` rows, other features, or a number missing.
    """
    size = len(FEATURES)
    if chosen.shape != (len(reward), size) or mean.shape != chosen.shape or not len(spread):
        raise NothingFitted(f"Give [n, {size}] features, their means, and [n] rewards.")
    if len(reward) < MIN_ROWS:
        raise NothingFitted(f"{len(reward)} decisions with a reward; {MIN_ROWS} are needed.")
    if not all(np.isfinite(one).all() for one in (chosen, mean, spread, reward)):
        raise NothingFitted("A number is missing: leave decisions without a reward out.")
    prior = np.array(PRIOR)
    apart = chosen - mean
    # What the situation itself is worth (a hard course, a tired learner) is no arm's merit.
    left = reward - _explained(mean, reward)
    score = apart @ prior
    slope, error = _slope(score, left)
    slopes = _ridge(apart, left - max(slope, 0.0) * score) + max(slope, 0.0) * prior
    width, wanted = float((spread @ slopes).std()), float((spread @ prior).std())
    scale = wanted / width if width > 1e-12 else 0.0
    coefficients = slopes * scale if scale else prior
    return LinearFit(tuple(coefficients.tolist()), slope, error, len(reward))


def _explained(features: FloatArray, reward: FloatArray) -> FloatArray:
    """Return [n] what the mean features of a decision say of its reward."""
    centred = features - features.mean(axis=0)
    return np.asarray(reward.mean() + centred @ _ridge(centred, reward - reward.mean()))


def _ridge(features: FloatArray, outcome: FloatArray) -> FloatArray:
    """Return [F] slopes through the origin, drawn to 0 on the features' own scales."""
    scale = np.sqrt(np.mean(features**2, axis=0))
    unit = features / np.where(scale > 1e-12, scale, 1.0)
    gram = unit.T @ unit + PENALTY * np.eye(features.shape[1])
    slopes = np.linalg.solve(gram, unit.T @ outcome)
    return np.where(scale > 1e-12, slopes / np.where(scale > 1e-12, scale, 1.0), 0.0)


def _slope(score: FloatArray, outcome: FloatArray) -> tuple[float, float]:
    total = float(score @ score)
    if total < 1e-12:
        return 0.0, 0.0
    slope = float(score @ outcome) / total
    rest = outcome - slope * score
    return slope, float(np.sqrt(rest @ rest / max(len(score) - 1, 1) / total))
