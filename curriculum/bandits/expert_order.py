"""The teacher's sequence, a fixed number of items of each concept."""

import dataclasses
from typing import ClassVar

from curriculum.bandits.base import BasePolicy
from curriculum.scheduler.arms import Choices
from curriculum.scheduler.expert import follow_expert
from curriculum.scheduler.policy import Rating


@dataclasses.dataclass(frozen=True)
class ExpertOrder(BasePolicy):
    """Give the concepts in teaching order, `block` items each, and begin again."""

    name: ClassVar[str] = "expert-order"
    block: int = 5

    def check(self) -> None:
        """Refuse blocks without items."""
        self.require(holds=self.block >= 1, what="block must be at least 1")

    def rate(self, choices: Choices) -> Rating:
        """Return one certain pair."""
        return follow_expert(choices, block=self.block)
