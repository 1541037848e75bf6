"""Any eligible item with the same chance: the baseline, and the reference slice of a log."""

import dataclasses
from typing import ClassVar

import numpy as np

from curriculum.bandits.base import BasePolicy
from curriculum.scheduler.arms import Choices
from curriculum.scheduler.policy import Rating


@dataclasses.dataclass(frozen=True)
class Uniform(BasePolicy):
    """Draw an item uniformly, then one of its arms."""

    name: ClassVar[str] = "uniform"

    def rate(self, choices: Choices) -> Rating:
        """Return equal scores; an arm's share is the chance of its items."""
        size = len(choices.arms.concept)
        shares = np.bincount(choices.arm, weights=choices.uniform, minlength=size).astype(float)
        return Rating(
            scores=np.zeros(size), shares=shares, within=choices.uniform / shares[choices.arm]
        )
