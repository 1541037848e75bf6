"""The log as arrays: what the rows say, to the last bit."""

import datetime as dt
import random

import numpy as np
import pytest

from tests.factories import AT, make_course, make_learner, make_organisation
from tests.tutor.histories import bulk_history, correct, record, versions_of
from tutor.responses import columns, selectors

pytestmark = pytest.mark.django_db

MOMENTS = (
    AT,
    AT.replace(microsecond=1),
    AT.replace(microsecond=999_999),
    AT.replace(second=59, microsecond=999_600),
    dt.datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=dt.UTC),
    dt.datetime(1950, 1, 1, 0, 0, 0, 1, tzinfo=dt.UTC),
    dt.datetime(2300, 1, 1, 0, 0, 0, 123_457, tzinfo=dt.UTC),
    dt.datetime(9998, 1, 1, 0, 0, 0, 7, tzinfo=dt.timezone(dt.timedelta(hours=-11))),
)


@pytest.fixture
def learners(organisation, course):
    """Two learners with answers, corrections and corrections of corrections; one without."""
    rng, versions = random.Random(1), versions_of(course)
    found = [make_learner(organisation=organisation) for _ in range(3)]
    for learner in found[:2]:
        recorded = [
            record(
                learner=learner,
                course=course,
                version=rng.choice(versions),
                credit=rng.choice([0.0, 1 / 3, 1.0]),
                attempt=rng.choice([1, 2]),
                hints_seen=rng.choice([0, 2]),
                answered_at=moment,
            )
            for moment in (*MOMENTS, *MOMENTS[:3])
        ]
        correct(correct(recorded[2]), is_correct=True)
        correct(recorded[5])
    return found


class TestReadColumns:
    def test_are_the_rows_in_fold_order(self, course, learners):
        ids = [learner.pk for learner in learners]
        rows = list(selectors.iterate_fold_rows(course_id=course.pk, learner_ids=ids))

        found = columns.read_columns(course_id=course.pk, learner_ids=ids)

        assert len(found) == len(rows) == 22
        for name in ("id", "learner_id", "version_id", "credit", "attempt", "hints_seen"):
            assert getattr(found, name).tolist() == [getattr(row, name) for row in rows]
        assert found.assisted.tolist() == [row.hints_seen > 0 or row.attempt > 1 for row in rows]
        assert found.starts.tolist() == [0, 11, 22]

    def test_has_times_as_python_has_them(self, course, learners):
        ids = [learner.pk for learner in learners]
        rows = selectors.iterate_fold_rows(course_id=course.pk, learner_ids=ids)

        found = columns.read_columns(course_id=course.pk, learner_ids=ids)

        assert found.answered_at.tolist() == [row.answered_at.timestamp() for row in rows]

    def test_reads_no_other_course_and_no_other_learner(self, course, learners):
        other = make_course(organisation=make_organisation())
        bulk_history(learner=learners[0], course=other, size=3)

        found = columns.read_columns(course_id=other.pk, learner_ids=[learners[0].pk])
        assert len(found) == 3
        own = columns.read_columns(course_id=course.pk, learner_ids=[learners[1].pk])
        assert set(own.learner_id.tolist()) == {learners[1].pk}

    @pytest.mark.parametrize("asked", [[], [10**9]])
    def test_of_nobody_are_empty(self, course, asked):
        found = columns.read_columns(course_id=course.pk, learner_ids=asked)

        assert (len(found), found.starts.tolist(), found.answered_at.tolist()) == (0, [0], [])
        assert len(columns.read_whole_log(course_id=course.pk)) == 0


class TestReadWholeLog:
    def test_is_the_same_in_pieces(self, course, learners, monkeypatch):
        whole = columns.read_columns(course_id=course.pk, learner_ids=[one.pk for one in learners])
        monkeypatch.setattr(columns, "PIECE_ANSWERS", 5)

        found = columns.read_whole_log(course_id=course.pk)

        for name in columns.FoldColumns.__slots__:
            np.testing.assert_array_equal(getattr(found, name), getattr(whole, name))


class TestInPieces:
    def test_holds_as_many_as_may_be(self):
        sizes = {1: 4, 2: 6, 3: 1, 4: 30, 5: 0, 6: 1, 7: 1}

        found = columns.in_pieces(sizes=sizes, answers=10, learners=2)

        assert list(found) == [[1, 2], [3], [4], [5, 6], [7]]
        assert list(columns.in_pieces(sizes={}, answers=10, learners=2)) == []


class TestCountStanding:
    def test_counts_what_no_correction_replaces(self, course, learners):
        rows = list(selectors.iterate_fold_rows(course_id=course.pk))
        expected = {
            learner.pk: sum(row.learner_id == learner.pk for row in rows)
            for learner in learners[:2]
        }

        assert columns.count_standing(course_id=course.pk) == expected
        one = learners[1].pk
        assert columns.count_standing(course_id=course.pk, learner_ids=[one]) == {
            one: expected[one]
        }

    def test_knows_other_courses_apart(self, course, learners):
        other = make_course(organisation=make_organisation())

        assert columns.count_standing(course_id=other.pk) == {}
        assert columns.list_learners(course_id=other.pk) == []
        assert columns.list_learners(course_id=course.pk) == [one.pk for one in learners[:2]]
