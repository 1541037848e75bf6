"""Items that are being tried out: which of them may be given now.

They are drawn uniformly in a fixed share of the decisions, so that what is learnt about them does
not depend on whom the policy would have given them to.
"""

import dataclasses

from curriculum.scheduler.arms import Choices, list_choices
from curriculum.scheduler.eligibility import (
    RULES,
    Eligibility,
    not_operational,
    over_exposed,
)
from curriculum.scheduler.situation import Situation
from curriculum.scheduler.standing import Standing


def list_trials(situation: Situation, standing: Standing, found: Eligibility) -> Choices | None:
    """Return the pilot's items that every rule but that of exposure lets through, or None.

    No rule is relaxed for a trial, and what a teacher pinned comes first.

    Args:
        situation: what the decision depends on.
        standing: the learner's concepts.
        found: what the rules left of the items in use; its concepts are the ones tried out on.
    """
    bank = situation.bank
    if situation.pilot_share == 0.0 or not bank.pilot.any():
        return None
    if standing.pinned_now is not None and standing.pinned_now.any():
        return None
    fits = bank.pilot.copy()
    for _, rule in RULES:
        # A trial needs hundreds of answers to one item: how many were given it is the point.
        if rule not in {not_operational, over_exposed}:
            removal = rule(situation, standing)
            if removal is not None:
                fits &= ~removal
    fits &= bank.any_concept(found.open_concepts)
    if not fits.any():
        return None
    return list_choices(situation, standing, dataclasses.replace(found, eligible=fits))
