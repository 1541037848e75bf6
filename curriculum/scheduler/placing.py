"""When a new learner is still being placed: how much is known of the ability."""

import numpy as np
from numpy.typing import NDArray

from curriculum.scheduler.situation import Situation

FloatArray = NDArray[np.float64]
# Of a new learner's ability, logits squared.
PRIOR_VAR = 1.0


def item_information(situation: Situation) -> FloatArray:
    """Return [N] the Fisher information of each item, a^2 p (1 - p), at the expected success."""
    information = situation.prob * (1.0 - situation.prob)
    if situation.discrimination is not None:
        information *= situation.discrimination**2
    return np.asarray(information)


def ability_error(situation: Situation) -> float:
    """Return the standard error of the ability that the recent answers leave, logits."""
    rows = situation.bank.rows_of(situation.recent.item_ids)
    known = rows[rows >= 0]
    return float((1.0 / PRIOR_VAR + item_information(situation)[known].sum()) ** -0.5)


def is_placing(situation: Situation) -> bool:
    """Test whether another item is to place the learner.

    No more than `placement_items`, and none once the standard error is below `placement_error`.
    """
    if not situation.placing or len(situation.recent.at) >= situation.rules.placement_items:
        return False
    return ability_error(situation) >= situation.rules.placement_error
