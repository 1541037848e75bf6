"""What holds in every situation, checked against the rules written out plainly."""

import collections
import dataclasses
import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curriculum.scheduler import (
    Decision,
    Distribution,
    Finish,
    FinishCode,
    InvalidSituation,
    ReceiptDiffers,
    decide,
    find_distribution,
    replay,
)
from tests.curriculum.scheduler.factories import DAY, knows, make_bank, make_situation, recent
from tests.curriculum.scheduler.strategies import situations

seeds = st.integers(0, 2**63 - 1)


def carried(bank, row):
    return [concept for concept in bank.concepts[row].tolist() if concept >= 0]


def is_reached(situation, concept):
    rules = situation.rules
    return (
        situation.concept_lower_prob[concept] >= rules.prerequisite_threshold
        and situation.evidence_n[concept] >= rules.prerequisite_evidence
    )


def breaks_a_firm_rule(situation, row):
    """The rules that never give way, item by item."""
    bank = situation.bank
    return (
        not bank.operational[row]
        or int(bank.item_ids[row]) in situation.banned | situation.set_aside
        or any(
            not is_reached(situation, needed)
            for concept in carried(bank, row)
            for needed in np.flatnonzero(bank.requires[concept])
        )
    )


def times_answered(situation, row):
    answers = situation.recent
    item_id = situation.bank.item_ids[row]
    return [
        at
        for other, at in zip(answers.item_ids, answers.at, strict=True)
        if other == item_id and at > situation.at - situation.rules.exposure_days * DAY
    ]


def breaks_a_soft_rule(situation, row, relaxed):
    """Cool-down and exposures, given what was relaxed."""
    rules, answers, bank = situation.rules, situation.recent, situation.bank
    is_template = bank.is_template[row]
    cap = rules.template_max_exposures if is_template else rules.max_exposures
    wait = rules.template_cooldown_s if is_template else rules.cooldown_s
    times = times_answered(situation, row)
    if len(times) >= cap:
        return True
    if "cool-down" in relaxed and times:
        return answers.item_ids[-1] == bank.item_ids[row] and situation.at - times[-1] < wait
    return any(situation.at - at < wait for at in times)


class TestEverySituation:
    @settings(max_examples=300, deadline=None)
    @given(situation=situations(), seed=seeds)
    def test_no_rule_is_broken(self, situation, seed):
        chosen = decide(situation, seed=seed)
        if isinstance(chosen, Finish):
            return
        bank = situation.bank
        for item_id in chosen.candidate_ids:
            row = int(np.flatnonzero(bank.item_ids == item_id)[0])
            assert not breaks_a_firm_rule(situation, row)
            assert not breaks_a_soft_rule(situation, row, chosen.relaxed)
        assert chosen.item_id in chosen.candidate_ids

    @settings(max_examples=200, deadline=None)
    @given(situation=situations())
    def test_chances_of_all_pairs_sum_to_one_and_none_is_zero(self, situation):
        chances = find_distribution(situation)
        if isinstance(chances, Finish):
            return
        assert chances.joint.sum() == pytest.approx(1.0, abs=1e-12)
        assert chances.joint.min() > 0.0 or situation.rules.epsilon == 0.0
        shares = chances.rating.shares
        assert shares.sum() == pytest.approx(1.0, abs=1e-12)
        assert len(shares) == 1 or shares.max() <= situation.rules.top_share + 1e-12
        pairs = set(zip(chances.choices.arm.tolist(), chances.choices.item.tolist(), strict=True))
        assert len(pairs) == len(chances.joint)

    @settings(max_examples=200, deadline=None)
    @given(situation=situations(), seed=seeds)
    def test_the_receipt_states_the_chances_and_is_given_again(self, situation, seed):
        first = decide(situation, seed=seed)
        stored = json.loads(json.dumps(first.receipt()))
        assert replay(situation, receipt=stored).receipt() == stored
        if isinstance(first, Decision):
            chances = find_distribution(situation)
            assert first.arms.propensities.sum() == pytest.approx(1.0)
            assert first.candidate_probs.sum() == pytest.approx(1.0)
            place = first.candidate_ids.tolist().index(first.item_id)
            assert first.propensity == pytest.approx(
                first.arm_propensity * first.candidate_probs[place]
            )
            assert first.propensity in chances.joint

    @settings(max_examples=200, deadline=None)
    @given(situation=situations(), seed=seeds)
    def test_every_item_is_accounted_for(self, situation, seed):
        chances = find_distribution(situation, seed=seed)
        if isinstance(chances, Distribution):
            left = len(np.unique(chances.choices.item))
            assert left == chances.found.eligible.sum()
            assert sum(chances.found.removed.values()) + left == situation.bank.n_items
        elif chances.code in {FinishCode.EXHAUSTED_FOR_NOW, FinishCode.BLOCKED}:
            assert sum(chances.removed.values()) == situation.bank.n_items
            assert "not-pinned" not in chances.removed

    @settings(max_examples=300, deadline=None)
    @given(situation=situations(), seed=seeds)
    def test_a_finish_that_names_a_time_ends_then(self, situation, seed):
        done = decide(situation, seed=seed)
        if isinstance(done, Finish) and done.code is FinishCode.EXHAUSTED_FOR_NOW:
            assert done.next_at > situation.at
            later = dataclasses.replace(situation, at=done.next_at + 1.0)
            assert isinstance(decide(later, seed=seed), Decision)

    @settings(max_examples=200, deadline=None)
    @given(situation=situations(), seed=seeds)
    def test_prerequisites_alone_never_end_a_course(self, situation, seed):
        # No bans, no answers yet: whatever the goal and the graph, there is a way in.
        fresh = dataclasses.replace(
            situation,
            banned=frozenset(),
            set_aside=frozenset(),
            pinned=frozenset(),
            recent=make_situation().recent,
            session_limit=None,
        )
        done = decide(fresh, seed=seed)
        assert isinstance(done, Decision) or done.code in {
            FinishCode.ALL_MASTERED,
            FinishCode.ASSIGNMENT_EMPTY,
        }


class TestTheDraw:
    def test_items_come_as_often_as_their_propensities_say(self):
        bank = make_bank(
            item_ids=[1, 2, 3, 4, 5],
            concepts=np.array([[0, -1], [0, 1], [1, -1], [1, -1], [2, 0]]),
            requires=[],
        )
        situation = make_situation(
            bank,
            prob=np.array([0.7, 0.75, 0.6, 0.9, 0.72]),
            expected_gain=np.array([0.1, 0.2, 0.05, 0.1, 0.1]),
            rules=dataclasses.replace(make_situation().rules, epsilon=0.3),
        )
        chances = find_distribution(situation)
        draws = 2_500
        seen = collections.Counter()
        explored = 0
        for seed in range(draws):
            chosen = decide(situation, seed=seed)
            seen[chosen.concept_id - 10, chosen.item_id] += 1
            explored += chosen.reason.code == "explore"
        assert len(chances.joint) == 7
        expected = {
            (int(chances.choices.arms.concept[arm]), int(bank.item_ids[item])): draws * p
            for arm, item, p in zip(
                chances.choices.arm, chances.choices.item, chances.joint, strict=True
            )
        }
        assert set(seen) <= set(expected)
        chi_square = sum((seen[pair] - e) ** 2 / e for pair, e in expected.items())
        assert chi_square < 22.46  # the .999 quantile with 6 degrees of freedom
        assert abs(explored / draws - 0.3) < 4 * math.sqrt(0.3 * 0.7 / draws)

    def test_exploration_is_uniform_over_items_however_many_arms_they_are_in(self):
        bank = make_bank(
            item_ids=[1, 2, 3], concepts=np.array([[0, 1], [0, -1], [2, -1]]), requires=[]
        )
        rules = dataclasses.replace(make_situation().rules, epsilon=1.0)
        chances = find_distribution(make_situation(bank, rules=rules))
        by_item = np.bincount(chances.choices.item, weights=chances.joint)
        assert by_item == pytest.approx([1 / 3] * 3)

    def test_another_seed_may_give_another_item(self):
        assert len({decide(make_situation(), seed=seed).item_id for seed in range(40)}) == 4

    def test_a_changed_situation_does_not_pass_for_the_old_one(self):
        stored = decide(make_situation(), seed=3).receipt()
        with pytest.raises(ReceiptDiffers) as caught:
            replay(make_situation(recent=recent((100, 60, 1.0))), receipt=stored)
        assert caught.value.facts["field"] in stored


class TestTheReceipt:
    def test_stays_small_with_300_items_and_54_open_arms(self):
        bank = make_bank(per_concept=6, n_concepts=54, requires=[])
        situation = make_situation(bank, concept_last_at=np.full(54, make_situation().at - 1e5))
        rng = np.random.default_rng(5)
        situation = dataclasses.replace(situation, expected_gain=rng.random(bank.n_items))
        receipt = decide(situation, seed=2**62).receipt()
        assert len(receipt["arms"]["concept"]) == 54
        assert len(json.dumps(receipt)) < 8192

    def test_stays_small_when_one_arm_holds_everything(self):
        bank = make_bank(per_concept=300, n_concepts=1, requires=[])
        candidates = decide(make_situation(bank), seed=1).receipt()["candidates"]
        assert len(candidates["item"]) == 40
        assert candidates["others"] == 260
        assert sum(candidates["prob"]) + candidates["others_prob"] == pytest.approx(1.0, abs=1e-3)
        assert len(json.dumps(decide(make_situation(bank), seed=1).receipt())) < 8192


class TestRefusals:
    @pytest.mark.parametrize(
        "name",
        ["logit_mean", "logit_var", "prob", "expected_gain", "concept_prob", "concept_lower_prob"],
    )
    @pytest.mark.parametrize("bad", [math.nan, math.inf])
    def test_numbers_that_are_not_finite_are_refused_by_name(self, name, bad):
        values = getattr(make_situation(), name).copy()
        values[1] = bad
        with pytest.raises(InvalidSituation, match=rf"{name}\[1\]") as caught:
            make_situation(**{name: values})
        assert caught.value.facts == {"field": name, "row": 1}

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"prob": np.full(12, 1.2)}, "prob is outside"),
            ({"logit_var": np.full(12, -0.1)}, "negative"),
            ({"logit_mean": np.zeros(5)}, r"give \[12\]"),
            ({"goal": np.ones(3)}, "booleans"),
            ({"concept_last_at": np.full(3, np.nan)}, "-inf for a concept never"),
            ({"at": math.nan}, "not a time"),
            ({"closes_at": math.inf}, "not a time"),
        ],
    )
    def test_impossible_fields_are_refused(self, changes, message):
        with pytest.raises(InvalidSituation, match=message):
            make_situation(**changes)

    def test_recent_answers_must_be_in_order_and_finite(self):
        with pytest.raises(InvalidSituation, match="ordered"):
            recent((100, 5, 1.0), (101, 10, 1.0))
        with pytest.raises(InvalidSituation, match="finite"):
            recent((100, 5, math.nan))


def test_a_whole_course_is_walked_to_its_end():
    """Every answer right, concept after concept: prerequisites open, mastery closes."""
    bank = make_bank()
    levels = ["new", "new", "new"]
    order = []
    for step in itertools.count():
        chosen = decide(make_situation(bank, **knows(*levels)), seed=step)
        if isinstance(chosen, Finish):
            break
        concept = chosen.concept_id - 10
        order.append(concept)
        levels[concept] = {"new": "seen", "seen": "reached", "reached": "mastered"}[levels[concept]]
    assert chosen.code is FinishCode.ALL_MASTERED
    assert levels == ["mastered"] * 3
    assert order.index(1) > order.index(0) + 1
