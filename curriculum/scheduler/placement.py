"""Placement: the items that say most about a new learner's ability."""

import numpy as np

from curriculum.scheduler.arms import Choices
from curriculum.scheduler.placing import item_information
from curriculum.scheduler.policy import Rating, rate_pairs


def rate_by_information(choices: Choices, *, best: int = 10) -> Rating:
    """Return equal chances of the `best` most informative items, whatever their arms.

    Scores are the information; of equal ones the first in the bank count.
    """
    information = item_information(choices.situation)[choices.item]
    items, first = np.unique(choices.item, return_index=True)
    ranked = items[np.argsort(-information[first], kind="stable")[:best]]
    log_weight = np.where(np.isin(choices.item, ranked), 0.0, -np.inf)
    return rate_pairs(choices, log_weight=log_weight, scores=information)
