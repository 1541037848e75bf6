"""How good probabilities are: AUC, log loss, Brier score, calibration; intervals by learner."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kt_models.errors import KTModelError, ShapeMismatch

FloatArray = NDArray[np.float64]
Metric = Callable[[FloatArray, FloatArray, FloatArray], float]

# A model that is certain and wrong pays for it, but not without end.
CERTAIN = 1e-9
CALIBRATION_BINS = 20


class OneKindOfAnswer(KTModelError):
    """AUC needs both right and wrong answers."""


def auc(correct: FloatArray, prob: FloatArray, weight: FloatArray | None = None) -> float:
    """Return P(a right answer was given a higher probability than a wrong one), ties half.

    Args:
        correct: [R]; above 0.5 counts as right.
        prob: [R].
        weight: [R] times each answer counts; once by default.

    Raises:
        OneKindOfAnswer: all answers are right, or all are wrong.
    """
    _require_same_length(correct, prob)
    times = np.ones(len(prob)) if weight is None else weight
    return _auc_of_ranked(*_ranked(correct, prob), times)


def log_loss(correct: FloatArray, prob: FloatArray, weight: FloatArray | None = None) -> float:
    """Return the mean of -log P(the answer that came), in nats; partial credit counts in part."""
    _require_same_length(correct, prob)
    sure = np.clip(prob, CERTAIN, 1.0 - CERTAIN)
    losses = -correct * np.log(sure) - (1.0 - correct) * np.log1p(-sure)
    return float(np.average(losses, weights=weight))


def brier(correct: FloatArray, prob: FloatArray, weight: FloatArray | None = None) -> float:
    """Return the mean squared difference of probability and answer."""
    _require_same_length(correct, prob)
    return float(np.average((correct - prob) ** 2, weights=weight))


def calibration_error(
    correct: FloatArray, prob: FloatArray, weight: FloatArray | None = None
) -> float:
    """Return the expected calibration error over 20 bins that hold equally many answers.

    It is the mean over answers of |mean probability - share right| of the answer's bin (Naeini,
    Cooper & Hauskrecht 2015). Random labels do not make it large: it says nothing of sorting.
    """
    _require_same_length(correct, prob)
    times = np.ones(len(prob)) if weight is None else weight
    order = np.argsort(prob, kind="stable")
    bins = np.arange(len(prob)) * CALIBRATION_BINS // len(prob)
    gap = (times * (correct - prob))[order]
    sums = np.bincount(bins, gap, minlength=CALIBRATION_BINS)
    return float(np.abs(sums).sum() / times.sum())


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


def by_learner(
    metric: Metric,
    *,
    correct: FloatArray,
    prob: FloatArray,
    learner: NDArray[np.int64],
    seed: int,
    resamples: int = 500,
) -> Interval:
    """Return a metric with a 95 % percentile interval from resampling whole learners.

    Answers of one learner are not independent, so resampling answers would promise too much.

    Args:
        metric: one of this module's, taking weights.
        correct: [R].
        prob: [R].
        learner: [R] index of the learner.
        seed: of the resampling.
        resamples: how many.
    """
    _, member = np.unique(learner, return_inverse=True)
    rng = np.random.default_rng(seed)
    count = int(member.max()) + 1
    ranked = _ranked(correct, prob) if metric is auc else None
    values = []
    for _ in range(resamples):
        drawn = np.bincount(rng.integers(0, count, count), minlength=count).astype(float)
        weight = drawn[member]
        # Sorting once instead of per resample is what makes an interval for AUC affordable.
        value = _auc_of_ranked(*ranked, weight) if ranked else metric(correct, prob, weight)
        values.append(value)
    low, high = np.quantile(values, [0.025, 0.975])
    return Interval(metric(correct, prob, np.ones(len(prob))), float(low), float(high))


def _ranked(
    correct: FloatArray, prob: FloatArray
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return the order by probability, the starts of runs of ties, and right or wrong in order."""
    order = np.argsort(prob, kind="stable")
    ranked = prob[order]
    runs = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))
    return order, runs, correct[order] > 0.5


def _auc_of_ranked(
    order: NDArray[np.int64],
    runs: NDArray[np.int64],
    right: NDArray[np.bool_],
    weight: FloatArray,
) -> float:
    ranked = weight[order]
    rights = np.add.reduceat(np.where(right, ranked, 0.0), runs)
    wrongs = np.add.reduceat(np.where(right, 0.0, ranked), runs)
    pairs = rights.sum() * wrongs.sum()
    if not pairs:
        raise OneKindOfAnswer("AUC needs both right and wrong answers among those scored.")
    below = np.cumsum(wrongs) - wrongs
    return float(rights @ (below + 0.5 * wrongs) / pairs)


def _require_same_length(correct: FloatArray, prob: FloatArray) -> None:
    if correct.shape != prob.shape or not len(prob):
        raise ShapeMismatch(f"{len(correct)} answers and {len(prob)} probabilities: give as many.")
