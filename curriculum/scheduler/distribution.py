"""The chances of all that may be given, before the draw."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curriculum.scheduler.arms import Choices
from curriculum.scheduler.eligibility import Eligibility
from curriculum.scheduler.policy import Rating
from curriculum.scheduler.standing import Standing

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Distribution:
    """The chances of every eligible (arm, item) pair, Q of them, before the draw.

    Attributes:
        choices: the pairs.
        rating: what the policy said of the arms.
        scored: [Q] chance of each pair under the policy.
        joint: [Q] chance of each pair, with the uniform part; sums to 1 less the pilot share.
        epsilon: weight of the uniform part.
        exploring: why nothing is drawn at random, or None where something may be.
        fallback: why the teacher's sequence stands in for the policy, or None.
        trials: the items of the pilot that may be tried out, with their own chances; None where
            there are none, and the pilot share is 0 then.
    """

    choices: Choices
    rating: Rating
    scored: FloatArray
    joint: FloatArray
    standing: Standing
    found: Eligibility
    epsilon: float
    exploring: str | None
    fallback: str | None
    trials: "Distribution | None" = None
