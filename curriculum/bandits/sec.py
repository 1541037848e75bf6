"""Self-evolving curriculum: TD(0) values of categories, drawn by a Boltzmann distribution."""

import dataclasses
import math
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from curriculum.bandits.base import BasePolicy
from curriculum.bandits.histories import credits_by_arm
from curriculum.scheduler.arms import Choices
from curriculum.scheduler.policy import Rating

FloatArray = NDArray[np.float64]
Reward = Literal["signed", "published"]


@dataclasses.dataclass(frozen=True)
class SelfEvolvingCurriculum(BasePolicy):
    """Q(c) <- Q(c) + alpha (r(c) - Q(c)), and p(c) ~ exp(Q(c) / tau) (arXiv:2505.14970).

    A category is a concept. The published reward is the mean |advantage| of an answer, for
    outcomes of 0 and 1 |y - p|: largest where p = 0.5, so that it loves coin flips. The default,
    `signed`, is what success is expected to rise by in `span` answers: the slope over the last
    `window` answers on the concept, shrunk to a prior, less half its standard deviation. Noise has
    no slope, and an unsure one is worth less. `prior` has what was learnt of a concept from others,
    by concept id; the learner's own answers move it.
    """

    name: ClassVar[str] = "sec"
    reward: Reward = "signed"
    alpha: float = 0.5
    tau: float = 0.2
    window: int = 20
    span: int = 12
    start: float = 0.0
    doubt: float = 0.5
    slope_mean: float = 0.02
    slope_sd: float = 0.03
    prior: tuple[tuple[int, float], ...] = ()

    def check(self) -> None:
        """Refuse an unknown reward and rates outside their ranges."""
        self.require(holds=self.reward in {"signed", "published"}, what="reward is unknown")
        self.require(holds=0.0 < self.alpha <= 1.0, what="alpha must lie in (0, 1]")
        self.require(holds=self.tau > 0.0, what="tau must be > 0")
        self.require(holds=self.window >= 3, what="window must be at least 3")
        self.require(holds=self.slope_sd > 0.0, what="slope_sd must be > 0")

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
        mean, sd = slope_of(credit[-self.window :], mean=self.slope_mean, sd=self.slope_sd)
        return self.span * (mean - self.doubt * sd)


def slope_of(credit: list[float], *, mean: float, sd: float) -> tuple[float, float]:
    """Return the posterior mean and sd of the slope of success per answer.

    Least squares over the answers' places, combined with a normal prior. The spread about the line
    counts as if one more answer were right and one wrong, so that a short run of equal answers does
    not look certain.

    Args:
        credit: the answers, oldest first.
        mean, sd: of the prior.
    """
    size = len(credit)
    if size < 2:
        return mean, sd
    place = np.arange(size) - (size - 1) / 2.0
    square = float(place @ place)
    share = (sum(credit) + 1.0) / (size + 2.0)
    told, before = square / (share * (1.0 - share)), 1.0 / sd**2
    slope = float(place @ np.asarray(credit)) / square
    return (told * slope + before * mean) / (told + before), math.sqrt(1.0 / (told + before))


def boltzmann(values: FloatArray, *, tau: float) -> FloatArray:
    """Return exp(values / tau) scaled to sum to 1."""
    weight = np.exp((values - values.max()) / tau)
    return np.asarray(weight / weight.sum())
