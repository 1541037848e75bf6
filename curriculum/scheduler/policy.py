"""How arms are rated and drawn; the place where a learning policy goes in."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from curriculum.scheduler.arms import ArmTable
from curriculum.scheduler.rules import Rules

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Rating:
    """What a policy says of A arms.

    Attributes:
        scores: [A] the higher the better; for the receipt.
        shares: [A] chance of each arm, before the uniform part; positive, sums to 1.
    """

    scores: FloatArray
    shares: FloatArray


class Policy(Protocol):
    """Rates the open arms. It is pure: whatever it learnt is part of the policy version."""

    def rate(self, arms: ArmTable, *, rules: Rules) -> Rating:
        """Return scores and shares of one or more arms."""
        ...


class GainSoftmax:
    """Weigh what an arm teaches, saves and follows, by fixed weights; softmax over the scores.

    The softmax follows SEC (arXiv:2505.14970), its reward does not: |outcome - expected| aims at
    coin flips, while the signed expected gain, less its uncertainty, aims at learning.
    """

    def rate(self, arms: ArmTable, *, rules: Rules) -> Rating:
        """Return the weighted sums and their capped softmax."""
        weights = rules.weights
        largest = float(np.abs(arms.gain).max())
        scores = (
            weights.gain * (arms.gain / largest if largest > 0.0 else arms.gain)
            + weights.retention * arms.retention
            - weights.recency * arms.recency
            + weights.order * arms.order
            + weights.step_back * arms.step_back
        )
        return Rating(scores=scores, shares=capped_softmax(scores, rules=rules))


def capped_softmax(scores: FloatArray, *, rules: Rules) -> FloatArray:
    """Return the softmax at `rules.temperature`, no share above `rules.top_share`.

    What the cap takes from the top goes to the others in proportion, in closed form. A single
    arm takes all.
    """
    top = int(scores.argmax())
    shares = np.exp((scores - scores[top]) / rules.temperature)
    shares /= shares.sum()
    if len(scores) == 1 or shares[top] <= rules.top_share:
        return np.asarray(np.maximum(shares, np.finfo(np.float64).tiny))
    # From the scores again: the others may have vanished beside the top.
    others = np.delete(scores, top)
    rest = np.exp((others - others.max()) / rules.temperature)
    rest *= (1.0 - rules.top_share) / rest.sum()
    capped: FloatArray = np.insert(rest, top, rules.top_share)
    return capped
