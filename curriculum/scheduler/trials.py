"""Items that are being tried out: which of them may be given now.

They are drawn uniformly in a fixed share of the decisions, so that what is learnt about them does
not depend on whom the policy would have given them to.
"""

import dataclasses

import numpy as np

from curriculum.scheduler.arms import Choices, list_choices, list_in_order
from curriculum.scheduler.eligibility import Eligibility
from curriculum.scheduler.situation import Situation
from curriculum.scheduler.standing import Standing


def list_trials(situation: Situation, standing: Standing, found: Eligibility) -> Choices | None:
    """Return the pilot's items that every rule but that of exposure lets through, or None.

    No rule is relaxed for a trial, and what a teacher pinned comes first. A trial needs hundreds of
    answers to one item: how many were given it is the point. Of the arms nothing is estimated: the
    draw is uniform, and mostly falls on none of them.

    Args:
        situation: what the decision depends on.
        standing: the learner's concepts.
        found: what the rules left of the items in use; its concepts are the ones tried out on.
    """
    bank = situation.bank
    if situation.pilot_share == 0.0 or found.triable is None:
        return None
    if standing.pinned_now is not None and standing.pinned_now.any():
        return None
    fits = bank.pilot & found.triable
    fits &= bank.any_concept(found.open_concepts)
    if not fits.any():
        return None
    return list_in_order(situation, standing, dataclasses.replace(found, eligible=fits))


def estimate_trials(
    situation: Situation, standing: Standing, found: Eligibility, trials: Choices
) -> Choices:
    """Return the same pairs with what is estimated of their arms, for the report of a trial."""
    fits = np.zeros(situation.bank.n_items, dtype=np.bool_)
    fits[trials.item] = True
    return list_choices(situation, standing, dataclasses.replace(found, eligible=fits))
