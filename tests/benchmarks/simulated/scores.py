"""Correlations, calibration errors and their bootstrap intervals by learner."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

BINS = 10
RESAMPLES = 1_000


@dataclass(frozen=True, slots=True)
class Score:
    """A figure with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def rounded(self) -> dict[str, float]:
        return {name: round(getattr(self, name), 4) for name in ("value", "low", "high")}


def correlation(x: FloatArray, y: FloatArray, weight: FloatArray) -> float:
    """Return the weighted Pearson correlation."""
    x = x - np.average(x, weights=weight)
    y = y - np.average(y, weights=weight)
    spread = np.average(x * x, weights=weight) * np.average(y * y, weights=weight)
    return float(np.average(x * y, weights=weight) / np.sqrt(spread))


def beyond(values: FloatArray, baseline: FloatArray) -> FloatArray:
    """Return what a straight line in `baseline` leaves of `values`."""
    centred = baseline - baseline.mean()
    return values - values.mean() - centred * (values @ centred) / (centred @ centred)


def within_concepts(values: FloatArray, concept: IntArray) -> FloatArray:
    """Return the values less their concept's mean, so that only learners differ."""
    size = int(concept.max()) + 1
    mean = np.bincount(concept, values, size) / np.maximum(np.bincount(concept, minlength=size), 1)
    return values - mean[concept]


def calibration_error(prob: FloatArray, correct: FloatArray, weight: FloatArray) -> float:
    """Return the expected calibration error over 10 bins of equal weight.

    The mean over the bins of |mean forecast - share right| (Naeini, Cooper, Hauskrecht 2015, there
    with bins of equal width).
    """
    order = np.argsort(prob, kind="stable")
    share = np.cumsum(weight[order]) / weight.sum()
    bin_of = np.minimum((share * BINS - 1e-9).astype(int), BINS - 1)
    gap = np.bincount(bin_of, (weight * (prob - correct))[order], minlength=BINS)
    return float(np.abs(gap).sum() / weight.sum())


def bootstrap(statistic: Callable[[FloatArray], float], learner: IntArray, *, seed: int) -> Score:
    """Return a statistic of row weights, resampled by learner.

    Args:
        statistic: takes one weight per row.
        learner: the learner of each row.
        seed: of the resampling.
    """
    rng = np.random.default_rng(seed)
    _, index = np.unique(learner, return_inverse=True)
    n = int(index.max()) + 1
    draws = [
        statistic(rng.multinomial(n, np.full(n, 1.0 / n)).astype(float)[index])
        for _ in range(RESAMPLES)
    ]
    low, high = np.quantile(draws, [0.025, 0.975])
    return Score(statistic(np.ones(len(learner))), float(low), float(high))
