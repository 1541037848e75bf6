"""The linear score of an arm, learnt from decisions and their rewards by ridge regression."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curriculum.bandits.linear_softmax import LinearSoftmax
from curriculum.bandits.thompson import Thompson
from curriculum.fitting.errors import NothingToFit
from curriculum.scheduler.features import FEATURES, PRIOR

FloatArray = NDArray[np.float64]
LEAST_DECISIONS = 50


@dataclass(frozen=True, slots=True, eq=False)
class LinearFit:
    """The posterior of the coefficients.

    Attributes:
        coefficients: [F] its mean, on the scale of the score with weights set by hand.
        root: [F, F] lower triangular root of its covariance.
        decisions: rows it was learnt from.
        effective: as many rows of equal weight would tell as much: (sum w)^2 / sum w^2.
        reward_scale: reward that one unit of the score stands for.
        explained: weighted share of the rewards' variance that the score explains, in sample.
    """

    coefficients: FloatArray
    root: FloatArray
    decisions: int
    effective: float
    reward_scale: float
    explained: float

    def softmax(self) -> LinearSoftmax:
        """Return the frozen policy that takes the mean."""
        return LinearSoftmax(coefficients=tuple(np.round(self.coefficients, 6).tolist()))

    def thompson(self, *, draws: int = 1_000, seed: int = 0) -> Thompson:
        """Return the frozen policy that draws from the posterior."""
        return Thompson(
            coefficients=tuple(np.round(self.coefficients, 6).tolist()),
            root=tuple(map(tuple, np.round(self.root, 6).tolist())),
            draws=draws,
            seed=seed,
        )


def fit_linear(
    features: FloatArray,
    rewards: FloatArray,
    propensities: FloatArray,
    *,
    prior_decisions: float = 200.0,
    clip: float = 20.0,
) -> LinearFit:
    """Return the coefficients that predict the reward of the arm taken, shrunk to the prior's.

    Weighted least squares with weights 1 / propensity, clipped: all open arms count alike, whatever
    the policy that chose among them. The reward is put on the scale of the prior's score, its mean
    taken out; the coefficients are pulled towards the prior's (those of the score with weights set
    by hand) as by `prior_decisions` earlier decisions.

    Args:
        features: [n, F] of the arms taken, as in the receipts.
        rewards: [n] signed gain of mastery per minute.
        propensities: [n] chance with which the arm was taken, > 0.
        prior_decisions: how much the prior weighs, in decisions.
        clip: the largest weight, in multiples of the smallest possible, 1.

    Raises:
        NothingToFit: too few rows, or columns that do not fit together.
    """
    _require_table(features, rewards, propensities)
    weights = np.minimum(1.0 / propensities, clip)
    weights /= weights.mean()
    inputs = features - np.average(features, axis=0, weights=weights)
    reward = rewards - np.average(rewards, weights=weights)
    prior = np.array(PRIOR)
    scale = _scale(reward, inputs @ prior, weights)
    target = reward / scale
    penalty = prior_decisions * max(float((weights[:, None] * inputs**2).mean()), 1e-6)
    precision = (weights[:, None] * inputs).T @ inputs + penalty * np.eye(len(prior))
    pull = (weights[:, None] * inputs).T @ (target - inputs @ prior)
    coefficients = prior + np.linalg.solve(precision, pull)
    left = target - inputs @ coefficients
    noise = float(np.average(left**2, weights=weights))
    total = float(np.average(target**2, weights=weights))
    # Weights that differ make the estimate less sure than their sum says: the sandwich's middle.
    spread = (weights[:, None] ** 2 * inputs).T @ inputs + penalty * np.eye(len(prior))
    inverse = np.linalg.inv(precision)
    covariance = noise * inverse @ spread @ inverse
    return LinearFit(
        coefficients=coefficients,
        root=np.linalg.cholesky((covariance + covariance.T) / 2.0).astype(np.float64),
        decisions=len(rewards),
        effective=float(weights.sum() ** 2 / (weights**2).sum()),
        reward_scale=scale,
        explained=1.0 - noise / total if total > 0.0 else 0.0,
    )


def _scale(reward: FloatArray, score: FloatArray, weights: FloatArray) -> float:
    """Return the reward that one unit of score stands for: the ratio of their spreads."""
    spread = float(np.average(score**2, weights=weights)) ** 0.5
    of_reward = float(np.average(reward**2, weights=weights)) ** 0.5
    return of_reward / spread if spread > 0.0 and of_reward > 0.0 else 1.0


def _require_table(features: FloatArray, rewards: FloatArray, propensities: FloatArray) -> None:
    if features.shape != (len(rewards), len(FEATURES)) or propensities.shape != rewards.shape:
        raise NothingToFit(
            f"features {features.shape}, rewards {rewards.shape} and propensities "
            f"{propensities.shape} do not fit together: give [n, {len(FEATURES)}], [n] and [n]."
        )
    if len(rewards) < LEAST_DECISIONS:
        raise NothingToFit(f"{len(rewards)} decisions: at least {LEAST_DECISIONS} are needed.")
    if not all(np.isfinite(values).all() for values in (features, rewards, propensities)):
        raise NothingToFit("A feature, reward or propensity is not finite.")
    if propensities.min() <= 0.0:
        raise NothingToFit("A propensity is not > 0: such a decision cannot be weighted.")
