"""What a decision earned: signed mastery gain per minute, as a frozen model sees it.

Not correctness (easy items), not surprise |y - p| (coin flips), not clicks or minutes (time on
screen): each of these can be had without anybody learning anything.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curriculum.errors import CurriculumError

FloatArray = NDArray[np.float64]

# E sigmoid(x) = sigmoid(m / sqrt(1 + pi v / 8)) for x ~ N(m, v), MacKay 1992.
LOGIT_SHRINK = math.pi / 8.0
KIND = "mastery-gain-per-minute"
# What a choice earns that the learner skipped, put off or left: it is an outcome of the policy, and
# nothing was practised by it. Left out, a policy would be judged on what learners care to answer:
# given the answer, weights no longer have mean 1, and skipping hard items would look like teaching.
NOT_TAKEN = 0.0


class RewardsUnusable(CurriculumError):
    """Arrays that do not fit together, or minutes that are not above 0."""


@dataclass(frozen=True, slots=True, eq=False)
class Rewards:
    """Rewards of R decisions, in mastery (0..1) per minute.

    Attributes:
        value: [R] signed.
        se: [R] how far chance in the answer alone moves it, 0 or more.
    """

    value: FloatArray
    se: FloatArray


def mastery_gain_per_minute(
    *,
    before_mean: FloatArray,
    before_var: FloatArray,
    after_mean: FloatArray,
    after_var: FloatArray,
    goal: FloatArray,
    minutes: FloatArray,
) -> Rewards:
    """Return how much the mastery of the goal rose by each decision's answer, per minute.

    Both states are of one frozen model and of one moment (right after the answer), so that neither
    a new model nor forgetting is counted. The rise has two parts: what practice taught, by the
    model's fitted gain, and what the answer revealed. The second has mean 0 if the model is
    calibrated; its variance is, by the law of total variance, the answer's reduction of the
    variance of the level, which gives `se` (all concepts moved by one answer are taken as moving
    together).

    Args:
        before_mean: [R, K] logits of success on K concepts before the answer.
        before_var: [R, K] their variances.
        after_mean: [R, K] after it.
        after_var: [R, K].
        goal: [R, K] or [K] weights of the concepts, 0 or more, not all 0.
        minutes: [R] that the decision took, above 0.

    Raises:
        RewardsUnusable: naming what does not fit.
    """
    shape = before_mean.shape
    same = {before_var.shape, after_mean.shape, after_var.shape} == {shape}
    if len(shape) != 2 or not same or minutes.shape != shape[:1]:
        raise RewardsUnusable("Give [R, K] means and variances, and [R] minutes.")
    weight = np.broadcast_to(goal, shape)
    if not (minutes > 0.0).all() or not np.isfinite(minutes).all():
        raise RewardsUnusable("A decision took no time: give minutes above 0.")
    if (weight < 0.0).any() or (shape[0] and not (weight.sum(axis=1) > 0.0).all()):
        raise RewardsUnusable("A goal has no concept, or a weight below 0.")
    weight = weight / weight.sum(axis=1, keepdims=True)
    before, after = mastery(before_mean, before_var), mastery(after_mean, after_var)
    revealed = np.sqrt(np.maximum(before_var - after_var, 0.0)) * before * (1.0 - before)
    return Rewards(
        value=np.asarray((weight * (after - before)).sum(axis=1) / minutes),
        se=np.asarray((weight * revealed).sum(axis=1) / minutes),
    )


def mastery(mean: FloatArray, var: FloatArray) -> FloatArray:
    """Return P(right answer) of logits with these means and variances."""
    shrunk = mean / np.sqrt(1.0 + LOGIT_SHRINK * var)
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * shrunk)))


def shrink(rewards: Rewards) -> FloatArray:
    """Return [R] the rewards drawn towards 0 by how noisy each is.

    Empirical Bayes around 0: value tau^2 / (tau^2 + se^2), where tau^2 is what of the rewards'
    mean square is left after that of their noise. Where nothing is left, all are 0: what cannot
    be told from chance is no reward. The sign never changes.
    """
    if not len(rewards.value):
        return rewards.value.copy()
    spread = max(float(np.mean(rewards.value**2) - np.mean(rewards.se**2)), 0.0)
    if spread == 0.0:
        return np.zeros_like(rewards.value)
    return np.asarray(rewards.value * spread / (spread + rewards.se**2))
