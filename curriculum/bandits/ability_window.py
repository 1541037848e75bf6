"""Items within a window around the learner's ability, which is pushed when it stands still."""

import dataclasses
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from curriculum.bandits.base import BasePolicy
from curriculum.scheduler.arms import Choices
from curriculum.scheduler.policy import Rating, rate_pairs

FloatArray = NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class AbilityWindow(BasePolicy):
    """Draw uniformly among items whose difficulty lies in [theta + lower, theta + upper].

    The dynamic data selection of PUDF (Meng, Lalor and Yu 2025, arXiv:2408.05326): when the
    ability has not risen for `patience` epochs it is raised by `nudge`, so that harder items
    come in. An epoch is `epoch` answers; theta after each is the mode of the posterior under
    N(0, 1) given that epoch's answers, on the scale where the items' present logits are 0 - b.
    """

    name: ClassVar[str] = "ability-window"
    lower: float = -2.0
    upper: float = 0.0
    epoch: int = 5
    patience: int = 2
    nudge: float = 0.1

    def check(self) -> None:
        """Refuse an empty window and epochs without answers."""
        self.require(holds=self.lower < self.upper, what="lower must lie below upper")
        self.require(holds=min(self.epoch, self.patience) >= 1, what="give at least one answer")
        self.require(holds=self.nudge >= 0.0, what="nudge must not be negative")

    def rate(self, choices: Choices) -> Rating:
        """Return equal chances in the window; where it is empty, the items closest to it."""
        # Ability is 0 on the scale of the present logits: logit = theta - b.
        difficulty = -choices.situation.logit_mean[choices.item]
        pushed = self._push(choices)
        below = self.lower + pushed - difficulty
        above = difficulty - (self.upper + pushed)
        outside = np.maximum(np.maximum(below, above), 0.0)
        nearest = outside <= outside.min() + 1e-9
        log_weight = np.where(nearest, 0.0, -np.inf)
        return rate_pairs(choices, log_weight=log_weight, scores=-outside)

    def _push(self, choices: Choices) -> float:
        """Return how far the window is raised because ability stands still, logits."""
        situation, rows = choices.situation, choices.standing.recent_rows
        known = rows >= 0
        logits, credit = situation.logit_mean[rows[known]], situation.recent.correct[known]
        epochs = len(credit) // self.epoch
        latest = slice(len(credit) - epochs * self.epoch, None)
        thetas = _posterior_modes(
            logits[latest].reshape(epochs, self.epoch), credit[latest].reshape(epochs, self.epoch)
        )
        still, pushed, best = 0, 0.0, -np.inf
        for theta in thetas.tolist():
            still = 0 if theta > best else still + 1
            best = max(best, theta)
            if still >= self.patience:
                pushed, still = pushed + self.nudge, 0
        return pushed


def _posterior_modes(logits: FloatArray, credit: FloatArray) -> FloatArray:
    """Return [E] the modes of theta under N(0, 1), for E epochs of answers [E, n].

    An answer's logit is theta + `logits`. Newton's steps are cut to 1: they may overshoot.
    """
    theta = np.zeros(len(logits))
    for _ in range(20):
        prob = 0.5 * (1.0 + np.tanh(0.5 * (theta[:, None] + logits)))
        slope = (credit - prob).sum(axis=1) - theta
        curvature = 1.0 + (prob * (1.0 - prob)).sum(axis=1)
        theta += np.clip(slope / curvature, -1.0, 1.0)
    return theta
