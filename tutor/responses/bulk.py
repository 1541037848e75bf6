"""Many answers at once, past the ORM: executemany on SQLite, COPY on PostgreSQL.

A row says what a `Response` says; a test reads rows written here back through the ORM.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import IntegrityError, connection, transaction

from tutor.responses.models import Response

_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - SQLite keeps moments in UTC without a zone
_COLUMNS = (
    *("learner_id", "client_key", "item_version_id", "answer", "is_correct", "credit", "attempt"),
    *("hints_seen", "presented_at", "elapsed_ms", "answered_at", "is_pilot"),
    *("course_id", "received_at", "source", "seed", "misconception"),
)


class BulkResponse(NamedTuple):
    """One graded answer of a log.

    Attributes:
        client_key: 32 hex digits.
        answer: JSON.
        credit: 0..1; the answer is correct where it is 1.
        presented_at: microseconds since 1970, or None.
        answered_at: microseconds since 1970.
        is_pilot: whether the item was being tried out.
    """

    learner_id: int
    client_key: str
    item_version_id: int
    answer: str
    credit: float
    attempt: int
    hints_seen: int
    presented_at: int | None
    elapsed_ms: int | None
    answered_at: int
    is_pilot: bool = False


def insert_new(
    *, course_id: int, source: str, received_at: dt.datetime, rows: Sequence[BulkResponse]
) -> int:
    """Insert the rows whose (learner, client key) the log does not have; return how many.

    The caller has a transaction open and holds the learners' locks.
    """
    fixed = (course_id, _text(_microseconds(received_at)), source, 0, "")
    if connection.vendor == "sqlite":
        return _insert_sqlite(rows, fixed)
    try:
        with transaction.atomic():
            return _copy(rows, fixed)
    except IntegrityError:
        # Only where the log has one of them is it worth asking which.
        return _copy(_without_stored(rows), fixed)


def _insert_sqlite(rows: Sequence[BulkResponse], fixed: tuple[Any, ...]) -> int:
    marks = ", ".join("?" * len(_COLUMNS))
    sql = (
        f"INSERT INTO {Response._meta.db_table} ({', '.join(_COLUMNS)}) VALUES ({marks}) "  # noqa: S608, SLF001
        "ON CONFLICT (learner_id, client_key) DO NOTHING"
    )
    with connection.cursor() as cursor:
        # Django's cursor rewrites the statement for every call.
        found: int = cursor.connection.executemany(
            sql, ((*_values(row), *fixed) for row in rows)
        ).rowcount
    return found


def _values(row: BulkResponse) -> tuple[Any, ...]:
    return (
        row.learner_id,
        row.client_key,
        row.item_version_id,
        row.answer,
        row.credit >= 1.0,
        row.credit,
        row.attempt,
        row.hints_seen,
        None if row.presented_at is None else _text(row.presented_at),
        row.elapsed_ms,
        _text(row.answered_at),
        row.is_pilot,
    )


def _microseconds(moment: dt.datetime) -> int:
    return (moment.astimezone(dt.UTC).replace(tzinfo=None) - _EPOCH) // dt.timedelta(microseconds=1)


def _text(microseconds: int) -> str:
    return (_EPOCH + dt.timedelta(microseconds=microseconds)).isoformat(" ")


def _without_stored(rows: Sequence[BulkResponse]) -> list[BulkResponse]:
    owners = list({row.learner_id for row in rows})
    keys = [row.client_key for row in rows]
    stored = Response.objects.filter(learner__in=owners, client_key__in=keys)
    known = {(learner, key.hex) for learner, key in stored.values_list("learner", "client_key")}
    return (
        [row for row in rows if (row.learner_id, row.client_key) not in known]
        if known
        else list(rows)
    )


def _copy(rows: Sequence[BulkResponse], fixed: tuple[Any, ...]) -> int:
    if not rows:
        return 0
    sql = f"COPY {Response._meta.db_table} ({', '.join(_COLUMNS)}) FROM STDIN"  # noqa: SLF001
    course, received_at, source, seed, misconception = fixed
    tail = f"{course}\t{received_at}+00\t{_escaped(source)}\t{seed}\t{_escaped(misconception)}\n"
    text = "".join(
        f"{row.learner_id}\t{row.client_key}\t{row.item_version_id}\t{_escaped(row.answer)}\t"
        f"{'t' if row.credit >= 1.0 else 'f'}\t{row.credit!r}\t{row.attempt}\t{row.hints_seen}\t"
        f"{_copied(row.presented_at)}\t{_null(row.elapsed_ms)}\t{_copied(row.answered_at)}\t"
        f"{'t' if row.is_pilot else 'f'}\t{tail}"
        for row in rows
    )
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(sql) as copy:
        copy.write(text)
    return len(rows)


def _escaped(text: str) -> str:
    """Return a text as COPY reads it."""
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    return text.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _copied(microseconds: int | None) -> str:
    return "\\N" if microseconds is None else f"{_text(microseconds)}+00"


def _null(value: int | None) -> str:
    return "\\N" if value is None else str(value)
