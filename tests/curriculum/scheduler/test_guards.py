"""Guard rails, the teacher's limits, and the exploration contract."""

import dataclasses

import numpy as np
import pytest

from curriculum.scheduler import (
    Exploration,
    Finish,
    FinishCode,
    ReasonCode,
    Rules,
    Weights,
    decide,
    find_distribution,
)
from curriculum.scheduler.standing import LEARN, PRACTISE, REVIEW
from tests.curriculum.scheduler.factories import (
    DAY,
    NOW,
    knows,
    make_bank,
    make_situation,
    recent,
)

FIRM = Rules(epsilon=0.0)


def removed(situation):
    return decide(situation, seed=0).removed


def concepts(situation):
    return set((decide(situation, seed=0).arms.concept_ids - 10).tolist())


def with_modes(answers, mode):
    return dataclasses.replace(answers, modes=np.full(len(answers.at), mode, dtype=np.int8))


class TestStuck:
    def situation(self, *, evidence, answers=(), **changes):
        levels = knows("seen", "seen", "new")
        levels["evidence_n"] = np.array([evidence, 3, 0])
        fields = {"rules": FIRM, **levels, **changes}
        if answers:
            fields["recent"] = recent(*answers)
        return make_situation(make_bank(requires=[]), **fields)

    def test_after_fifteen_answers_the_concept_rests_and_is_handed_over(self):
        chosen = decide(self.situation(evidence=15), seed=0)
        assert chosen.removed == {"stuck": 4}
        assert chosen.receipt()["stuck"] == [10]
        assert concepts(self.situation(evidence=14)) == {0, 1, 2}

    def test_when_nothing_else_is_left_the_learner_is_told_and_the_teacher_gets_the_facts(self):
        done = decide(self.situation(evidence=15, goal=np.array([True, False, False])), seed=0)
        assert (done.code, done.next_at) == (FinishCode.STUCK, None)
        assert done.facts["concept"] == 10
        assert done.facts["evidence_n"] == 15

    def test_somebody_on_the_way_gets_as_many_again(self):
        right = ((103, 30, 1.0), (102, 20, 1.0), (101, 10, 1.0))
        rising = self.situation(evidence=20, answers=right)
        assert "stuck" not in removed(rising)
        with_a_slip = ((100, 40, 0.0), *right)
        assert removed(self.situation(evidence=30, answers=with_a_slip))["stuck"] == 4
        assert "stuck" not in removed(self.situation(evidence=29, answers=with_a_slip))

    def test_nobody_is_who_makes_no_mistake(self):
        right = tuple((100 + n, 40 - n, 1.0) for n in range(3))
        assert "stuck" not in removed(self.situation(evidence=90, answers=right))

    def test_the_teacher_can_let_go_on(self):
        released = self.situation(evidence=40, attempts=np.array([0, 3, 0]))
        assert "stuck" not in removed(released)

    def test_what_was_mastered_once_counts_only_failed_answers(self):
        known = np.array([True, False, False])
        assert "stuck" not in removed(self.situation(evidence=40, mastered_before=known))
        wrong = tuple((100 + n % 4, 5 * DAY - n, 0.0) for n in range(15))
        failed = self.situation(evidence=40, mastered_before=known, answers=wrong)
        assert "stuck" in removed(failed)


class TestUsedUp:
    """Of a concept nothing is left for weeks: that is the teacher's turn too."""

    ASKED = np.array([True, False, False])

    def situation(self, *, given=12, wrong=12, **changes):
        # Three answers to each of four items, ten days ago.
        answers = recent(
            *[(100 + n % 4, 10 * DAY - 60 * n, 0.0 if n < wrong else 1.0) for n in range(given)]
        )
        fields = {
            "rules": FIRM,
            "recent": answers,
            "goal": self.ASKED,
            **knows("seen", "new", "new"),
        }
        return make_situation(make_bank(requires=[]), **{**fields, **changes})

    def test_hands_over_before_fifteen_answers(self):
        done = decide(self.situation(), seed=0)
        assert (done.code, done.next_at) == (FinishCode.STUCK, None)
        assert done.receipt()["stuck"] == [10]

    def test_not_while_one_question_is_left(self):
        assert not isinstance(decide(self.situation(given=11), seed=0), Finish)
        put_off = decide(self.situation(given=11, set_aside=frozenset({103})), seed=0)
        assert put_off.code is not FinishCode.STUCK

    def test_what_is_banned_is_not_left(self):
        done = decide(self.situation(given=11, banned=frozenset({103})), seed=0)
        assert done.code is FinishCode.STUCK

    def test_nobody_is_who_makes_no_mistake(self):
        done = decide(self.situation(wrong=0), seed=0)
        assert done.code is FinishCode.EXHAUSTED_FOR_NOW

    def test_who_is_released_starts_the_count_of_the_caps_anew(self):
        released = np.array([NOW - DAY, -np.inf, -np.inf])
        chosen = decide(self.situation(released=released, attempts=np.zeros(3, int)), seed=0)
        assert chosen.concept_id == 10


class TestHandedOver:
    """Who is stuck is told by every receipt, whatever is being worked on."""

    def situation(self, **changes):
        wrong = recent(*[(999, 10 * DAY - n, 0.0) for n in range(15)])
        fields = {"rules": FIRM, "recent": wrong, "attempts": np.array([15, 0, 0])}
        return make_situation(
            make_bank(requires=[]), **{**fields, **knows("seen", "new", "new"), **changes}
        )

    def test_by_a_choice_of_another_topic(self):
        chosen = decide(self.situation(goal=np.array([False, True, False])), seed=0)
        assert chosen.receipt()["stuck"] == [10]

    def test_by_a_sitting_that_has_come_to_its_end(self):
        done = decide(self.situation(session_limit=3, session_position=3), seed=0)
        assert done.code is FinishCode.LIMIT_REACHED
        assert done.receipt()["stuck"] == [10]

    def test_all_of_them(self):
        both = self.situation(
            attempts=np.array([15, 15, 0]),
            goal=np.array([True, True, False]),
            **knows("seen", "seen", "new"),
        )
        done = decide(both, seed=0)
        assert done.code is FinishCode.STUCK
        assert done.receipt()["stuck"] == [10, 11]


class TestFailures:
    def test_without_prerequisites_three_failures_ask_for_a_worked_example(self):
        wrong = recent((100, 300, 0.0), (101, 200, 0.0), (102, 100, 0.0))
        situation = make_situation(recent=wrong, rules=FIRM, **knows("seen", "new", "new"))
        chosen = decide(situation, seed=0)
        assert (chosen.concept_id, chosen.reason.code) == (10, ReasonCode.WORKED_EXAMPLE)


class TestCrowding:
    ANSWERS = recent((100, 300, 1.0), (101, 200, 1.0), (102, 100, 1.0))

    def test_three_in_a_row_and_another_concept_comes(self):
        bank = make_bank(requires=[])
        situation = make_situation(
            bank, recent=self.ANSWERS, rules=FIRM, **knows("reached", "seen", "seen")
        )
        assert concepts(situation) == {1, 2}
        assert removed(situation) == {"cool-down": 3, "same-concept": 1}

    def test_not_while_it_is_being_learnt(self):
        situation = make_situation(
            make_bank(requires=[]), recent=self.ANSWERS, **knows("seen", "seen", "seen")
        )
        assert 0 in concepts(situation)

    def test_gives_way_when_there_is_nothing_else(self):
        situation = make_situation(
            recent=self.ANSWERS,
            goal=np.array([True, False, False]),
            **knows("reached", "new", "new"),
        )
        assert decide(situation, seed=0).relaxed == ("same-concept",)


class TestReviewShare:
    def situation(self, mode, **changes):
        levels = knows("mastered", "seen", "seen")
        levels["concept_last_at"][0] = NOW - 9 * DAY
        answers = with_modes(recent(*[(999, 100 - n, 1.0) for n in range(10)]), mode)
        return make_situation(
            make_bank(requires=[]), rules=FIRM, **{**levels, "recent": answers, **changes}
        )

    def test_no_more_reviews_than_their_share(self):
        assert 0 not in concepts(self.situation(REVIEW))
        assert removed(self.situation(REVIEW))["review-share"] == 4
        assert 0 in concepts(self.situation(PRACTISE))

    def test_an_item_may_still_be_given_for_its_other_concept(self):
        bank = make_bank(
            item_ids=[1, 2], concepts=np.array([[0, 1], [0, -1]]), n_concepts=3, requires=[]
        )
        levels = knows("mastered", "seen", "seen")
        levels["concept_last_at"][0] = NOW - 9 * DAY
        answers = with_modes(recent(*[(999, 100 - n, 1.0) for n in range(10)]), REVIEW)
        chances = find_distribution(make_situation(bank, recent=answers, **levels))
        assert chances.choices.item.tolist() == [0]
        assert chances.choices.arms.mode.tolist() == [LEARN]

    def test_gives_way_when_only_reviews_are_due(self):
        only = self.situation(REVIEW, goal=np.array([True, False, False]))
        assert decide(only, seed=0).relaxed == ("review-share",)


class TestTheTeachersLimits:
    def test_a_quota_that_is_used_up_is_never_relaxed(self):
        used = make_situation(quota_left=np.array([0, -1, 5]), **knows("seen", "seen", "new"))
        done = decide(used, seed=0)
        assert isinstance(done, Finish)
        assert done.removed["quota-used"] == 4
        left = dataclasses.replace(used, quota_left=np.array([1, -1, 5]))
        assert concepts(left) == {0}

    def test_an_item_that_demands_what_the_learner_cannot_do_is_kept_out(self):
        bank = make_bank(features=[1, 2, 3, 4] * 3)
        situation = make_situation(bank, barred_features=2)
        assert sorted(decide(situation, seed=0).candidate_ids.tolist()) == [100, 103]
        assert removed(situation)["accommodation"] == 6

    def test_only_what_fits_into_the_time_left_is_given(self):
        minutes = np.tile([1.0, 2.0, 4.0, 8.0], 3)
        situation = make_situation(item_minutes=minutes, minutes_left=2.5)
        assert sorted(decide(situation, seed=0).candidate_ids.tolist()) == [100, 101]
        late = dataclasses.replace(situation, minutes_left=0.5)
        done = decide(late, seed=0)
        assert (done.code, done.facts["minutes_left"]) == (FinishCode.LIMIT_REACHED, 0.5)


class TestMinutes:
    def test_what_teaches_as_much_in_less_time_is_likelier(self):
        bank, even = make_bank(requires=[]), Rules(epsilon=0.0, weights=Weights(order=0.0))
        situation = make_situation(
            bank, rules=even, item_minutes=np.repeat([4.0, 1.0, 2.0], 4), **knows(*["seen"] * 3)
        )
        arms = decide(situation, seed=0).arms
        assert arms.minutes.tolist() == pytest.approx([4.0, 1.0, 2.0])
        assert arms.propensities[1] > arms.propensities[2] > arms.propensities[0]


class TestExploration:
    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"exploration": Exploration(allowed=False)}, "not-allowed"),
            ({"exploration": Exploration(in_test=True)}, "test"),
            ({"exploration": Exploration(flagged=True)}, "flagged"),
            ({"due_at": NOW + 0.5 * DAY}, "near-deadline"),
            ({"exploration": Exploration(explored=20)}, "capped"),
        ],
    )
    def test_is_off_where_the_contract_says_so(self, changes, why):
        situation = make_situation(
            make_bank(requires=[]), rules=Rules(epsilon=1.0), **{**knows(*["seen"] * 3), **changes}
        )
        for seed in range(20):
            chosen = decide(situation, seed=seed)
            assert (chosen.exploring, chosen.epsilon, chosen.explored) == (why, 0.0, False)
            # Only the cap leaves the policy its own draw.
            assert bool(chosen.arms.propensities.max() == 1.0) is (why != "capped")

    def test_is_on_otherwise(self):
        situation = make_situation(rules=Rules(epsilon=1.0), due_at=NOW + 3 * DAY)
        assert decide(situation, seed=0).explored


class TestPlacement:
    def situation(self, **changes):
        bank = make_bank(n_concepts=4, requires=[(0, 1), (1, 2), (2, 3)], per_concept=6)
        prob = np.tile([0.5, 0.55, 0.6, 0.7, 0.9, 0.97], 4)
        return make_situation(bank, placing=True, prob=prob, **changes)

    def test_takes_informative_items_from_anywhere(self):
        chances = find_distribution(self.situation(rules=FIRM))
        drawn = chances.joint > 0.0
        assert len(set(chances.choices.arms.concept[chances.choices.arm[drawn]])) == 4
        assert set(chances.choices.item[drawn] % 6) <= {0, 1, 2}
        assert chances.joint[drawn] == pytest.approx(0.1)
        assert decide(self.situation(), seed=0).receipt()["placing"] is True

    def test_looks_at_what_the_goal_builds_on_and_not_beyond(self):
        goal = np.array([False, False, True, False])
        chances = find_distribution(self.situation(goal=goal))
        assert set(chances.choices.arms.concept.tolist()) == {0, 1, 2}

    def test_ends_after_eight_answers(self):
        seven = recent(*[(100 + n, 800 - n, 1.0) for n in range(7)])
        eight = recent(*[(100 + n, 800 - n, 1.0) for n in range(8)])
        assert decide(self.situation(recent=seven), seed=0).placing
        assert not decide(self.situation(recent=eight), seed=0).placing

    def test_ends_earlier_when_the_ability_is_known(self):
        four = recent(*[(100 + n, 800 - n, 1.0) for n in range(4)])
        sharp = np.full(24, 3.0)
        assert not decide(self.situation(recent=four, discrimination=sharp), seed=0).placing
