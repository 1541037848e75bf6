"""The teacher's sequence: what is given where no policy may or can choose."""

import numpy as np
from numpy.typing import NDArray

from curriculum.scheduler.arms import Choices
from curriculum.scheduler.policy import Rating
from curriculum.scheduler.standing import REVIEW

FloatArray = NDArray[np.float64]


def follow_expert(choices: Choices, *, block: int = 5) -> Rating:
    """Return the rating with one certain (arm, item) pair.

    What was opened by repeated failure comes first; then the concepts in teaching order, `block`
    answers each, and round again; reviews last. Within a concept the item answered least often,
    then the first of the bank.

    Args:
        choices: the arms and their items.
        block: answers on a concept before the next one's turn.
    """
    arms = choices.arms
    rounds = choices.situation.evidence_n[arms.concept] // block
    scores = arms.order - 2.0 * rounds + 1e6 * arms.step_back - 1e6 * (arms.mode == REVIEW)
    shares = np.zeros(len(scores))
    shares[int(scores.argmax())] = 1.0
    return Rating(scores=scores, shares=shares, within=first_items(choices))


def first_items(choices: Choices) -> FloatArray:
    """Return [Q] 1 for the least answered item of each arm, the first of the bank among equals."""
    times = choices.standing.exposures[choices.item]
    # The last key counts first: by arm, then by times answered, then by place in the bank.
    ranked = np.lexsort((choices.item, times, choices.arm))
    first = np.ones(len(ranked), dtype=np.bool_)
    first[1:] = choices.arm[ranked[1:]] != choices.arm[ranked[:-1]]
    chances = np.zeros(len(ranked))
    chances[ranked[first]] = 1.0
    return chances
