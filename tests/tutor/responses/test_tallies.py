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


def grouped(rows, of) -> dict[object, list[Response]]:
    """The rows by each of their keys."""
    groups: dict[object, list[Response]] = {}
    for row in rows:
        for key in of(row):
            groups.setdefault(key, []).append(row)
    return groups


class TestTallies:
    def test_are_the_sums_made_row_by_row(self, school):
        course, learners = school
        scope = scope_of(course, learners, since=AT + DAY, until=AT + 5 * DAY)
        rows = [row for row in Response.objects.all() if AT + DAY <= row.answered_at < AT + 5 * DAY]
        assert any((row.elapsed_ms or 0) > tallies.LONGEST_MS for row in rows)
        keys = {
            tallies.sum_by_item: lambda row: [row.item_version.item_id],
            tallies.sum_by_day: lambda row: [row.answered_at.date()],
            tallies.sum_by_concept: lambda row: content_selectors.get_concepts_of_version(
                version_id=row.item_version_id
            ),
        }

        for make, of in keys.items():
            found = make(scope)
            slow = {key: slowly(own) for key, own in grouped(rows, of).items()}
            assert {key: numbers(own) for key, own in found.by_key().items()} == slow
        days = tallies.sum_by_day(scope)
        assert numbers(days.whole()) == slowly(rows)
        assert days.whole().last_at == max(row.answered_at for row in rows)
        by_learner = grouped(rows, lambda row: [row.learner_id])
        assert {pk: numbers(own) for pk, own in days.by_learner().items()} == {
            pk: slowly(own) for pk, own in by_learner.items()
        }
        assert days.count_keys() == {
            pk: len({row.answered_at.date() for row in own}) for pk, own in by_learner.items()
        }

    def test_by_a_coarser_key_count_each_learner_once(self, school):
        course, learners = school
        rows = list(Response.objects.all())

        found = tallies.sum_by_day(scope_of(course, learners)).under(lambda day: day.month)

        slow = grouped(rows, lambda row: [row.answered_at.month])
        assert {key: numbers(own) for key, own in found.by_key().items()} == {
            key: slowly(own) for key, own in slow.items()
        }

    def test_of_one_concept_or_item_are_its_own(self, school):
        course, learners = school
        concept = course.concepts.get(slug="adding")
        item = course.items.get(slug="add-two")
        rows = Response.objects.all()
        on_it = rows.filter(item_version__concept_links__concept=concept)

        for scope, own in (
            (scope_of(course, learners, concept_id=concept.pk), on_it),
            (scope_of(course, learners, item_id=item.pk), rows.filter(item_version__item=item)),
        ):
            assert 0 < len(own) < len(rows)
            assert numbers(tallies.sum_by_day(scope).whole()) == slowly(list(own))

    def test_of_a_corrected_answer_only_the_correction_counts(self, school):
        course, learners = school
        wrong = Response.objects.filter(is_correct=False, attempt=1).first()
        scope = scope_of(course, learners)
        before = tallies.sum_by_day(scope).whole()

        write(
            wrong.learner,
            wrong.item_version,
            corrects=wrong,
            answered_at=wrong.answered_at,
            elapsed_ms=wrong.elapsed_ms,
            hints_seen=0,
        )

        after = tallies.sum_by_day(scope).whole()
        assert (after.answers, after.right) == (before.answers, before.right + 1)
        mistakes = tallies.list_wrong_answers(scope)
        assert (
            sum(row.n for row in mistakes)
            == Response.objects.filter(is_correct=False, attempt=1).count() - 1
        )

    def test_of_nothing_is_nothing(self, school):
        course, learners = school

        for scope in (
            scope_of(course, learners[2:]),
            scope_of(course, []),
            scope_of(course, learners, since=AT + 900 * DAY),
        ):
            found = tallies.sum_by_day(scope)
            assert found.whole() == tallies.NOTHING
            assert found.by_key() == found.by_learner() == found.count_keys() == {}
            assert tallies.list_wrong_answers(scope) == []

    def test_take_two_queries(self, school):
        course, learners = school
        for make in (tallies.sum_by_day, tallies.sum_by_concept, tallies.list_wrong_answers):
            with CaptureQueriesContext(connection) as queries:
                make(scope_of(course, learners))
            assert len(queries) == 2
