"""Inverse propensity, self-normalised and doubly robust estimates, decision by decision.

With w = target chance / logged chance of what was done (joint over arm and item) and q a model of
the reward of an arm that never saw the learner it speaks of:

    IPS    mean of w r                          Horvitz and Thompson 1952
    SNIPS  sum of w r / sum of w                Swaminathan and Joachims 2015
    DR     mean of sum_a target(a) q(a) + w (r - q(a logged))
                                                Dudik, Langford and Li 2011

Every decision counts by itself, with the reward it earned: products of weights along a learner's
whole path would explode with its length.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curriculum.evaluation.decisions import DecisionLog
from curriculum.evaluation.ridge import fit_ridge
from curriculum.evaluation.targets import Target

FloatArray = NDArray[np.float64]

FOLDS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """What each of n decisions adds to the estimates.

    Attributes:
        weight: [n] w, clipped.
        raw_weight: [n] w before clipping.
        reward: [n].
        robust: [n] the doubly robust term.
    """

    weight: FloatArray
    raw_weight: FloatArray
    reward: FloatArray
    robust: FloatArray


def find_terms(log: DecisionLog, target: Target, *, clip: float, seed: int) -> Terms:
    """Return the terms of decisions that all have a reward.

    Args:
        log: the decisions.
        target: the policy's chances at them.
        clip: largest weight; larger ones count as that, which biases all but DR's model part.
        seed: of the folds of learners.
    """
    raw = target.pair / log.propensity
    weight = np.minimum(raw, clip)
    predicted = cross_fitted_rewards(log, seed=seed)
    expected = np.add.reduceat(target.arms * predicted, log.starts[:-1])
    robust = expected + weight * (log.reward - predicted[log.chosen])
    return Terms(weight=weight, raw_weight=raw, reward=log.reward, robust=robust)


def cross_fitted_rewards(log: DecisionLog, *, seed: int) -> FloatArray:
    """Return [T] the reward expected of every open arm by a ridge regression on its features.

    Learners are in folds; an arm is predicted by the fit without its learner's fold.
    """
    learners = int(log.learner.max()) + 1
    folds = min(FOLDS, learners)
    fold_of_learner = np.random.default_rng([seed, 7]).permutation(learners) % folds
    fold = fold_of_learner[log.learner]
    fold_of_arm = fold[log.decision_of_arm]
    predicted = np.full(len(log.values), float(log.reward.mean()))
    if folds < 2:
        return predicted
    for held_out in range(folds):
        rows = log.chosen[fold != held_out]
        arms = fold_of_arm == held_out
        if len(rows) and arms.any():
            intercept, slopes = fit_ridge(log.values[rows], log.reward[fold != held_out])
            predicted[arms] = intercept + log.values[arms] @ slopes
    return predicted
