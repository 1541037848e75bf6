"""One concept after the other, each until it is mastered: the standard rule of the field."""

import dataclasses
from typing import ClassVar

import numpy as np

from curriculum.bandits.base import BasePolicy
from curriculum.bandits.histories import credits_by_arm
from curriculum.scheduler.arms import Choices
from curriculum.scheduler.exploration import take_the_best
from curriculum.scheduler.policy import Rating
from curriculum.scheduler.standing import REVIEW


@dataclasses.dataclass(frozen=True)
class MasteryThreshold(BasePolicy):
    """Stay with the first concept in teaching order that does not look mastered.

    That is: success below `threshold` (Corbett and Anderson 1995 use 0.95), and fewer than `run`
    right answers in a row (Kelly, Wang, Thompson and Heffernan 2015). Reviews come last.
    """

    name: ClassVar[str] = "mastery-threshold"
    threshold: float = 0.95
    run: int = 3

    def check(self) -> None:
        """Refuse a threshold that is no chance."""
        self.require(holds=0.0 < self.threshold <= 1.0, what="threshold must lie in (0, 1]")
        self.require(holds=self.run >= 1, what="run must be at least 1")

    def rate(self, choices: Choices) -> Rating:
        """Return the certain arm; its items are drawn as in every arm."""
        arms = choices.arms
        answers = credits_by_arm(choices)
        ran = [len(credit) >= self.run and min(credit[-self.run :]) >= 0.5 for credit in answers]
        mastered = np.array(ran) | (choices.situation.concept_prob[arms.concept] >= self.threshold)
        scores = arms.order + 2.0 * arms.step_back - 2.0 * mastered - 4.0 * (arms.mode == REVIEW)
        return Rating(scores=scores, shares=take_the_best(scores))
