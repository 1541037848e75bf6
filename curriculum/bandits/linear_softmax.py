"""A linear score learnt from all learners' decisions, frozen for a day."""

import dataclasses
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from curriculum.bandits.base import BasePolicy
from curriculum.scheduler.arms import Choices
from curriculum.scheduler.features import FEATURES, PRIOR, describe_arms
from curriculum.scheduler.policy import Rating, capped_softmax

FloatArray = NDArray[np.float64]
# In the receipt, so that it stays small: the others are summed up.
MOST_TERMS = 6


@dataclasses.dataclass(frozen=True)
class LinearSoftmax(BasePolicy):
    """Weigh the features of an arm by learnt coefficients; softmax over the scores.

    One learner's 20 to 60 answers cannot feed a bandit, so the coefficients are those of everybody
    (`fit_linear`), and do not change between two versions: propensities are stationary. Unfitted,
    the coefficients are the prior's, which give the score with weights set by hand.

    Attributes:
        coefficients: one for each of `FEATURES`, in their order.
        features: their names, so that a body of another feature set is refused.
    """

    name: ClassVar[str] = "linear-softmax"
    coefficients: tuple[float, ...] = PRIOR
    features: tuple[str, ...] = FEATURES

    def check(self) -> None:
        """Refuse coefficients of other features."""
        self.require(holds=self.features == FEATURES, what="fitted on other features: fit again")
        sound = len(self.coefficients) == len(FEATURES) and np.isfinite(self.coefficients).all()
        self.require(holds=bool(sound), what=f"give {len(FEATURES)} finite coefficients")

    def rate(self, choices: Choices) -> Rating:
        """Return the weighted sums and their capped softmax."""
        described = describe_arms(choices)
        parts = described * np.array(self.coefficients)
        scores = parts.sum(axis=1)
        return Rating(
            scores=scores,
            shares=capped_softmax(scores, rules=choices.situation.rules),
            terms=_largest_terms(parts),
        )


def _largest_terms(parts: FloatArray) -> dict[str, FloatArray]:
    """Return the features that tell the arms apart most, and the sum of the others as `rest`."""
    apart = np.ptp(parts, axis=0)
    ranked = np.argsort(-apart, kind="stable")[:MOST_TERMS]
    shown = np.sort(ranked[apart[ranked] > 0.0])
    rest = np.delete(parts, shown, axis=1).sum(axis=1)
    return {**{FEATURES[column]: parts[:, column] for column in shown}, "rest": rest}
