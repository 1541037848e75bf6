"""ZPDES: learning progress within a zone that opens as the learner succeeds."""

import dataclasses
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from curriculum.bandits.base import BasePolicy
from curriculum.bandits.histories import credits_by_arm
from curriculum.scheduler.arms import Choices
from curriculum.scheduler.policy import Rating

FloatArray = NDArray[np.float64]
# The reward of an activity that was never tried.
FIRST_REWARD = 0.5


@dataclasses.dataclass(frozen=True)
class Zpdes(BasePolicy):
    """Draw arms in proportion to their recent rise of success (Clement et al. 2015, 1310.3174).

    An answer's reward is max(0, mean success of the last d/2 answers on the arm less that of the
    d/2 before), or 0.5 for the first; the arm's weight becomes `keep` times itself plus `take`
    times the reward. The zone begins with the first open concept in teaching order; the next one
    comes in once the success of the one before passes `open_above`, and an arm leaves when its
    own passes `close_above`. All of it is read off the recent answers. The defaults are those of
    the published configuration.
    """

    name: ClassVar[str] = "zpdes"
    window: int = 6
    success_window: int = 3
    open_above: float = 0.5
    close_above: float = 0.7
    keep: float = 0.8
    take: float = 0.2
    uniform: float = 0.05

    def check(self) -> None:
        """Refuse windows without answers and shares outside 0..1."""
        self.require(holds=self.window >= 2, what="window must be at least 2")
        self.require(holds=self.success_window >= 1, what="success_window must be at least 1")
        shares = (self.open_above, self.close_above, self.keep, self.take, self.uniform)
        self.require(holds=all(0.0 <= share <= 1.0 for share in shares), what="shares: 0..1")

    def rate(self, choices: Choices) -> Rating:
        """Return weights in the zone; outside it only the uniform part of the decision draws."""
        answers = credits_by_arm(choices)
        weights = np.array([self.weight(credit) for credit in answers])
        zone = self._zone(answers)
        inside = np.where(zone, np.maximum(weights, 1e-6), 0.0)
        shares = (1.0 - self.uniform) * inside / inside.sum() + self.uniform * zone / zone.sum()
        return Rating(
            scores=np.where(zone, weights, weights - 1.0),
            shares=shares,
            terms={"progress": weights, "in_zone": zone.astype(np.float64)},
        )

    def weight(self, credit: list[float]) -> float:
        """Return the weight of an arm after these answers on it, oldest first."""
        half, weight = self.window // 2, FIRST_REWARD
        for count in range(2, len(credit) + 1):
            latest = credit[max(count - half, 0) : count]
            before = credit[max(count - 2 * half, 0) : max(count - half, 0)]
            # Too few answers for a difference leave the first reward standing.
            reward = (
                max(0.0, float(np.mean(latest)) - float(np.mean(before)))
                if before
                else FIRST_REWARD
            )
            weight = self.keep * weight + self.take * reward
        return weight

    def _zone(self, answers: list[list[float]]) -> NDArray[np.bool_]:
        """Return [A] the arms in the zone, at least one."""
        success = [
            float(np.mean(credit[-self.success_window :]))
            if len(credit) >= self.success_window
            else 0.0
            for credit in answers
        ]
        zone = np.zeros(len(answers), dtype=np.bool_)
        reached = 0
        while reached < len(success) - 1 and success[reached] > self.open_above:
            reached += 1
        zone[: reached + 1] = np.array(success[: reached + 1]) <= self.close_above
        if not zone.any():
            zone[: reached + 1] = True
        return zone
