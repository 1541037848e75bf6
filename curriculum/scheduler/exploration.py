"""The exploration contract: when an item may be drawn at random, and what happens when not."""

import numpy as np
from numpy.typing import NDArray

from curriculum.scheduler.rules import DAY_S
from curriculum.scheduler.situation import Situation

FloatArray = NDArray[np.float64]


def why_not_explore(situation: Situation) -> str | None:
    """Return the first reason against any random draw for this learner now, or None.

    Either `not-allowed` (the class has not opted in), `test`, `flagged`, `near-deadline` or
    `capped` (the learner has had as many as the rules allow within the exposure window).
    """
    contract, rules, deadline = situation.exploration, situation.rules, situation.deadline
    near = deadline is not None and deadline - situation.at < rules.no_explore_days * DAY_S
    causes = {
        "not-allowed": not contract.allowed,
        "test": contract.in_test,
        "flagged": contract.flagged,
        "near-deadline": near,
        "capped": contract.explored >= rules.max_explored,
    }
    return next((cause for cause, holds in causes.items() if holds), None)


def take_the_best(scores: FloatArray) -> FloatArray:
    """Return shares that give all to the best arm, the first in teaching order of equal ones."""
    shares = np.zeros(len(scores))
    shares[int(scores.argmax())] = 1.0
    return shares
