"""The queries of every answer find their few rows, however long the log has grown."""

import pytest
from django.db import connection

from tests.conftest import on_postgres
from tutor.accounts import authentication
from tutor.content import selectors as content_selectors
from tutor.practice import selectors as practice_selectors
from tutor.responses import selectors as response_selectors
from tutor.scheduling import selectors as scheduling_selectors
from tutor.tracing import services as tracing_services

# What each looks its own table up by. PostgreSQL plans with statistics, which an empty database
# does not have.
LOOKED_UP_BY = [
    (response_selectors._FOR_PRESENTATION, "presentation=?"),
    (response_selectors._HINTS, "presentation=?"),
    (scheduling_selectors._FOLLOWER, "follows=?"),
    (practice_selectors._PRESENTATION, "public_id=?"),
    (practice_selectors._SHOWING, "public_id=?"),
    (practice_selectors._SESSION, "public_id=?"),
    (practice_selectors._OPEN_SESSION, "learner_id=? AND course_id=?"),
    (tracing_services._STATE, "learner_id=? AND tracer_id=?"),
    (content_selectors._REVISION, "rowid=?"),
    (authentication._USER, "rowid=?"),
]


@pytest.mark.skipif(on_postgres(), reason="reads SQLite's query plan")
@pytest.mark.django_db
@pytest.mark.parametrize(("prepared", "key"), LOOKED_UP_BY)
def test_is_looked_up_by_its_key(prepared, key):
    compiled = prepared._compile()
    with connection.cursor() as cursor:
        values = ["0" * 32] * len(compiled.params)
        cursor.execute(f"EXPLAIN QUERY PLAN {compiled.sql}", values)
        steps = [row[3] for row in cursor.fetchall()]

    assert [step for step in steps if key in step]
    assert not [step for step in steps if step.startswith("SCAN")]
