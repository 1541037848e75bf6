"""The bank: look-ups, refusals, and concepts that no order of practice could show."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curriculum.graph import CycleFound
from curriculum.scheduler import InvalidBank, decide
from tests.curriculum.scheduler.factories import make_bank, make_situation
from tests.curriculum.scheduler.strategies import banks


class TestBuildBank:
    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"item_ids": [1] * 12}, "item_ids has a repeated id"),
            ({"concept_ids": [5, 5, 6]}, "concept_ids has a repeated id"),
            ({"concepts": np.zeros((3, 1), dtype=int)}, r"give \[12, M\]"),
            ({"concepts": np.full((12, 1), 3)}, "outside 0..2"),
            ({"concepts": np.full((12, 1), -1)}, "row 0 has no concept"),
            ({"concepts": np.zeros((12, 2), dtype=int)}, "one twice"),
            ({"operational": [True]}, "1 flags for 12 items"),
        ],
    )
    def test_refuses_arrays_that_do_not_fit(self, changes, message):
        with pytest.raises(InvalidBank, match=message):
            make_bank(**changes)

    def test_refuses_a_cycle(self):
        with pytest.raises(CycleFound, match="a cycle: 0 -> 1 -> 0"):
            make_bank(requires=[(0, 1), (1, 0)])

    def test_its_arrays_cannot_be_changed(self):
        with pytest.raises(ValueError, match="read-only"):
            make_bank().operational[0] = False

    def test_finds_rows_in_any_order_and_minus_one_for_strangers(self):
        bank = make_bank(item_ids=[7, 3, 9], concepts=np.array([[0], [1], [2]]))
        assert bank.rows_of(np.array([9, 3, 4, 7, 99, 0])).tolist() == [2, 1, -1, 0, -1, -1]


class TestAssumedConcepts:
    def test_none_in_an_ordinary_course(self):
        assert not make_bank().assumed.any()

    def test_a_concept_without_items_passes_its_prerequisites_on(self):
        bank = make_bank(item_ids=[1, 2], concepts=np.array([[0], [2]]))
        assert bank.assumed.tolist() == [False, True, False]
        assert bank.requires.tolist() == [[False] * 3, [True, False, False], [True, False, False]]
        situation = make_situation(bank, goal=np.array([False, False, True]))
        assert decide(situation, seed=0).item_id == 1

    def test_two_concepts_locked_in_each_others_items_do_not_lock_the_course(self):
        # Item 1 shows concept 0 but also carries 2, which needs 1; item 2 shows 1 and carries
        # 3, which needs 0. Neither could ever be first.
        bank = make_bank(
            item_ids=[1, 2],
            concepts=np.array([[0, 2], [1, 3]]),
            n_concepts=4,
            requires=[(1, 2), (0, 3)],
        )
        assert bank.assumed.sum() == 1
        assert decide(make_situation(bank), seed=0).item_id in {1, 2}

    def test_an_assumed_goal_leads_to_what_its_items_need_besides(self):
        # Concept 0 is only in an item that also carries 1, which needs 0 and 2.
        bank = make_bank(
            item_ids=[1, 2], concepts=np.array([[0, 1], [2, -1]]), requires=[(0, 1), (2, 1)]
        )
        assert bank.assumed.tolist() == [True, False, False]
        situation = make_situation(bank, goal=np.array([True, False, False]))
        assert decide(situation, seed=0).item_id == 2

    @settings(max_examples=200, deadline=None)
    @given(bank=banks())
    def test_every_other_concept_can_be_shown_in_some_order(self, bank):
        shown = set(np.flatnonzero(bank.assumed).tolist())
        for _ in range(bank.n_concepts):
            for row in np.flatnonzero(bank.operational):
                carried = bank.carried[row]
                needs = {int(n) for c in carried for n in np.flatnonzero(bank.requires[c])}
                if needs <= shown:
                    shown.update(carried)
        assert shown == set(range(bank.n_concepts))
        assert not bank.requires[:, bank.assumed].any()

    @settings(max_examples=200, deadline=None)
    @given(bank=banks(), seed=st.integers(0, 2**32 - 1))
    def test_flags_items_by_any_of_their_concepts(self, bank, seed):
        flag = np.random.default_rng(seed).random(bank.n_concepts) < 0.3
        plain = [any(flag[concept] for concept in carried) for carried in bank.carried]
        assert bank.any_concept(flag).tolist() == plain
