"""The item whose expected success is closest to one target: the usual rule of adaptive practice."""

import dataclasses
from typing import ClassVar

import numpy as np

from curriculum.bandits.base import BasePolicy
from curriculum.scheduler.arms import Choices
from curriculum.scheduler.policy import Rating, rate_pairs


@dataclasses.dataclass(frozen=True)
class ClosestToTarget(BasePolicy):
    """Draw among all eligible items by a narrow Gaussian around `target`, whatever the arm."""

    name: ClassVar[str] = "closest-to-target"
    target: float = 0.75
    width: float = 0.02

    def check(self) -> None:
        """Refuse a target or width that is none."""
        self.require(holds=0.0 < self.target < 1.0, what="target must lie between 0 and 1")
        self.require(holds=self.width > 0.0, what="width must be > 0")

    def rate(self, choices: Choices) -> Rating:
        """Return the chances; an arm's score is minus the distance of its closest item."""
        miss = np.abs(choices.situation.prob[choices.item] - self.target)
        log_weight = -0.5 * (miss / self.width) ** 2
        return rate_pairs(choices, log_weight=log_weight, scores=-miss)
