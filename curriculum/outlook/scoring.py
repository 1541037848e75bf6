"""How good forecasts are where some outcomes are never seen; every figure reads chance by chance.

Weights come from `censoring.outcomes_by`. Learners are resampled by giving the looks of one weight
0, 1, 2, …: the same functions score a resample.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
# Looks that a concordance pairs with all others at most: one row of numbers each.
MOST_PAIRED = 2_000
# Of how often each look counts, [n].
Score = Callable[[FloatArray], float]


@dataclass(frozen=True, slots=True)
class AtWorkingPoint:
    """Shares among looks named as at risk, and among those that did miss the date, 0..1.

    `named` is the share of all looks that is named. nan where there is nobody to take a share of.
    """

    precision: float
    recall: float
    named: float


def at_working_point(
    missed: BoolArray, risk: FloatArray, weight: FloatArray, threshold: float
) -> AtWorkingPoint:
    """Return precision and recall of naming all whose risk is at least the threshold."""
    named = risk >= threshold
    hits = float(weight[named & missed].sum())
    return AtWorkingPoint(
        precision=_ratio(hits, float(weight[named].sum())),
        recall=_ratio(hits, float(weight[missed].sum())),
        named=_ratio(float(weight[named].sum()), float(weight.sum())),
    )


def average_precision(missed: BoolArray, risk: FloatArray, weight: FloatArray) -> float:
    """Return the area under precision by recall, by steps; by chance the share that missed.

    Looks of equal risk are named together, so a rule of few values gains nothing from their order.
    """
    total = float(weight[missed].sum())
    if not total:
        return float("nan")
    order = np.argsort(-risk, kind="stable")
    hits, named = np.cumsum((weight * missed)[order]), np.cumsum(weight[order])
    last = np.append(np.diff(risk[order]) != 0.0, True)
    hits, named = hits[last], named[last]
    gained = np.diff(hits, prepend=0.0)
    return float((gained * hits / np.maximum(named, 1e-300)).sum() / total)


def area_under_roc(missed: BoolArray, risk: FloatArray, weight: FloatArray) -> float:
    """Return the chance that one who missed had the higher risk, ties half; by chance 0.5."""
    _, place = np.unique(risk, return_inverse=True)
    bad = np.bincount(place, weight * missed)
    good = np.bincount(place, weight * ~missed)
    below = np.cumsum(good) - 0.5 * good
    return _ratio(float(bad @ below), float(bad.sum() * good.sum()))


def brier(missed: BoolArray, chance: FloatArray, weight: FloatArray) -> float:
    """Return the mean squared difference of the chance to miss and whether it came so."""
    return _ratio(float(weight @ (missed - chance) ** 2), float(weight.sum()))


def best_threshold(missed: BoolArray, risk: FloatArray, weight: FloatArray) -> float:
    """Return the threshold with the largest F1: the working point, to be chosen on other learners.

    Raises:
        ValueError: nobody missed the date.
    """
    total = float(weight[missed].sum())
    if not total:
        raise ValueError("Nobody missed the date: there is no working point to choose.")
    order = np.argsort(-risk, kind="stable")
    hits, named = np.cumsum((weight * missed)[order]), np.cumsum(weight[order])
    last = np.append(np.diff(risk[order]) != 0.0, True)
    found = 2.0 * hits / np.maximum(named + total, 1e-300)
    return float(risk[order][last][int(np.argmax(found[last]))])


@dataclass(frozen=True, slots=True)
class Bin:
    """Forecasts of about one chance: outcomes known, the mean said, the share that came."""

    low: float
    high: float
    n: int
    said: float
    came: float


def calibrate(
    came: BoolArray, chance: FloatArray, weight: FloatArray, *, bins: int = 5
) -> list[Bin]:
    """Return forecasts in bins of equal width, those that hold any."""
    place = np.minimum((chance * bins).astype(np.int64), bins - 1)
    found = []
    for number in range(bins):
        own = (place == number) & (weight > 0.0)
        if own.any():
            said = float(np.average(chance[own], weights=weight[own]))
            share = float(np.average(came[own], weights=weight[own]))
            found.append(Bin(number / bins, (number + 1) / bins, int(own.sum()), said, share))
    return found


def absolute_error(
    days: FloatArray, expected: FloatArray, weight: FloatArray, horizon: float
) -> float:
    """Return the mean of |days - expected|, both no more than the horizon, in days.

    The risk of arXiv:1906.01908, equation 4, with the absolute loss, of restricted times. Weights
    are those of `outcomes_by` at the horizon: there the restricted time is known.
    """
    off = np.abs(np.minimum(days, horizon) - np.minimum(expected, horizon))
    return _ratio(float(weight @ off), float(weight.sum()))


def concordance(
    days: FloatArray, reached: BoolArray, expected: FloatArray, weight: FloatArray, horizon: float
) -> Score:
    """Return how to score how often who reached the goal earlier was expected earlier; chance 0.5.

    Uno's C up to the horizon ("On the C-statistics for evaluating overall adequacy of risk
    prediction procedures with censored survival data", Statistics in Medicine 30, 2011): the pair's
    weight is the earlier one's squared; equal expectations are half right. Of more than
    `MOST_PAIRED` earlier ones so many are drawn, always the same.
    """
    rows = np.flatnonzero(reached & (days < horizon) & (weight > 0.0))
    if len(rows) > MOST_PAIRED:
        rows = np.sort(np.random.default_rng(0).choice(rows, MOST_PAIRED, replace=False))
    later = days[None, :] > days[rows, None]
    right = (expected[None, :] > expected[rows, None]).astype(np.float32)
    right += 0.5 * (expected[None, :] == expected[rows, None])
    right *= later
    squared = weight[rows] ** 2

    def score(times: FloatArray) -> float:
        first = squared * times[rows]
        counted = times.astype(np.float32)
        return _ratio(float(first @ (right @ counted)), float(first @ (later @ counted)))

    return score


def interval(score: Score, learner: IntArray, *, resamples: int, seed: int) -> tuple[float, float]:
    """Return the 95 % interval of a score of weights' multiples [n], learners drawn anew.

    Args:
        score: of how often each look counts.
        learner: [n] whose look each is.
        resamples: how many cohorts are drawn.
        seed: of the draws.
    """
    _, owner = np.unique(learner, return_inverse=True)
    size, rng = int(owner.max()) + 1, np.random.default_rng(seed)
    found = []
    for _ in range(resamples):
        times = np.bincount(rng.integers(size, size=size), minlength=size)
        found.append(score(times[owner].astype(float)))
    low, high = np.nanquantile(found, (0.025, 0.975))
    return float(low), float(high)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
