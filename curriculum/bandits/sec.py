"""Self-evolving curriculum: TD(0) values of categories, drawn by a Boltzmann distribution."""

import dataclasses
import math
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from curriculum.bandits.base import BasePolicy
from curriculum.bandits.pairs import credits_by_arm
from curriculum.scheduler.arms import Choices
from curriculum.scheduler.policy import Rating

FloatArray = NDArray[np.float64]
Reward = Literal["signed", "published"]


@dataclasses.dataclass(frozen=True)
class SelfEvolvingCurriculum(BasePolicy):
    """Q(c) <- Q(c) + alpha (r(c) - Q(c)), and p(c) ~ exp(Q(c) / tau) (arXiv:2505.14970).

    A category is a concept. The published reward is the mean |advantage| of an answer, for
    outcomes of 0 and 1 |y - p|: largest where p = 0.5, so that it loves coin flips. The default,
    `signed`, is the slope of success over the last `window` answers on the concept, per answer,
    times the window, less half its standard error: noise has no slope, and an unsure one is worth
    less. `prior` has what was learnt of a concept from others, by concept id; the learner's own
    answers move it.
    """

    name: ClassVar[str] = "sec"
    reward: Reward = "signed"
    alpha: float = 0.5
    tau: float = 0.2
    window: int = 12
    start: float = 0.0
    doubt: float = 0.5
    prior: tuple[tuple[int, float], ...] = ()

    def check(self) -> None:
        """Refuse an unknown reward and rates outside their ranges."""
        self.require(holds=self.reward in {"signed", "published"}, what="reward is unknown")
        self.require(holds=0.0 < self.alpha <= 1.0, what="alpha must lie in (0, 1]")
        self.require(holds=self.tau > 0.0, what="tau must be > 0")
        self.require(holds=self.window >= 3, what="window must be at least 3")

    def rate(self, choices: Choices) -> Rating:
        """Return the values and their Boltzmann distribution."""
        answers = credits_by_arm(choices)
        known = dict(self.prior)
        ids = choices.situation.bank.concept_ids[choices.arms.concept].tolist()
        values = np.array(
            [
                self.value(credit, start=known.get(concept, self.start))
                for concept, credit in zip(ids, answers, strict=True)
            ]
        )
        shares = boltzmann(values, tau=self.tau)
        return Rating(scores=values, shares=shares, terms={"value": values})

    def value(self, credit: list[float], *, start: float) -> float:
        """Return Q of a category after these answers in it, oldest first."""
        value = start
        for count in range(1, len(credit) + 1):
            value += self.alpha * (self.reward_of(credit[:count]) - value)
        return value

    def reward_of(self, credit: list[float]) -> float:
        """Return the reward of the last of these answers in one category."""
        if self.reward == "published":
            before = credit[-self.window - 1 : -1]
            # A coin flip is expected where nothing is known.
            expected = (sum(before) + 0.5) / (len(before) + 1)
            return abs(credit[-1] - expected)
        return signed_slope(credit[-self.window :], doubt=self.doubt) * self.window


def signed_slope(credit: list[float], *, doubt: float) -> float:
    """Return the slope of success per answer less `doubt` standard errors.

    Least squares over the answers' places. The spread about the line counts as if there were one
    more answer right and one wrong, so that a short run of equal answers does not look certain.
    """
    size = len(credit)
    if size < 3:
        return 0.0
    place = np.arange(size) - (size - 1) / 2.0
    square = float(place @ place)
    slope = float(place @ np.asarray(credit)) / square
    share = (sum(credit) + 1.0) / (size + 2.0)
    return slope - doubt * math.sqrt(share * (1.0 - share) / square)


def boltzmann(values: FloatArray, *, tau: float) -> FloatArray:
    """Return exp(values / tau) scaled to sum to 1."""
    weight = np.exp((values - values.max()) / tau)
    return np.asarray(weight / weight.sum())
