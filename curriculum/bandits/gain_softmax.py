"""The score with weights set by hand, which needs no data: the cold start."""

import dataclasses
from typing import ClassVar

from curriculum.bandits.base import BasePolicy
from curriculum.scheduler.arms import Choices
from curriculum.scheduler.policy import GainSoftmax, Rating


@dataclasses.dataclass(frozen=True)
class GainSoftmaxPolicy(BasePolicy):
    """`curriculum.scheduler.GainSoftmax` by its name: weights are those of the rules."""

    name: ClassVar[str] = GainSoftmax.name

    def rate(self, choices: Choices) -> Rating:
        """Return the weighted sums and their capped softmax."""
        return GainSoftmax().rate(choices)
