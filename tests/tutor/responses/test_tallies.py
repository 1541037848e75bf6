"""Sums of the database against the same sums made row by row."""

import datetime as dt
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import AT, make_course, make_learner, make_organisation
from tutor.content import selectors as content_selectors
from tutor.responses import tallies
from tutor.responses.models import Response
from tutor.responses.tallies import Scope

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


def write(learner, version, **fields) -> Response:
    """One answer, as if it had come in."""
    given = {
        "client_key": uuid.uuid4(),
        "course": version.item.course,
        "answer": {"text": "5"},
        "is_correct": True,
        "attempt": 1,
        "hints_seen": 0,
        "elapsed_ms": 10_000,
        "answered_at": AT,
        "received_at": AT,
        "source": "practice",
        **fields,
    }
    return Response.objects.create(
        learner=learner, item_version=version, credit=float(given["is_correct"]), **given
    )


@pytest.fixture
def school():
    course = make_course(organisation=make_organisation())
    items = course.items.order_by("pk").select_related("current__item__course")
    versions = [item.current for item in items]
    learners = [make_learner(organisation=course.organisation) for _ in range(3)]
    for number in range(24):
        write(
            learners[number % 2],
            versions[number % len(versions)],
            is_correct=number % 3 != 0,
            attempt=1 + (number % 5 == 4),
            hints_seen=number % 4 // 2,
            elapsed_ms=None if number == 7 else 20_000 * number,
            answered_at=AT + number * DAY / 4,
            misconception="subtracted" if number % 6 == 0 else "",
        )
    return course, learners


def slowly(rows: list[Response]) -> tuple[int, ...]:
    """The same sums, one row after the other."""
    first = [row for row in rows if row.attempt == 1]
    timed = [row.elapsed_ms for row in rows if row.elapsed_ms is not None]
    return (
        len(first),
        sum(row.is_correct and row.hints_seen == 0 for row in first),
        sum(row.hints_seen > 0 for row in first),
        sum(row.hints_seen for row in first),
        sum(min(ms, tallies.LONGEST_MS) for ms in timed),
        len(timed),
        len({row.learner_id for row in rows}),
    )


def numbers(tally) -> tuple[int, ...]:
    return (
        tally.answers,
        tally.right,
        tally.helped,
        tally.hints,
        tally.spent_ms,
        tally.timed,
        tally.learners,
    )


def scope_of(course, learners, **fields) -> Scope:
    ids = tuple(learner.pk for learner in learners)
    return Scope(course_id=course.pk, learner_ids=ids, **fields)


class TestTallies:
    def test_are_the_sums_made_row_by_row(self, school):
        course, learners = school
        scope = scope_of(course, learners, since=AT + DAY, until=AT + 5 * DAY)
        rows = [row for row in Response.objects.all() if AT + DAY <= row.answered_at < AT + 5 * DAY]
        assert any((row.elapsed_ms or 0) > tallies.LONGEST_MS for row in rows)
        keys = {
            tallies.tally_by_learner: lambda row: [row.learner_id],
            tallies.tally_by_item: lambda row: [row.item_version.item_id],
            tallies.tally_by_day: lambda row: [row.answered_at.date()],
            tallies.tally_by_concept: lambda row: content_selectors.get_concepts_of_version(
                version_id=row.item_version_id
            ),
        }

        assert numbers(tallies.tally(scope)) == slowly(rows)
        for make, of in keys.items():
            groups: dict[object, list[Response]] = {}
            for row in rows:
                for key in of(row):
                    groups.setdefault(key, []).append(row)
            found = {key: numbers(own) for key, own in make(scope).items()}
            assert found == {key: slowly(own) for key, own in groups.items()}

    def test_of_a_corrected_answer_only_the_correction_counts(self, school):
        course, learners = school
        wrong = Response.objects.filter(is_correct=False, attempt=1).first()
        scope = scope_of(course, learners)
        before = tallies.tally(scope)

        write(
            wrong.learner,
            wrong.item_version,
            corrects=wrong,
            answered_at=wrong.answered_at,
            elapsed_ms=wrong.elapsed_ms,
            hints_seen=0,
        )

        after = tallies.tally(scope)
        assert (after.answers, after.right) == (before.answers, before.right + 1)
        mistakes = tallies.list_wrong_answers(scope)
        assert (
            sum(row.n for row in mistakes)
            == Response.objects.filter(is_correct=False, attempt=1).count() - 1
        )

    def test_of_nothing_is_nothing(self, school):
        course, learners = school

        assert tallies.tally(scope_of(course, learners[2:])) == tallies.NOTHING
        assert tallies.tally(scope_of(course, [])) == tallies.NOTHING
        assert tallies.tally_by_day(scope_of(course, learners, since=AT + 900 * DAY)) == {}

    def test_counts_days_and_who_was_there(self, school):
        course, learners = school
        scope = scope_of(course, learners)
        pairs = {(row.answered_at.date(), row.learner_id) for row in Response.objects.all()}

        assert set(tallies.list_active_by_day(scope)) == pairs
        assert tallies.count_days(scope) == {
            pk: sum(own == pk for _, own in pairs) for pk in {own for _, own in pairs}
        }

    def test_takes_two_queries(self, school):
        course, learners = school
        for make in (tallies.tally, tallies.tally_by_concept, tallies.list_wrong_answers):
            with CaptureQueriesContext(connection) as queries:
                make(scope_of(course, learners))
            assert len(queries) == 2
