"""Items that are tried out: in their share of the decisions, uniformly, with known propensities."""

import collections
import dataclasses

import numpy as np
import pytest

from curriculum.scheduler import (
    Exposure,
    Finish,
    InvalidSituation,
    ReasonCode,
    decide,
    find_distribution,
    replay,
)
from tests.curriculum.scheduler.factories import make_bank, make_situation, recent

SHARE = 0.2


def bank_with_pilots(*pilots):
    """The chain of three concepts; these rows are pilots, all others are in use."""
    pilot = np.isin(np.arange(12), pilots)
    return make_bank(operational=~pilot, pilot=pilot)


def a_situation(*pilots, **changes):
    return make_situation(bank_with_pilots(*pilots), **{"pilot_share": SHARE, **changes})


def test_are_given_in_their_share_and_uniformly():
    situation = a_situation(1, 2)

    counts = collections.Counter(decide(situation, seed=seed).item_id for seed in range(800))

    tried = [counts[101], counts[102]]
    assert sum(tried) / 800 == pytest.approx(SHARE, abs=0.045)
    assert tried[0] / sum(tried) == pytest.approx(0.5, abs=0.13)


def test_propensities_are_those_of_the_draw_and_add_up():
    situation = a_situation(1, 2)
    chances = find_distribution(situation)

    assert chances.joint.sum() == pytest.approx(1.0 - SHARE)
    assert chances.trials.joint.sum() == pytest.approx(SHARE)
    for seed in range(60):
        found = decide(situation, seed=seed)
        if found.reason.code is ReasonCode.PILOT:
            assert found.propensity == pytest.approx(SHARE / 2)
            assert found.item_id in {101, 102}
        else:
            pair = np.flatnonzero(
                situation.bank.item_ids[chances.choices.item] == found.item_id
            ).tolist()
            assert found.propensity == pytest.approx(chances.joint[pair].sum())


def test_change_nothing_where_none_fits():
    # Items 4 to 11 need concepts that are not reached.
    plain, with_pilots = a_situation(), a_situation(8)

    for seed in range(50):
        assert decide(with_pilots, seed=seed).propensity == pytest.approx(
            decide(make_situation(with_pilots.bank), seed=seed).propensity
        )
    assert find_distribution(plain).trials is None


@pytest.mark.parametrize(
    "changes",
    [
        {"pilot_share": 0.0},
        {"banned": frozenset({101})},
        {"recent": recent((101, 60.0, 1.0))},
        {"pinned": frozenset({100})},
    ],
)
def test_are_never_given_where_a_rule_or_the_teacher_is_against_it(changes):
    situation = a_situation(1, **changes)

    given = {decide(situation, seed=seed).item_id for seed in range(200)}

    assert 101 not in given


def test_wait_for_an_item_in_use():
    situation = a_situation(*range(12))

    assert isinstance(decide(situation, seed=1), Finish)


def test_are_decided_again_from_the_receipt():
    situation = a_situation(1, 2, pilot_share=0.5)
    for seed in range(20):
        receipt = decide(situation, seed=seed).receipt()
        assert replay(situation, receipt=receipt).receipt() == receipt


@pytest.mark.parametrize("share", [-0.1, 0.6, float("nan")])
def test_refuse_a_share_that_is_none(share):
    with pytest.raises(InvalidSituation):
        a_situation(1, pilot_share=share)


def test_goes_on_however_many_learners_were_given_it():
    """A trial needs hundreds of answers to one item."""
    situation = a_situation(1)
    given = np.where(np.arange(12) == 1, 200, 10)
    exposure = Exposure.of(situation.bank, given=given, learners=200, rules=situation.rules)
    assert exposure.resting[1]

    chances = find_distribution(dataclasses.replace(situation, exposure=exposure))

    assert chances.trials.joint.sum() == pytest.approx(SHARE)
