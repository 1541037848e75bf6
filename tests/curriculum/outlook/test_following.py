"""What is known at a look, and what came of it."""

import math

import numpy as np
import pytest

from curriculum.outlook.drawing import drawn_looks, moments_of, usual_pace
from curriculum.outlook.features import NAMES
from curriculum.outlook.following import follow, trace
from curriculum.outlook.histories import DAY_S, Goal, Look, more_concepts, openings
from curriculum.outlook.looks import gather
from curriculum.outlook.peers import behind_schedule, days_at_this_pace
from kt_models.streaming import psi_filter
from tests.curriculum.outlook.factories import START, TRACING, answers


def look(*, days=2.0, concepts=(1, 2), due=28.0):
    goal = Goal.all_of(concepts, opens_at=START, due_at=START + due * DAY_S)
    return Look(goal, START + days * DAY_S)


def followed(history, *looks):
    traced = trace(history, TRACING, [one.at for one in looks])
    return traced, follow(traced, TRACING, looks)


def value(found, name, row=0):
    return found.features[row, NAMES.index(name)]


class TestReached:
    def test_is_the_first_answer_after_which_the_filter_is_sure_enough(self):
        history = answers([1] * 12)
        state, wanted = psi_filter.init(TRACING.parameters), None
        for answer in history:
            state = psi_filter.update(
                state,
                TRACING.parameters,
                concept_ids=answer.concept_ids,
                item_offset=answer.offset,
                correct=1.0,
                at=answer.at,
            )
            told = psi_filter.concept_estimates(
                state,
                TRACING.parameters,
                concept_ids=np.array([1]),
                concept_offsets=np.array([0.5]),
                at=answer.at,
            )
            if told.lower_prob[0] >= 0.7 and told.evidence_n[0] >= 4 and wanted is None:
                wanted = answer.at

        traced = trace(history, TRACING, [])

        assert wanted is not None
        assert traced.reached_at == {1: wanted}

    def test_help_proves_nothing(self):
        assert trace(answers([1] * 30, assisted=True), TRACING, []).reached_at == {}

    def test_answers_that_do_not_count_leave_all_as_it_was(self):
        pilot = [one._replace(offset_var=math.inf) for one in answers([1] * 30)]

        assert trace(pilot, TRACING, []).reached_at == {}

    def test_a_goal_is_reached_with_the_last_concept_that_it_wants(self):
        reached_at = {1: 5.0, 2: 9.0, 4: 1.0}

        assert Goal((1, 2, 3), 0.0, 10.0, 2).reached_at(reached_at) == 9.0
        assert Goal((1, 2, 3), 0.0, 10.0, 3).reached_at(reached_at) == math.inf


class TestLooks:
    def test_no_future_answer_moves_what_is_known(self):
        before = answers([1, 0, 1, 1])
        later = START + 3 * DAY_S
        one = before + answers([0] * 8, concept=2, start=later)
        other = before + answers([1] * 20, concept=1, start=later)

        _, first = followed(one, look(), look(days=0.6))
        _, second = followed(other, look(), look(days=0.6))

        assert np.array_equal(first.features, second.features)
        assert not np.array_equal(first.reached, second.reached) or not np.array_equal(
            first.days, second.days
        )

    def test_a_past_answer_does(self):
        _, right = followed(answers([1, 1, 1]), look())
        _, wrong = followed(answers([1, 1, 0]), look())

        assert value(right, "gap_mean") < value(wrong, "gap_mean")
        assert value(right, "right_share") > value(wrong, "right_share")

    def test_an_answer_at_the_very_moment_is_not_known_yet(self):
        history = answers([1, 1])

        _, found = followed(history, Look(look().goal, history[1].at))

        assert len(found.standings[0].before) == 1

    def test_time_runs_until_the_goal_or_until_the_learner_was_last_seen(self):
        history = answers([1] * 12)
        traced, found = followed(
            history, look(days=0.25, concepts=(1,)), look(days=0.25, concepts=(1, 2))
        )

        assert found.reached.tolist() == [True, False]
        assert found.days[0] == pytest.approx((traced.reached_at[1] - START) / DAY_S - 0.25)
        assert found.days[1] == pytest.approx(5.5 - 0.25)

    def test_of_more_concepts_than_wanted_the_nearest_count(self):
        history = answers([1, 1, 1]) + answers([0, 0, 0], concept=2, start=START + 1.4 * DAY_S)
        goal = Goal((1, 2, 3), START, START + 28 * DAY_S, 1)

        _, found = followed(history, Look(goal, START + 4 * DAY_S))

        assert found.standings[0].left == (1,)

    def test_habits_are_counted_by_day(self):
        history = answers([1] * 14, gap=DAY_S / 2)

        _, found = followed(history, look(days=7.0, concepts=(2,)))

        standing = found.standings[0]
        assert standing.days_per_week == pytest.approx(7.0)
        assert standing.answers_per_day == pytest.approx(2.0)
        assert standing.idle_days == pytest.approx(0.5)

    def test_a_learner_without_answers_can_be_looked_at(self):
        _, found = followed([], look())

        assert np.isfinite(found.features).all()
        assert found.days.tolist() == [0.0]


class TestRulesOfThumb:
    def test_half_the_time_and_none_of_the_goal_is_half_behind(self):
        _, found = followed(answers([0]), look(days=14.0))

        assert behind_schedule(found.standings[0]) == pytest.approx(0.5)
        assert days_at_this_pace(found.standings[0]) == 365.0

    def test_one_of_two_in_ten_days_needs_ten_more(self):
        _, found = followed(answers([1] * 12), look(days=10.0))

        assert days_at_this_pace(found.standings[0]) == pytest.approx(10.0)

    def test_what_was_reached_before_the_opening_is_no_pace(self):
        early = Goal.all_of((1, 2), opens_at=START + 9 * DAY_S, due_at=START + 28 * DAY_S)
        _, found = followed(answers([1] * 12), Look(early, START + 10 * DAY_S))

        assert found.standings[0].reached_goal
        assert days_at_this_pace(found.standings[0]) == 365.0


class TestDrawnGoals:
    def test_a_period_opens_with_an_answer_after_the_one_before(self):
        history = answers([1, 1, 1], gap=20 * DAY_S)

        assert openings(history, days=28.0) == [START, START + 40 * DAY_S]

    def test_what_is_reached_already_is_no_part_of_a_goal(self):
        goal = more_concepts((1, 2, 3), {1: 5.0, 2: 50.0}, more=1, opens_at=10.0, days=28.0)

        assert goal.concept_ids == (2, 3)
        assert more_concepts((1,), {1: 5.0}, more=1, opens_at=10.0, days=28.0) is None

    def test_looks_lie_within_the_period_and_are_traced(self):
        history = answers([1] * 80)
        traced = trace(history, TRACING, moments_of(history))

        looks = drawn_looks(traced, (1, 2, 3), more=usual_pace([traced]), until=START + 80 * DAY_S)
        found = gather([(0, follow(traced, TRACING, looks))])

        assert len(found) > 0
        assert (found.days_left > 0.0).all()

    def test_nobody_is_looked_at_from_the_end_of_the_log_on(self):
        history = answers([1] * 20)
        traced = trace(history, TRACING, moments_of(history))

        looks = drawn_looks(traced, (1, 2, 3), more=1, until=START + 7 * DAY_S)

        assert [look.at for look in looks] == [START + DAY_S]
