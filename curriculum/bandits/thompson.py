"""Thompson sampling over the linear score, with simulated propensities and their error."""

import dataclasses
from typing import ClassVar

import numpy as np

from curriculum.bandits.base import BasePolicy
from curriculum.scheduler.arms import Choices
from curriculum.scheduler.features import FEATURES, PRIOR, describe_arms
from curriculum.scheduler.policy import Rating

# How unsure the prior is of each of its coefficients.
PRIOR_SD = 0.25


def _prior_root() -> tuple[tuple[float, ...], ...]:
    return tuple(map(tuple, (PRIOR_SD * np.eye(len(FEATURES))).tolist()))


@dataclasses.dataclass(frozen=True)
class Thompson(BasePolicy):
    """Take the best arm under coefficients drawn from their posterior (Agrawal and Goyal 2013).

    An arm's share is the chance that it is best, which has no closed form: it is counted over
    `draws` draws from a generator seeded with `seed`, the same for all decisions, so that a
    decision can be made again. The error of a share is the binomial one, with one more win and one
    more loss, so that it is never 0. The uniform part of a decision leaves none without a chance.

    Attributes:
        coefficients: mean of the posterior, one for each of `FEATURES`.
        root: lower triangular root of its covariance.
        draws: more of them make the shares more exact.
        seed: of the draws; part of the version.
        features: names of the features it was fitted on.
    """

    name: ClassVar[str] = "thompson"
    coefficients: tuple[float, ...] = PRIOR
    root: tuple[tuple[float, ...], ...] = dataclasses.field(default_factory=_prior_root)
    draws: int = 1_000
    seed: int = 0
    features: tuple[str, ...] = FEATURES

    def check(self) -> None:
        """Refuse a posterior over other features."""
        size = len(FEATURES)
        self.require(holds=self.features == FEATURES, what="fitted on other features: fit again")
        self.require(holds=len(self.coefficients) == size, what=f"give {size} coefficients")
        sound = np.shape(self.root) == (size, size) and np.isfinite(self.root).all()
        self.require(holds=bool(sound), what=f"root is no finite {size} x {size} matrix")
        self.require(holds=self.draws >= 100, what="draws must be at least 100")

    def rate(self, choices: Choices) -> Rating:
        """Return mean scores, simulated shares and their standard errors."""
        described = describe_arms(choices)
        mean = described @ np.array(self.coefficients)
        noise = np.random.default_rng(self.seed).standard_normal((len(FEATURES), self.draws))
        sampled = mean[:, None] + (described @ np.array(self.root)) @ noise
        wins = np.bincount(sampled.argmax(axis=0), minlength=len(mean))
        smoothed = (wins + 1.0) / (self.draws + 2.0)
        return Rating(
            scores=mean,
            shares=wins / self.draws,
            shares_error=np.sqrt(smoothed * (1.0 - smoothed) / self.draws),
            terms={"mean": mean},
        )
