"""Placement: the items that say most about a new learner's ability."""

import dataclasses
from typing import ClassVar

from curriculum.bandits.base import BasePolicy
from curriculum.scheduler.arms import Choices
from curriculum.scheduler.placement import rate_by_information
from curriculum.scheduler.policy import Rating


@dataclasses.dataclass(frozen=True)
class MaximumInformation(BasePolicy):
    """Draw uniformly among the `best` most informative items.

    The randomesque rule of Kingsbury and Zara (1989). Information is Fisher's of
    the two-parameter logistic model, a^2 p (1 - p), at the expected success.
    Meant for placement only: it makes learners fail half of the time.
    """

    name: ClassVar[str] = "maximum-information"
    best: int = 10

    def check(self) -> None:
        """Refuse a set of no items."""
        self.require(holds=self.best >= 1, what="best must be at least 1")

    def rate(self, choices: Choices) -> Rating:
        """Return equal chances for the most informative items; scores are their information."""
        return rate_by_information(choices, best=self.best)
