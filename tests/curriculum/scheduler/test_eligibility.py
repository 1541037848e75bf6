"""The rules over whole arrays against a plain look at one item after the other."""

import dataclasses

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from curriculum.scheduler import Exposure, eligibility
from curriculum.scheduler.eligibility import ONCE_PLACED, RULES, find_eligible
from curriculum.scheduler.standing import CLOSED, assess
from tests.curriculum.scheduler.strategies import situations


@st.composite
def richer(draw):
    """Situations with quotas, barred features, exposure rates and minutes as well."""
    situation = draw(situations())
    bank, rng = situation.bank, np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, k = bank.n_items, bank.n_concepts
    odds = st.sampled_from([0.1, 0.5, 1.0])
    return dataclasses.replace(
        situation,
        bank=dataclasses.replace(bank, features=rng.integers(0, 4, n)),
        quota_left=rng.integers(-1, 3, k) if draw(st.booleans()) else None,
        exposure=Exposure(rng.random(n), 1.0 - rng.random(n), rng.random(n) < draw(odds))
        if draw(st.booleans())
        else None,
        barred_features=draw(st.sampled_from([0, 0, 1, 2])),
        item_minutes=rng.uniform(0.5, 4.0, n) if draw(st.booleans()) else None,
        minutes_left=draw(st.sampled_from([None, None, 1.0, 3.0])),
    )


def plain_removal(name, situation, standing, row):
    """Whether a rule about concepts or single items removes the item, in so many words."""
    bank = situation.bank
    carried = bank.carried[row]
    open_ = [concept for concept in carried if standing.mode[concept] != CLOSED]
    return {
        "not-operational": not bank.operational[row],
        "outside-assignment": not any(standing.wanted[concept] for concept in carried),
        "banned": bank.item_ids[row] in situation.banned,
        "quota-used": situation.quota_left is not None
        and any(situation.quota_left[concept] == 0 for concept in carried),
        "accommodation": bool(bank.features[row] & situation.barred_features),
        "prerequisite-not-reached": any(
            bank.requires[concept, needed] and not standing.reached[needed]
            for concept in carried
            for needed in range(bank.n_concepts)
        ),
        "stepping-back": any(standing.held[concept] for concept in carried),
        "stuck": any(standing.stuck[concept] for concept in carried),
        "concept-mastered": not open_,
        "same-concept": bool(standing.crowded.any())
        and all(standing.crowded[concept] for concept in open_),
    }[name]


PLAIN = (
    "not-operational",
    "outside-assignment",
    "banned",
    "quota-used",
    "accommodation",
    "prerequisite-not-reached",
    "stepping-back",
    "stuck",
    "concept-mastered",
    "same-concept",
)


@settings(max_examples=150, deadline=None)
@given(situation=richer())
def test_each_rule_removes_what_a_plain_look_does(situation):
    standing = assess(situation)
    rules, n = dict(RULES), situation.bank.n_items
    for name in PLAIN:
        removal = rules[name](situation, standing)
        found = [False] * n if removal is None else removal.tolist()
        assert found == [plain_removal(name, situation, standing, row) for row in range(n)], name


def spare_the_last(bank, masks):
    """Over-exposed items of a concept of which nothing else is free are not removed; plainly."""
    resting = masks["over-exposed"]
    if resting is None:
        return
    others = [mask for name, mask in masks.items() if name != "over-exposed" and mask is not None]
    free = [row for row in range(bank.n_items) if not any(mask[row] for mask in others)]
    before = {concept for row in free for concept in bank.carried[row]}
    after = {concept for row in free if not resting[row] for concept in bank.carried[row]}
    spared = [row for row in range(bank.n_items) if (before - after) & set(bank.carried[row])]
    masks["over-exposed"] = resting.copy()
    masks["over-exposed"][spared] = False


@settings(max_examples=150, deadline=None)
@given(situation=richer())
def test_an_item_counts_under_the_first_rule_that_removes_it(situation):
    standing = assess(situation)
    found = find_eligible(situation, standing)
    skipped = ONCE_PLACED if standing.placing else frozenset()
    masks = {name: rule(situation, standing) for name, rule in RULES if name not in skipped}
    spare_the_last(situation.bank, masks)
    for name in found.relaxed:
        milder = dict(eligibility.LADDER)[name]
        again = None if milder is None else milder(situation, standing)
        masks[name] = None if again is None else masks[name] & again
    counts, left = {}, []
    for row in range(situation.bank.n_items):
        hits = (name for name, mask in masks.items() if mask is not None and mask[row])
        first = next(hits, None)
        if first is None:
            left.append(row)
        else:
            counts[first] = counts.get(first, 0) + 1
    pinned = [row for row in left if standing.pinned_now is not None and standing.pinned_now[row]]
    if pinned and len(pinned) < len(left):
        counts[eligibility.NOT_PINNED] = len(left) - len(pinned)
    assert found.removed == counts
    assert np.flatnonzero(found.eligible).tolist() == (pinned or left)
