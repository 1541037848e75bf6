"""What many learners were given comes less often, rests beyond a limit, and never leaves a hole."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings

from curriculum.scheduler import Exposure, InvalidSituation, Rules, decide, find_distribution
from tests.curriculum.scheduler.factories import knows, make_bank, make_situation, recent
from tests.curriculum.scheduler.test_eligibility import richer

EVEN = Rules(epsilon=0.0)


def exposed(counts, *, learners=100, bank=None, **changes):
    """A situation whose items were given to so many learners, out of `learners`."""
    bank = make_bank() if bank is None else bank
    found = Exposure.of(bank, given=np.array(counts), learners=learners, rules=Rules())
    return make_situation(bank, exposure=found, **changes)


def chances(situation):
    """Item id -> chance under the policy alone."""
    found = find_distribution(situation)
    ids = found.choices.situation.bank.item_ids[found.choices.item].tolist()
    return dict(zip(ids, found.choices.within.tolist(), strict=True))


class TestCounts:
    def test_the_limit_is_a_quarter_of_the_learners_where_a_concept_has_many_items(self):
        bank = make_bank(per_concept=20, n_concepts=1, requires=[])
        counts = np.array([26, 25, *[5] * 18])
        found = Exposure.of(bank, given=counts, learners=100, rules=Rules())
        assert np.flatnonzero(found.resting).tolist() == [0]
        assert found.rate[:3].tolist() == [0.26, 0.25, 0.05]

    def test_what_everybody_has_to_learn_may_be_given_to_everybody(self):
        bank = make_bank(per_concept=4, n_concepts=1, requires=[])
        found = Exposure.of(bank, given=np.array([90, 70, 80, 60]), learners=100, rules=Rules())
        assert not found.resting.any()

    def test_the_weight_is_what_siblings_are_given_over_what_the_item_is(self):
        bank = make_bank(per_concept=4, n_concepts=2, requires=[])
        counts = np.array([79, 39, 19, 23, 0, 0, 0, 0])
        found = Exposure.of(bank, given=counts, learners=100, rules=Rules())
        # (40 + 1) / (79 + 1), and 1 for whatever is given less than the mean.
        assert found.weight.tolist() == pytest.approx([41 / 80, 1, 1, 1, 1, 1, 1, 1])

    def test_items_out_of_use_do_not_count_as_siblings(self):
        bank = make_bank(
            per_concept=4, n_concepts=1, requires=[], operational=[True, True, False, False]
        )
        found = Exposure.of(bank, given=np.array([60, 40, 0, 0]), learners=100, rules=Rules())
        assert found.weight[0] == pytest.approx(51 / 61)

    def test_a_few_learners_say_nothing(self):
        counts = np.array([9, *[0] * 11])
        assert Exposure.of(make_bank(), given=counts, learners=9, rules=Rules()) is None
        assert Exposure.of(make_bank(), given=counts, learners=10, rules=Rules()) is not None

    @pytest.mark.parametrize("counts", [[1, 2], [-1] + [0] * 11, [101] + [0] * 11])
    def test_counts_that_cannot_be_are_refused(self, counts):
        with pytest.raises(InvalidSituation):
            Exposure.of(make_bank(), given=np.array(counts), learners=100, rules=Rules())


class TestChoice:
    def test_an_over_exposed_item_rests_and_the_receipt_says_so(self):
        situation = exposed([60, 0, 0, 0, *[0] * 8], rules=EVEN)
        decision = decide(situation, seed=0)
        assert decision.removed["over-exposed"] == 1
        assert decision.receipt()["removed"]["over-exposed"] == 1
        assert sorted(decision.candidate_ids.tolist()) == [101, 102, 103]

    def test_the_draw_is_corrected_below_the_limit(self):
        situation = exposed([39, 19, 19, 3, *[0] * 8], rules=EVEN)
        found = chances(situation)
        # The same distance from the target: only K tells them apart, 21/40 and 1.
        assert found[100] / found[103] == pytest.approx(21 / 40)
        assert found[101] == found[103]

    def test_the_correction_is_part_of_the_propensity(self):
        situation = exposed([39, 19, 19, 3, *[0] * 8], rules=EVEN)
        drawn = [decide(situation, seed=seed).item_id for seed in range(4000)]
        share = drawn.count(100) / 4000
        expected = chances(situation)[100]
        assert abs(share - expected) < 4 * (expected * (1 - expected) / 4000) ** 0.5

    def test_a_concept_with_nothing_else_left_keeps_its_items(self):
        # All but the over-exposed one were answered just now.
        answers = recent(*[(pk, 60.0, 1.0) for pk in (101, 102, 103)])
        situation = exposed([60, 0, 0, 0, *[0] * 8], recent=answers, **knows("seen", "new", "new"))
        decision = decide(situation, seed=0)
        assert decision.item_id == 100
        assert decision.relaxed == ()
        assert "over-exposed" not in decision.removed

    def test_what_a_teacher_pins_is_given_however_many_had_it(self):
        situation = exposed([60, 0, 0, 0, *[0] * 8], pinned=frozenset({100}))
        assert decide(situation, seed=0).item_id == 100

    @settings(max_examples=200, deadline=None)
    @given(situation=richer())
    def test_it_never_leaves_nothing_where_there_was_something(self, situation):
        without = find_distribution(dataclasses.replace(situation, exposure=None))
        found = find_distribution(situation)
        assert hasattr(found, "joint") == hasattr(without, "joint")
        if hasattr(found, "joint"):
            assert found.joint.min() >= 0.0
            assert found.joint.sum() == pytest.approx(1.0)
            # No concept is left out because of it.
            open_before = set(without.choices.arms.concept.tolist())
            if not without.found.relaxed and situation.exposure is not None:
                assert set(found.choices.arms.concept.tolist()) == open_before
