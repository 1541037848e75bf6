"""What is computed once for each set of concepts, against a plain look at every item."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from curriculum.scheduler.concept_model import ConceptModel
from curriculum.scheduler.situation import Memory
from curriculum.scheduler.standing import _find_locked, _with_backfill
from tests.curriculum.scheduler.strategies import banks, situations

numbers = st.integers(0, 2**32 - 1)


def plain_backfill(situation, goal, unreached, refused):
    """The goal and the way to it, item by item and concept by concept."""
    bank = situation.bank

    def may_be_given(row):
        if not bank.operational[row] or refused[row]:
            return False
        needed = {
            int(one)
            for concept in bank.carried[row]
            for one in np.flatnonzero(bank.requires[concept])
        }
        return not any(unreached[one] for one in needed)

    startable = {c for row in range(bank.n_items) if may_be_given(row) for c in bank.carried[row]}
    wanted = set(np.flatnonzero(goal).tolist())
    fresh = wanted - startable
    while fresh:
        needed = {int(one) for concept in fresh for one in np.flatnonzero(bank.route[concept])}
        added = {one for one in needed if unreached[one]} - wanted
        wanted |= added
        fresh = added - startable
    return sorted(wanted)


@settings(max_examples=200, deadline=None)
@given(bank=banks(), seed=numbers)
def test_what_an_item_has_is_what_its_set_has(bank, seed):
    flag = np.random.default_rng(seed).random(bank.n_concepts) < 0.4
    plain = [any(flag[concept] for concept in bank.carried[row]) for row in range(bank.n_items)]
    assert bank.any_concept(flag).tolist() == plain
    live = {c for row in range(bank.n_items) if bank.operational[row] for c in bank.carried[row]}
    assert np.flatnonzero(bank.concepts_of_sets(bank.sets_live)).tolist() == sorted(live)


@settings(max_examples=300, deadline=None)
@given(situation=situations(), seed=numbers, share=st.sampled_from([None, 0.0, 0.3, 0.9]))
def test_the_way_to_a_goal_is_the_one_of_a_plain_search(situation, seed, share):
    rng, bank = np.random.default_rng(seed), situation.bank
    reached = rng.random(bank.n_concepts) < 0.5
    goal = rng.random(bank.n_concepts) < 0.4
    refused = None if share is None else rng.random(bank.n_items) < share
    plain = np.zeros(bank.n_items, dtype=bool) if refused is None else refused
    found = _with_backfill(
        situation, goal, ~reached, _find_locked(situation, reached), (refused, None)
    )
    assert np.flatnonzero(found).tolist() == plain_backfill(situation, goal, ~reached, plain)


@settings(max_examples=50, deadline=None)
@given(seed=numbers)
def test_the_outlook_is_the_difference_that_one_answer_makes(seed):
    rng = np.random.default_rng(seed)
    size, horizon = 3, 14.0
    memory = Memory(
        base=rng.normal(0.0, 1.0, size),
        level=rng.normal(0.5, 1.0, size),
        var=rng.uniform(0.1, 1.0, size),
        practised=rng.integers(0, 9, size).astype(float),
    )
    model = ConceptModel(
        memory=memory,
        gain=rng.uniform(0.0, 0.3, size),
        weights=np.ones(size),
        credit=np.zeros(size),
        requires=np.zeros((size, size), dtype=bool),
        reached=np.zeros(size, dtype=bool),
        evidence=3,
        threshold=0.5,
        days=np.zeros(1),
        items=np.ones(1),
        horizon_days=horizon,
    )
    since = -rng.uniform(0.0, 20.0, size)
    rise, alone, _ = model.outlook(model.begin(since=since), left=1)
    shrink = 1.0 / np.sqrt(1.0 + np.pi / 8.0 * memory.var)

    def kept(days):
        return (1.0 + days / memory.tau_days) ** -memory.power

    right_after = memory.level / kept(-since)
    idle = right_after * kept(horizon - since)
    # One damped gain after n answers, by the midpoint rule; rho is a half.
    n = memory.practised
    begin, end = (0.5 + n) / (1.0 + n), (1.5 + n) / (1.0 + n)
    taught = model.gain * (1.0 + n) * 2.0 * (end**0.5 - begin**0.5)
    after = (memory.level + taught) * kept(horizon)
    success = [1.0 / (1.0 + np.exp(-shrink * (memory.base + one))) for one in (idle, after)]
    np.testing.assert_allclose(alone[0], success[0], atol=1e-12)
    np.testing.assert_allclose(rise[0], success[1] - success[0], atol=1e-12)
