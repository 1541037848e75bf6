"""Ratings of policies that weigh items across arms, or one arm's answers over time."""

import numpy as np
from numpy.typing import NDArray

from curriculum.scheduler.arms import Choices
from curriculum.scheduler.policy import Rating

FloatArray = NDArray[np.float64]


def rate_pairs(choices: Choices, *, log_weight: FloatArray, scores: FloatArray) -> Rating:
    """Return the rating that draws pairs by their weights.

    An item that is in several arms has its weight once, shared by these.

    Args:
        choices: the arms and their items.
        log_weight: [Q] logarithms of weights; -inf for never, not for all.
        scores: [Q] the best of an arm becomes its score.
    """
    size = len(choices.arms.concept)
    weight = np.exp(log_weight - log_weight.max()) / np.bincount(choices.item)[choices.item]
    weight /= weight.sum()
    shares = np.bincount(choices.arm, weights=weight, minlength=size)
    best = np.full(size, -np.inf)
    np.maximum.at(best, choices.arm, scores)
    # The arms' own chances where no item of the arm has any: they are never used.
    within = choices.within.copy()
    some = shares[choices.arm] > 0.0
    within[some] = weight[some] / shares[choices.arm[some]]
    return Rating(scores=best, shares=shares / shares.sum(), within=within)


def credits_by_arm(choices: Choices) -> list[list[float]]:
    """Return for each of A arms the credit of the recent answers on its concept, oldest first."""
    place = {concept: arm for arm, concept in enumerate(choices.arms.concept.tolist())}
    found: list[list[float]] = [[] for _ in place]
    carried = choices.situation.bank.carried
    rows, credit = choices.standing.recent_rows.tolist(), choices.situation.recent.correct.tolist()
    for row, value in zip(rows, credit, strict=True):
        for concept in carried[row] if row >= 0 else ():
            if concept in place:
                found[place[concept]].append(value)
    return found
