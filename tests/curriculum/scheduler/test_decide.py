"""What is chosen, why, and what is said when nothing is."""

import dataclasses

import numpy as np
import pytest

from curriculum.scheduler import (
    Decision,
    Finish,
    FinishCode,
    InvalidRules,
    Mode,
    ReasonCode,
    Rules,
    decide,
    find_distribution,
)
from tests.curriculum.scheduler.factories import (
    DAY,
    NOW,
    knows,
    make_bank,
    make_situation,
    recent,
)

# Without exploration the reason is the arm's own.
FIRM = Rules(epsilon=0.0)


def arms_of(situation):
    """The open arms as {concept index: mode}."""
    arms = decide(situation, seed=0).arms
    return dict(zip((arms.concept_ids - 10).tolist(), arms.modes, strict=True))


def only(*concepts, size=3):
    return np.isin(np.arange(size), concepts)


class TestPrerequisites:
    def test_open_when_reached_not_when_only_seen(self):
        assert arms_of(make_situation(**knows("seen", "new", "new"))) == {0: Mode.LEARN}
        assert arms_of(make_situation(**knows("reached", "new", "new"))) == {
            0: Mode.PRACTISE,
            1: Mode.LEARN,
        }

    def test_a_sure_estimate_without_answers_is_not_enough(self):
        levels = knows("mastered", "new", "new")
        few = {**levels, "evidence_n": np.array([2, 0, 0])}
        assert 1 in arms_of(make_situation(**levels))
        assert arms_of(make_situation(**few)) == {0: Mode.PROBE}

    def test_every_concept_of_an_item_counts(self):
        bank = make_bank(
            item_ids=[1, 2, 3], concepts=np.array([[0, -1], [1, -1], [1, 2]]), requires=[(0, 2)]
        )
        found = find_distribution(make_situation(bank))
        assert set(found.choices.item.tolist()) == {0, 1}
        assert found.found.removed == {"prerequisite-not-reached": 1}

    def test_unmet_prerequisites_outside_the_goal_are_backfilled_from_the_bottom(self):
        situation = make_situation(goal=only(2), rules=FIRM, **knows("new", "new", "new"))
        chosen = decide(situation, seed=1)
        assert (chosen.concept_id, chosen.reason.code) == (10, ReasonCode.BACKFILL)
        assert chosen.reason.facts["for_concept"] == 12
        climbed = make_situation(goal=only(2), rules=FIRM, **knows("reached", "new", "new"))
        assert decide(climbed, seed=1).concept_id == 11
        there = make_situation(goal=only(2), rules=FIRM, **knows("reached", "reached", "new"))
        assert decide(there, seed=1).reason.code == ReasonCode.LEARN_NEW

    def test_nothing_is_backfilled_for_a_goal_that_can_start(self):
        situation = make_situation(goal=only(1), **knows("reached", "new", "new"))
        assert set(arms_of(situation)) == {1}


class TestBackfillOfSharedItems:
    """Concept 0 is the goal. Item 1 shows it with 1, which needs 2; item 2 with 3, which
    needs 4 and 5: the shorter way is by item 1."""

    BANK = make_bank(
        item_ids=[1, 2, 3, 4, 5],
        concepts=np.array([[0, 1], [0, 3], [2, -1], [4, -1], [5, -1]]),
        n_concepts=6,
        requires=[(2, 1), (4, 3), (5, 3)],
    )

    def items(self, *levels, **changes):
        situation = make_situation(self.BANK, goal=only(0, size=6), **knows(*levels), **changes)
        return {1 + row for row in find_distribution(situation).choices.item.tolist()}

    def test_takes_the_way_with_fewest_prerequisites(self):
        assert self.items(*["new"] * 6) == {3}

    def test_takes_no_way_while_the_goal_can_start_by_another(self):
        assert self.items("new", "new", "new", "new", "reached", "reached") == {2}

    def test_takes_it_when_the_other_is_banned(self):
        levels = ("new", "new", "new", "new", "reached", "reached")
        assert self.items(*levels, banned=frozenset({2})) == {3}


class TestModes:
    def test_follow_what_is_known(self):
        bank = make_bank(requires=[], n_concepts=4)
        levels = knows("seen", "reached", "mastered", "new")
        levels["concept_prob"][3] = 0.85
        situation = make_situation(bank, **levels)
        assert arms_of(situation) == {0: Mode.LEARN, 1: Mode.PRACTISE, 3: Mode.PROBE}

    def test_mastered_comes_back_when_unseen_for_a_week(self):
        levels = knows("mastered", "new", "new")
        levels["concept_last_at"][0] = NOW - 7.1 * DAY
        situation = make_situation(goal=only(0), rules=FIRM, **levels)
        chosen = decide(situation, seed=0)
        assert chosen.reason.code == ReasonCode.REVIEW_DUE
        assert chosen.reason.facts["days_since"] == pytest.approx(7.1)
        assert chosen.reason.facts["target_prob"] == FIRM.targets.review

    @pytest.mark.parametrize(("days", "mode"), [(0.5, Mode.PRACTISE), (1.5, Mode.REVIEW)])
    def test_decayed_is_review_only_if_time_decayed_it(self, days, mode):
        levels = knows("reached", "new", "new")
        levels["concept_last_at"][0] = NOW - days * DAY
        situation = make_situation(goal=only(0), mastered_before=only(0), **levels)
        assert arms_of(situation) == {0: mode}

    def test_item_is_drawn_near_the_target_of_its_mode(self):
        bank = make_bank(requires=[], n_concepts=1, per_concept=5)
        prob = np.array([0.4, 0.65, 0.75, 0.8, 0.97])
        for level, best in (("seen", 0.75), ("reached", 0.8)):
            chosen = decide(make_situation(bank, prob=prob, **knows(level)), seed=0)
            assert prob[chosen.candidate_ids[0] - 100] == best

    def test_targets_move_towards_easier_items_while_most_answers_fail(self):
        bank = make_bank(requires=[], n_concepts=1, per_concept=3)
        prob = np.array([0.72, 0.77, 0.83])
        failing = recent(*[(999, 60 - i, 0.0) for i in range(10)])
        for answers, best in ((recent((999, 9, 1.0)), 1), (failing, 2)):
            situation = make_situation(bank, prob=prob, recent=answers, **knows("seen"))
            assert decide(situation, seed=0).candidate_ids[0] == 100 + best


class TestStepBack:
    FAILS = ((104, 300, 0.0), (105, 200, 0.0), (106, 100, 0.0))

    def situation(self, *answers, **changes):
        return make_situation(
            recent=recent(*answers), rules=FIRM, **{**knows("mastered", "seen", "new"), **changes}
        )

    def test_three_failures_open_the_prerequisite(self):
        chosen = decide(self.situation(*self.FAILS), seed=0)
        assert (chosen.concept_id, chosen.reason.code) == (10, ReasonCode.STEP_BACK)
        assert chosen.reason.facts["for_concept"] == 11
        assert chosen.removed["stepping-back"] == 4

    @pytest.mark.parametrize(
        "answers",
        [
            FAILS[1:],
            (*FAILS, (107, 50, 1.0)),
            (FAILS[0], (107, 250, 1.0), *FAILS[1:]),
            (*FAILS, (100, 50, 1.0), (101, 40, 0.0)),
        ],
        ids=["only two", "then right", "not in a row", "prerequisite practised twice"],
    )
    def test_otherwise_the_concept_goes_on(self, answers):
        assert arms_of(self.situation(*answers)) == {1: Mode.LEARN}

    def test_gives_way_when_the_prerequisite_has_nothing_to_give(self):
        situation = self.situation(*self.FAILS, banned=frozenset(range(100, 104)))
        chosen = decide(situation, seed=0)
        assert chosen.concept_id == 11
        assert chosen.relaxed == ("stepping-back",)


class TestTeacher:
    def test_a_pin_comes_first_until_answered(self):
        situation = make_situation(pinned=frozenset({102}))
        chosen = decide(situation, seed=0)
        assert (chosen.item_id, chosen.propensity) == (102, 1.0)
        assert chosen.reason.code == ReasonCode.TEACHER_PICK
        assert chosen.removed["not-pinned"] == 3
        answered = dataclasses.replace(situation, recent=recent((102, 3 * DAY, 0.0)))
        assert "not-pinned" not in decide(answered, seed=0).removed

    def test_a_pin_may_lie_outside_the_goal_and_in_a_mastered_concept(self):
        situation = make_situation(
            goal=only(1), pinned=frozenset({101}), **knows("mastered", "mastered", "new")
        )
        assert decide(situation, seed=0).item_id == 101

    def test_a_pin_waits_for_its_prerequisites_and_opens_them(self):
        situation = make_situation(goal=only(0), pinned=frozenset({108}), rules=FIRM)
        assert decide(situation, seed=0).concept_id == 10
        later = make_situation(
            goal=only(0), pinned=frozenset({108}), **knows("mastered", "reached", "new")
        )
        assert decide(later, seed=0).item_id == 108

    def test_a_ban_is_never_relaxed(self):
        situation = make_situation(banned=frozenset(range(100, 104)))
        done = decide(situation, seed=0)
        assert (done.code, done.next_at) == (FinishCode.BLOCKED, None)
        assert done.removed == {"banned": 4, "prerequisite-not-reached": 8}


class TestRelaxation:
    def test_a_jump_is_kept_out_while_something_easier_is_there(self):
        bank = make_bank(n_concepts=1, requires=[], per_concept=3)
        logits = np.array([1.0, -0.4, -2.5])
        jumped = make_situation(bank, logit_mean=logits, **knows("seen"))
        assert decide(jumped, seed=0).removed == {"difficulty-jump": 1}
        # A hard success raises what may be asked: 1 logit beyond it.
        brave = dataclasses.replace(jumped, recent=recent((101, 2 * DAY, 1.0)))
        assert decide(brave, seed=0).removed == {"difficulty-jump": 1}
        braver = dataclasses.replace(brave, logit_mean=np.array([1.0, -1.6, -2.5]))
        assert decide(braver, seed=0).removed == {}

    def test_even_odds_are_no_jump_after_an_easy_success(self):
        bank = make_bank(n_concepts=1, requires=[], per_concept=3)
        situation = make_situation(
            bank,
            logit_mean=np.array([4.0, 0.1, -0.1]),
            recent=recent((100, 2 * DAY, 1.0)),
            **knows("seen"),
        )
        chosen = decide(situation, seed=0)
        assert sorted(chosen.candidate_ids.tolist()) == [100, 101]
        assert chosen.removed == {"difficulty-jump": 1}

    def test_the_jump_gives_way_before_the_cool_down(self):
        bank = make_bank(n_concepts=1, requires=[], per_concept=3)
        situation = make_situation(
            bank,
            logit_mean=np.array([1.0, 1.0, -3.0]),
            recent=recent((100, 500, 1.0), (101, 60, 1.0)),
            **knows("seen"),
        )
        chosen = decide(situation, seed=0)
        assert chosen.item_id == 102
        assert chosen.relaxed == ("difficulty-jump",)

    def test_then_anything_but_the_item_just_answered(self):
        bank = make_bank(n_concepts=1, requires=[], per_concept=2)
        situation = make_situation(bank, recent=recent((100, 500, 1.0), (101, 60, 1.0)))
        chosen = decide(situation, seed=0)
        assert chosen.item_id == 100
        assert chosen.relaxed == ("cool-down",)
        assert chosen.receipt()["relaxed"] == list(chosen.relaxed)
        assert chosen.removed == {"cool-down": 1}

    def test_a_template_comes_back_sooner(self):
        bank = make_bank(n_concepts=1, requires=[], per_concept=2, is_template=[True, False])
        answers = recent((101, 800, 1.0), (100, 700, 1.0))
        chosen = decide(make_situation(bank, recent=answers), seed=0)
        assert (chosen.item_id, chosen.relaxed) == (100, ())

    def test_an_item_seen_before_is_less_likely(self):
        answers = recent((100, 9 * DAY, 1.0), (100, 8 * DAY, 1.0), (101, 7 * DAY, 1.0))
        chosen = decide(make_situation(recent=answers, rules=FIRM), seed=0)
        chances = dict(zip(chosen.candidate_ids.tolist(), chosen.candidate_probs, strict=True))
        assert chances[101] == pytest.approx(chances[102] * FIRM.repeat_factor)
        assert chances[100] == pytest.approx(chances[102] * FIRM.repeat_factor**2)

    def test_the_exposure_cap_never_gives_way(self):
        bank = make_bank(n_concepts=1, requires=[], per_concept=1)
        answers = recent(*[(100, days * DAY, 1.0) for days in (29, 9, 4)])
        done = decide(make_situation(bank, recent=answers), seed=0)
        assert done.code is FinishCode.EXHAUSTED_FOR_NOW
        assert done.next_at == pytest.approx(NOW + DAY)
        assert done.removed == {"exposure-cap": 1}


class TestFinish:
    @pytest.mark.parametrize(
        ("changes", "code", "next_at"),
        [
            ({"goal": only()}, FinishCode.ASSIGNMENT_EMPTY, None),
            ({"session_position": 5, "session_limit": 5}, FinishCode.LIMIT_REACHED, None),
            ({"closes_at": NOW}, FinishCode.CLOSED, None),
            ({"opens_at": NOW + 60.0}, FinishCode.CLOSED, NOW + 60.0),
            (
                knows("mastered", "mastered", "mastered"),
                FinishCode.ALL_MASTERED,
                NOW - 3600 + 7 * DAY,
            ),
        ],
    )
    def test_says_why_and_until_when(self, changes, code, next_at):
        done = decide(make_situation(**changes), seed=4)
        assert isinstance(done, Finish)
        assert (done.code, done.next_at, done.seed) == (code, next_at, 4)
        assert done.receipt()["finish"] == code.value

    def test_one_answer_before_the_limit_there_is_an_item(self):
        assert isinstance(
            decide(make_situation(session_position=4, session_limit=5), seed=0), Decision
        )

    def test_a_bank_without_items_is_an_empty_assignment(self):
        bank = make_bank(item_ids=[], concepts=np.empty((0, 1), dtype=int))
        assert decide(make_situation(bank), seed=0).code is FinishCode.ASSIGNMENT_EMPTY

    def test_a_goal_of_drafts_is_an_empty_assignment(self):
        bank = make_bank(operational=np.arange(12) >= 4)
        done = decide(make_situation(bank, goal=only(0)), seed=0)
        assert done.code is FinishCode.ASSIGNMENT_EMPTY


class TestScores:
    def shares(self, **changes):
        bank = make_bank(requires=[], per_concept=2)
        arms = decide(make_situation(bank, rules=FIRM, **changes), seed=0).arms
        return dict(zip((arms.concept_ids - 10).tolist(), arms.propensities, strict=True))

    def test_what_teaches_more_is_likelier(self):
        shares = self.shares(expected_gain=np.array([0.1, 0.1, 0.3, 0.3, 0.1, 0.1]))
        assert shares[1] > shares[0] > shares[2]

    def test_an_uncertain_gain_is_worth_less(self):
        shares = self.shares(logit_var=np.array([0.1, 0.1, 9.0, 9.0, 0.1, 0.1]))
        assert shares[1] < shares[2] < shares[0]

    def test_teaching_order_breaks_a_tie(self):
        shares = self.shares()
        assert shares[0] > shares[1] > shares[2]

    def test_no_arm_takes_more_than_its_cap(self):
        shares = self.shares(expected_gain=np.array([9.0, 9.0, -9.0, -9.0, -9.0, -9.0]))
        assert shares[0] == pytest.approx(0.8)

    def test_a_concept_just_practised_rests_unless_it_is_being_learnt(self):
        levels = knows("reached", "reached", "reached")
        levels["concept_last_at"][:] = [NOW - 10, NOW - DAY, NOW - DAY]
        shares = self.shares(**levels)
        assert shares[0] < shares[1]
        learning = knows("seen", "seen", "seen")
        learning["concept_last_at"][:] = [NOW - 10, NOW - DAY, NOW - DAY]
        shares = self.shares(**learning)
        assert shares[0] > shares[1]

    def test_a_longer_forgotten_review_is_likelier(self):
        levels = knows("mastered", "mastered", "mastered")
        levels["concept_last_at"][:] = NOW - 8 * DAY
        levels["concept_lower_prob"] = np.array([0.7, 0.3, 0.7])
        shares = self.shares(mastered_before=np.ones(3, dtype=bool), **levels)
        assert shares[1] > shares[0] > shares[2]

    def test_what_more_goals_wait_for_is_likelier(self):
        bank = make_bank(requires=[(1, 2), (1, 3)], n_concepts=4)
        arms = decide(make_situation(bank, rules=FIRM), seed=0).arms
        assert arms.propensities[1] > arms.propensities[0]

    def test_negative_gains_still_give_positive_chances(self):
        assert min(self.shares(expected_gain=np.full(6, -0.1)).values()) > 0.0


class TestRules:
    def test_survive_json(self):
        changed = dataclasses.replace(FIRM, cooldown_s=5.0)
        assert Rules.from_dict(changed.to_dict()) == changed
        assert Rules.from_dict({}) == Rules()

    @pytest.mark.parametrize(
        "settings",
        [
            {"epsilon": 1.5},
            {"temperature": 0.0},
            {"cooldown_s": float("nan")},
            {"targets": {"learn": -0.1}},
            {"mastery_threshold": 0.4},
            {"no_such_setting": 1},
        ],
    )
    def test_refuse_what_makes_no_sense(self, settings):
        with pytest.raises(InvalidRules):
            Rules.from_dict(settings)
