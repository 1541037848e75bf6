"""What is special to one policy: its own rule, in a situation where it shows."""

import numpy as np
import pytest

from curriculum.bandits import make_policy
from curriculum.scheduler import Rules, find_distribution
from tests.curriculum.scheduler.factories import knows, make_bank, make_situation, recent

FIRM = Rules(epsilon=0.0, cooldown_s=0.0, jump_logits=9.0)


def shares(policy, **changes):
    bank = make_bank(requires=[])
    fields = {"rules": FIRM, **knows("seen", "seen", "seen"), **changes}
    chances = find_distribution(make_situation(bank, **fields), policy=policy)
    assert chances.fallback is None
    return chances.rating.shares


def items(policy, **changes):
    bank = make_bank(requires=[])
    fields = {"rules": FIRM, **knows("seen", "seen", "seen"), **changes}
    chances = find_distribution(make_situation(bank, **fields), policy=policy)
    return np.bincount(chances.choices.item, weights=chances.joint, minlength=12)


def answers(*runs):
    """Answers on concepts from (concept, credit of each), each answer a minute after the other."""
    flat = [(100 + 4 * concept, credit) for concept, run in runs for credit in run]
    return recent(
        *[(item, 60.0 * (len(flat) - n), credit) for n, (item, credit) in enumerate(flat)]
    )


class TestAbilityWindow:
    LOGITS = np.linspace(-1.0, 2.75, 12)

    def window(self, **changes):
        drawn = items(make_policy("ability-window"), logit_mean=self.LOGITS, **changes) > 0.0
        return self.LOGITS[drawn].min(), self.LOGITS[drawn].max()

    def test_takes_items_in_the_window(self):
        lowest, highest = self.window()
        assert lowest >= 0.0
        assert highest <= 2.0

    def test_moves_towards_harder_items_while_ability_stands_still(self):
        # Thirty answers, all wrong: the ability does not rise in any epoch after the first.
        still = answers((0, [0.0] * 30))
        rising = answers((0, [0.0] * 15), (0, [1.0] * 5))
        fine = np.linspace(-0.55, 0.55, 12)
        policy = make_policy("ability-window")
        found = [items(policy, logit_mean=fine, recent=answers) for answers in (still, rising)]
        # Raised by 0.1 at every second stall: twice, and once before the rise.
        assert [fine[drawn > 0.0].min() for drawn in found] == pytest.approx([-0.15, -0.05])

    def test_takes_the_nearest_where_the_window_is_empty(self):
        drawn = items(make_policy("ability-window"), logit_mean=self.LOGITS - 9.0)
        assert np.flatnonzero(drawn).tolist() == [11]


class TestZpdes:
    def test_rising_success_draws_more_than_a_flat_one(self):
        history = answers((0, [1, 0, 1, 0, 1, 0]), (1, [0, 0, 0, 1, 1, 0]), (0, [1, 0, 0]))
        policy = make_policy("zpdes", {"close_above": 1.0, "open_above": 0.3})
        found = shares(policy, recent=history)
        assert found[1] > found[0] > 0.0

    def test_the_zone_opens_as_it_is_passed(self):
        policy = make_policy("zpdes")
        assert (shares(policy) > 0.0).tolist() == [True, False, False]
        two_of_three = answers((0, [1.0, 0.0, 1.0]))
        assert (shares(policy, recent=two_of_three) > 0.0).tolist() == [True, True, False]
        all_right = answers((0, [1.0, 1.0, 1.0]))
        assert (shares(policy, recent=all_right) > 0.0).tolist() == [False, True, False]


class TestMasteryThreshold:
    def test_stays_until_three_in_a_row_then_goes_on(self):
        policy = make_policy("mastery-threshold")
        assert shares(policy).tolist() == [1.0, 0.0, 0.0]
        assert shares(policy, recent=answers((0, [1.0, 1.0]))).tolist() == [1.0, 0.0, 0.0]
        assert shares(policy, recent=answers((0, [0.0, 1.0, 1.0, 1.0]))).tolist() == [0.0, 1.0, 0.0]


class TestExpertOrder:
    def test_gives_a_block_of_each_concept_and_begins_again(self):
        policy = make_policy("expert-order")
        for evidence, place in (((0, 0, 0), 0), ((5, 0, 0), 1), ((5, 5, 4), 2), ((5, 5, 5), 0)):
            found = shares(policy, evidence_n=np.array(evidence))
            assert found.argmax() == place
            assert found.max() == 1.0

    def test_takes_the_item_answered_least(self):
        drawn = items(make_policy("expert-order"), recent=answers((0, [0.0])))
        assert np.flatnonzero(drawn).tolist() == [1]


class TestClosestToTarget:
    def test_takes_the_closest_whatever_its_concept(self):
        prob = np.linspace(0.2, 0.9, 12)
        drawn = items(make_policy("closest-to-target", {"target": 0.6}), prob=prob)
        assert abs(prob[drawn.argmax()] - 0.6) == pytest.approx(abs(prob - 0.6).min())


class TestMaximumInformation:
    def test_takes_the_most_informative_by_discrimination_too(self):
        sharp = np.where(np.arange(12) == 5, 3.0, 1.0)
        policy = make_policy("maximum-information", {"best": 1})
        assert items(policy, discrimination=sharp).argmax() == 5
