import numpy as np
import pytest

from curriculum.simulation import SimulatedCourse, SimulatedItem
from curriculum.simulation.teaching import Teacher, draw_session_starts
from tests.curriculum.simulation.factories import DAY_S, NOON, chain_course

COURSE = chain_course(concepts=5, items_each=3)


def concepts_taught(teacher, *, outcomes, seed=0):
    rng = np.random.default_rng(seed)
    taught = []
    for correct in outcomes:
        item = teacher.choose(rng=rng)
        teacher.record(item, correct=correct)
        taught.append(COURSE.items[item].concepts[0])
    return taught


class TestTeacher:
    def test_goes_on_after_a_run_of_right_answers(self):
        teacher = Teacher(COURSE, entry=0, patience=9, wanted=2)

        taught = concepts_taught(teacher, outcomes=[True] * 2)

        assert taught == [0, 0]
        assert 1 in concepts_taught(teacher, outcomes=[True] * 2)

    def test_loses_patience_with_wrong_answers(self):
        teacher = Teacher(COURSE, entry=0, patience=4, wanted=2)

        taught = concepts_taught(teacher, outcomes=[False] * 12)

        assert taught[:4] == [0, 0, 0, 0]
        assert max(taught) >= 2

    def test_reviews_what_was_met_and_nothing_else(self):
        teacher = Teacher(COURSE, entry=2, patience=3, wanted=3)

        taught = concepts_taught(teacher, outcomes=[True] * 60)

        assert set(taught) == {2, 3, 4}
        assert taught[-30:].count(2) > 3

    def test_spreads_over_the_items_of_a_concept(self):
        teacher = Teacher(COURSE, entry=0, patience=9, wanted=9)
        rng = np.random.default_rng(1)
        chosen = []
        for _ in range(3):
            chosen.append(teacher.choose(rng=rng))
            teacher.record(chosen[-1], correct=False)

        assert sorted(chosen) == [0, 1, 2]

    def test_begins_at_the_start_where_nothing_follows_the_entry(self):
        course = SimulatedCourse(prerequisites=((), (), ()), items=(SimulatedItem(concepts=(1,)),))

        teacher = Teacher(course, entry=2, patience=3, wanted=3)

        assert teacher.choose(rng=np.random.default_rng(0)) == 0


class TestDrawSessionStarts:
    @pytest.mark.parametrize("n", [1, 14, 42])
    def test_keeps_one_session_a_day_inside_the_calendar(self, n):
        starts = draw_session_starts(n=n, end_at=NOON, weeks=6.0, rng=np.random.default_rng(2))

        assert len(starts) == n
        assert max(starts) <= NOON - 3_600
        assert min(starts) > NOON - 43 * DAY_S
        assert np.all(np.diff(starts) > 0.5 * DAY_S)
