"""Rows written past the ORM are the rows that the ORM would have written."""

import datetime as dt
import json
import uuid

import pytest
from django.db import connection

from tests import factories
from tutor.content.models import ItemVersion
from tutor.responses import services
from tutor.responses.bulk import BulkResponse
from tutor.responses.importing.cells import to_microseconds
from tutor.responses.models import Response

pytestmark = pytest.mark.django_db

AT = factories.AT
AWKWARD = {"text": "tab\t newline\n return\r back\\slash \\N \\. \"quote\" 'tick' ½ 鍵 \u2028"}
ANSWERED = [
    AT.replace(microsecond=0),
    AT.replace(microsecond=1),
    AT.replace(microsecond=999_999),
    dt.datetime(1990, 1, 1, tzinfo=dt.UTC),
    dt.datetime(2099, 12, 31, 23, 59, 59, 500_000, tzinfo=dt.UTC),
]


@pytest.fixture
def course():
    return factories.make_course(organisation=factories.make_organisation())


@pytest.fixture
def learner(course):
    return factories.make_user(organisation=course.organisation).learner


def fields(learner, version, number):
    """What an answer says, as the ORM has it."""
    moment = ANSWERED[number % len(ANSWERED)]
    credit = [1.0, 0.0, 1 / 3, 0.1][number % 4]
    return {
        "learner_id": learner.pk,
        "client_key": uuid.UUID(int=number + 1),
        "item_version_id": version.pk,
        "answer": [AWKWARD, {"right": True}, {}][number % 3],
        "is_correct": credit == 1.0,
        "credit": credit,
        "attempt": 1 + number % 3,
        "hints_seen": number % 2,
        "presented_at": None if number % 2 else moment - dt.timedelta(milliseconds=1500),
        "elapsed_ms": None if number % 2 else 2**53 - number,
        "answered_at": moment,
        "is_pilot": number % 5 == 0,
    }


def as_bulk(one):
    shown = one["presented_at"]
    return BulkResponse(
        learner_id=one["learner_id"],
        client_key=one["client_key"].hex,
        item_version_id=one["item_version_id"],
        answer=json.dumps(one["answer"]),
        credit=one["credit"],
        attempt=one["attempt"],
        hints_seen=one["hints_seen"],
        presented_at=None if shown is None else to_microseconds(shown),
        elapsed_ms=one["elapsed_ms"],
        answered_at=to_microseconds(one["answered_at"]),
        is_pilot=one["is_pilot"],
    )


def test_reads_back_as_written_by_the_orm(course, learner):
    version = ItemVersion.objects.filter(item__course=course).first()
    other = factories.make_user(organisation=course.organisation).learner
    common = {"course_id": course.pk, "received_at": AT, "source": "import:\t1"}
    said = [fields(learner, version, number) for number in range(24)]

    services.append_log(rows=[as_bulk(one) for one in said], **common)
    Response.objects.bulk_create(
        Response(**{**one, "learner_id": other.pk}, **common) for one in said
    )

    ours, theirs = (
        [
            {name: value for name, value in row.items() if name not in {"id", "learner_id"}}
            for row in Response.objects.filter(learner=who).order_by("pk").values()
        ]
        for who in (learner, other)
    )
    assert ours == theirs
    assert len(ours) == 24


def test_equals_the_orm_s_rows_in_the_database_itself(course, learner):
    version = ItemVersion.objects.filter(item__course=course).first()
    other = factories.make_user(organisation=course.organisation).learner
    common = {"course_id": course.pk, "received_at": AT, "source": "x"}
    said = [fields(learner, version, number) for number in range(12)]
    services.append_log(rows=[as_bulk(one) for one in said], **common)
    Response.objects.bulk_create(
        Response(**{**one, "learner_id": other.pk}, **common) for one in said
    )
    columns = "client_key, credit, answered_at, presented_at, received_at, is_correct, elapsed_ms"

    with connection.cursor() as cursor:
        found = []
        for who in (learner, other):
            cursor.execute(
                f"SELECT CAST(answered_at AS text), CAST(presented_at AS text), {columns} "
                "FROM responses_response WHERE learner_id = %s ORDER BY id",
                [who.pk],
            )
            found.append(cursor.fetchall())

    assert found[0] == found[1]


def test_leaves_out_what_is_there_and_counts_the_rest(course, learner):
    version = ItemVersion.objects.filter(item__course=course).first()
    rows = [as_bulk(fields(learner, version, number)) for number in range(10)]
    common = {"course_id": course.pk, "received_at": AT, "source": "x"}

    assert services.append_log(rows=rows[:4], **common) == 4
    before = list(Response.objects.order_by("pk").values())
    assert services.append_log(rows=rows, **common) == 6
    assert services.append_log(rows=rows, **common) == 0
    assert list(Response.objects.order_by("pk").values())[:4] == before


def test_the_same_key_of_another_learner_is_another_answer(course, learner):
    version = ItemVersion.objects.filter(item__course=course).first()
    other = factories.make_user(organisation=course.organisation).learner
    common = {"course_id": course.pk, "received_at": AT, "source": "x"}
    row = as_bulk(fields(learner, version, 0))

    services.append_log(rows=[row], **common)

    assert services.append_log(rows=[row, row._replace(learner_id=other.pk)], **common) == 1
