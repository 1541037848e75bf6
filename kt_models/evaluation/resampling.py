"""Intervals from resampling whole learners, of a metric and of the difference of two models.

Answers of one learner are not independent, so resampling answers would promise too much.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kt_models.errors import ShapeMismatch
from kt_models.evaluation import metrics
from kt_models.evaluation.metrics import FloatArray, Metric, OneKindOfAnswer

RESAMPLES = 500
# Value of a metric where learner l counts drawn[l] times.
_Weighted = Callable[[FloatArray], float]


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
    resamples: int = RESAMPLES,
) -> Interval:
    """Return a metric with a 95 % percentile interval from resampling whole learners.

    Args:
        metric: one of `metrics`, or another that takes weights.
        correct: [R].
        prob: [R].
        learner: [R] index of the learner.
        seed: of the resampling.
        resamples: how many.

    Raises:
        ShapeMismatch: the arrays differ in length.
        OneKindOfAnswer: the metric is `auc` and all answers are right, or all wrong.
    """
    member, count = _members(correct, prob, learner)
    of_drawn = _weighted(metric, correct, prob, member, count)
    value = metric(correct, prob, np.ones(len(prob)))
    return _interval(value, of_drawn, count, seed, resamples)


def paired(
    metric: Metric,
    *,
    correct: FloatArray,
    prob: FloatArray,
    other: FloatArray,
    learner: NDArray[np.int64],
    seed: int,
    resamples: int = RESAMPLES,
) -> Interval:
    """Return metric(prob) - metric(other) on the same answers, with its 95 % interval.

    Both are resampled together: what makes an answer hard for both cancels, so this interval is
    far narrower than those of the two figures. One that leaves 0 out is a real lead.

    Args:
        metric: one of `metrics`, or another that takes weights.
        correct: [R].
        prob: [R] of the one model.
        other: [R] of the other.
        learner: [R] index of the learner.
        seed: of the resampling.
        resamples: how many.

    Raises:
        ShapeMismatch: the arrays differ in length.
        OneKindOfAnswer: the metric is `auc` and all answers are right, or all wrong.
    """
    member, count = _members(correct, prob, learner)
    one = _weighted(metric, correct, prob, member, count)
    two = _weighted(metric, correct, other, member, count)
    once = np.ones(len(prob))
    value = metric(correct, prob, once) - metric(correct, other, once)
    return _interval(value, lambda drawn: one(drawn) - two(drawn), count, seed, resamples)


def _members(
    correct: FloatArray, prob: FloatArray, learner: NDArray[np.int64]
) -> tuple[NDArray[np.int64], int]:
    if not len(correct) == len(prob) == len(learner):
        sizes = f"{len(correct)} answers, {len(prob)} probabilities, {len(learner)} learners"
        raise ShapeMismatch(f"{sizes}: give one of each per answer.")
    names, member = np.unique(learner, return_inverse=True)
    return member, len(names)


def _weighted(
    metric: Metric, correct: FloatArray, prob: FloatArray, member: NDArray[np.int64], count: int
) -> _Weighted:
    """Return the metric as a function of how often each learner was drawn.

    What does not depend on the draw is done here, once: sorting for the AUC, sums per learner for
    means.
    """
    if metric is metrics.auc:
        ranking = metrics.Ranking.of(correct, prob)
        ranked = member[ranking.order]
        return lambda drawn: ranking.auc_in_order(drawn[ranked])
    if metric in metrics.PER_ANSWER:
        each = metrics.PER_ANSWER[metric](correct, prob)
        sums = np.bincount(member, each, minlength=count)
        sizes = np.bincount(member, minlength=count).astype(float)
        return lambda drawn: float(drawn @ sums / (drawn @ sizes))
    return lambda drawn: metric(correct, prob, drawn[member])


def _interval(value: float, of_drawn: _Weighted, count: int, seed: int, resamples: int) -> Interval:
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(resamples):
        drawn = np.bincount(rng.integers(0, count, count), minlength=count).astype(float)
        try:
            values.append(of_drawn(drawn))
        except OneKindOfAnswer:
            # With very few learners a draw may hold one kind; it says nothing of sorting.
            continue
    low, high = np.quantile(values, [0.025, 0.975]) if values else (value, value)
    return Interval(value, float(low), float(high))
