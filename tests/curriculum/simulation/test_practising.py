"""One student under one policy."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from curriculum.bandits import make_policy
from curriculum.scheduler import GainSoftmax, Rules
from curriculum.simulation.desk import Classroom
from curriculum.simulation.drawn_course import CourseShape, bank_of, draw_course
from curriculum.simulation.errors import PolicyFailed
from curriculum.simulation.practising import practise
from curriculum.simulation.students import make_simulator
from curriculum.simulation.timetable import Timetable, TimetableUnusable
from curriculum.simulation.tracer import lay_out
from kt_models import api


@pytest.fixture(scope="module")
def room():
    course = draw_course(seed=5, shape=CourseShape(concepts=5, items_each=5))
    fitted = api.FittedFilter(
        parameters=api.FilterParameters(gain_right=0.3, gain_wrong=0.2),
        intercept=0.3,
        item_offsets={},
        item_ns={},
        concept_offsets={},
        provenance={},
    )
    return Classroom(
        simulator=make_simulator("bkt", course, seed=5),
        bank=bank_of(course),
        tracer=lay_out(fitted, course, minutes=np.full(25, 0.6)),
        rules=Rules(),
        timetable=Timetable(minutes=12.0, session_minutes=4.0),
        seed=5,
    )


def test_equal_seeds_give_equal_ways(room):
    first, again = (practise(room, GainSoftmax(), index=3) for _ in range(2))

    np.testing.assert_equal(dataclasses.asdict(first), dataclasses.asdict(again))


def test_policies_meet_the_same_students(room):
    uniform, expert = (make_policy(name) for name in ("uniform", "expert-order"))
    ways = [[practise(room, policy, index=i) for i in range(6)] for policy in (uniform, expert)]

    assert [one.before for one in ways[0]] == [one.before for one in ways[1]]
    assert [one.answers for one in ways[0]] != [one.answers for one in ways[1]]


def test_everybody_has_the_same_minutes(room):
    for index in range(5):
        way = practise(room, make_policy("uniform"), index=index)
        # The last answer of each of the three sessions may run over.
        assert way.minutes < 12.0 + 3 * 5.0
        assert way.answers == way.exposures.sum()
        assert way.over_minutes <= way.minutes


def test_choices_are_heard_with_their_chances(room):
    heard, earned = [], []
    listener = SimpleNamespace(chosen=heard.append, answered=earned.append)
    practise(room, GainSoftmax(), index=1, listener=listener)

    assert len(earned) == len(heard) > 10
    assert any((one.after.prob != one.before.prob).any() for one in earned)
    assert [choice.chances.joint.sum() for choice in heard] == pytest.approx([1.0] * len(heard))
    assert all(choice.chances.joint[choice.pair] > 0.0 for choice in heard)


def test_items_are_drawn_as_often_as_their_chances_say(room):
    explored, hits, variance, heard = 0, 0.0, 0.0, []
    listener = SimpleNamespace(chosen=heard.append, answered=lambda answered: None)
    for index in range(25):
        practise(room, GainSoftmax(), index=index, listener=listener)
    for choice in heard:
        likeliest = int(choice.chances.joint.argmax())
        chance = choice.chances.joint[likeliest]
        hits += (choice.pair == likeliest) - chance
        variance += chance * (1.0 - chance)
        explored += choice.explored

    assert abs(hits) < 4.0 * np.sqrt(variance)
    assert 0.02 < explored / len(heard) < 0.09


def test_newcomers_are_placed_where_the_room_says_so(room):
    def placed(room):
        heard = []
        listener = SimpleNamespace(chosen=heard.append, answered=lambda answered: None)
        practise(room, GainSoftmax(), index=1, listener=listener)
        return [choice.chances.standing.placing for choice in heard]

    assert not any(placed(room))
    flags = placed(dataclasses.replace(room, places=True))
    count = sum(flags)
    assert 1 <= count <= Rules().placement_items
    assert flags == [True] * count + [False] * (len(flags) - count)


def test_a_policy_that_fails_is_no_result(room):
    class Broken:
        name = version = "broken"

        def rate(self, choices):
            raise ZeroDivisionError("nothing to divide by")

    with pytest.raises(PolicyFailed, match="broken failed: ZeroDivisionError"):
        practise(room, Broken(), index=0)


def test_timetables():
    plan = Timetable(minutes=40.0, session_minutes=15.0)

    assert plan.sessions == 3
    assert plan.session_s == pytest.approx(800.0)
    assert np.diff(plan.starts()).tolist() == [86_400.0, 172_800.0]
    assert Timetable(minutes=45.0).sessions == 3
    assert Timetable(minutes=5.0).sessions == 1
    for minutes in (0.0, -3.0, 1e6, float("nan")):
        with pytest.raises(TimetableUnusable):
            Timetable(minutes=minutes)
