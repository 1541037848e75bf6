"""The log as arrays, for folds over many learners: a million answers without a million objects."""

import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Count, Exists, F, Func, OuterRef, QuerySet, Subquery, TextField
from django.db.models.functions import Coalesce

from tutor.accounts.models import Learner
from tutor.responses.models import Response
from tutor.responses.selectors import FOLD_ORDER

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
# Answers that are read at once where the whole log is wanted.
PIECE_ANSWERS = 100_000
# Whole numbers up to here are floats; this many microseconds reach into the year 2255.
EXACT = 2**53


@dataclass(frozen=True, slots=True)
class FoldColumns:
    """The standing answers of some learners, learner after learner, each in fold order.

    Attributes:
        id: (R,) database ids.
        learner_id: (R,) ascending.
        version_id: (R,)
        credit: (R,) 0..1.
        attempt: (R,) 1 for the first.
        hints_seen: (R,)
        answered_us: (R,) microseconds since 1970, UTC.
        is_pilot: (R,) whether the item was being tried out.
    """

    id: Ints
    learner_id: Ints
    version_id: Ints
    credit: Floats
    attempt: Ints
    hints_seen: Ints
    answered_us: Ints
    is_pilot: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        """Return the number of answers."""
        return len(self.id)

    def only(self, keep: npt.NDArray[np.bool_]) -> "FoldColumns":
        """Return the answers where `keep` (R,) is true; learners without any are gone."""
        return FoldColumns(*(getattr(self, field.name)[keep] for field in fields(self)))

    @property
    def assisted(self) -> npt.NDArray[np.bool_]:
        """Whether there was help before the answer, (R,): a hint, or a try before."""
        return (self.hints_seen > 0) | (self.attempt > 1)

    @property
    def answered_at(self) -> Floats:
        """Epoch seconds, (R,), to the last bit what `datetime.timestamp()` gives."""
        seconds = self.answered_us / 1e6
        for row in np.flatnonzero(np.abs(self.answered_us) > EXACT).tolist():
            seconds[row] = int(self.answered_us[row]) / 1_000_000
        return seconds

    @property
    def starts(self) -> Ints:
        """Where each learner's answers begin, and the end, (L + 1,)."""
        begins = np.flatnonzero(np.diff(self.learner_id, prepend=-1))
        return np.append(begins, len(self)).astype(np.int64)


class _Moment(Func):
    """A time as the database has it, without a `datetime` made of it row by row.

    SQLite keeps text in UTC; PostgreSQL, asked for microseconds, gives them exactly.
    """

    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        # Of an expression the driver does not know that it is a time, and leaves it alone.
        return self.as_sql(compiler, connection, template="(%(expressions)s || '')", **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "CAST(EXTRACT(EPOCH FROM %(expressions)s) * 1000000 AS bigint)"
        return self.as_sql(compiler, connection, template=template, **extra)


def read_columns(
    *, course_id: int, learner_ids: Sequence[int], newest_id: int | None = None
) -> FoldColumns:
    """Return the standing answers of the given learners, with one query.

    With `newest_id` no answer and no correction of a larger id, so that what was read once is read
    again as it was.

    The rows exist as Python objects for a moment, some 400 bytes an answer: ask for pieces of the
    log, see `in_pieces`. A correction is of the same learner and course as what it corrects, so
    both are among the rows that are read.
    """
    rows = Response.objects.filter(course=course_id, learner__in=learner_ids)
    return read_rows(rows=rows if newest_id is None else rows.filter(pk__lte=newest_id))


def read_rows(*, rows: QuerySet[Response]) -> FoldColumns:
    """Return those of the rows that stand: of a row and its correction both must be among them."""
    ordered = rows.annotate(moment=_Moment("answered_at"), replaces=Coalesce("corrects", 0))
    query = ordered.order_by("learner", *FOLD_ORDER).values_list(
        *("pk", "learner", "item_version", "credit", "attempt", "hints_seen"),
        *("moment", "is_pilot", "replaces"),
    )
    fetched: list[tuple[Any, ...]] = []
    with contextlib.suppress(EmptyResultSet), connection.cursor() as cursor:
        # Past the ORM's own rows, which take as long again as all the rest.
        cursor.execute(*query.query.sql_with_params())
        fetched = cursor.fetchall()
    read = list(zip(*fetched, strict=True)) or [()] * 9
    types = ("i8", "i8", "i8", "f8", "i8", "i8", "datetime64[us]", "?", "i8")
    columns = [np.array(own, dtype=kind) for own, kind in zip(read, types, strict=True)]
    columns[6] = columns[6].astype(np.int64)
    replaces = columns.pop()
    stands = ~np.isin(columns[0], replaces[replaces > 0])
    return FoldColumns(*(columns if stands.all() else (column[stands] for column in columns)))


def read_whole_log(*, course_id: int, newest_id: int | None = None) -> FoldColumns:
    """Return everybody's standing answers: 57 bytes an answer, twice that while they are joined."""
    sizes = count_standing(course_id=course_id)
    parts = [
        read_columns(course_id=course_id, learner_ids=piece, newest_id=newest_id)
        for piece in in_pieces(sizes=sizes, answers=PIECE_ANSWERS, learners=PIECE_ANSWERS)
    ]
    if not parts:
        return read_columns(course_id=course_id, learner_ids=[])
    each = [[getattr(part, field.name) for part in parts] for field in fields(FoldColumns)]
    return FoldColumns(*(np.concatenate(columns) for columns in each))


def in_pieces(*, sizes: Mapping[int, int], answers: int, learners: int) -> Iterator[list[int]]:
    """Yield the learners in pieces of at most so many answers and learners, in the order given.

    Args:
        sizes: learner id -> answers; one with more than `answers` is a piece of their own.
    """
    piece: list[int] = []
    held = 0
    for learner_id, size in sizes.items():
        if piece and (held + size > answers or len(piece) == learners):
            yield piece
            piece, held = [], 0
        piece.append(learner_id)
        held += size
    if piece:
        yield piece


def count_standing(*, course_id: int, learner_ids: Sequence[int] | None = None) -> dict[int, int]:
    """Return learner id -> standing answers, for those who have any, ascending.

    Every correction takes the place of one row, so what stands is what there is less the
    corrections. Both are counted in indexes alone; asking each row whether it is corrected takes
    five times as long.
    """
    own = Response.objects.filter(learner=OuterRef("pk"), course=course_id).order_by()
    answered = Learner.objects.filter(Exists(own))
    if learner_ids is not None:
        answered = answered.filter(pk__in=learner_ids)
    total = Coalesce(Subquery(own.values("course").annotate(n=Count("pk")).values("n")), 0)
    counts = dict(answered.order_by("pk").annotate(n=total).values_list("pk", "n"))
    corrections = Response.objects.filter(course=course_id, corrects__isnull=False)
    for learner_id, n in corrections.order_by().values_list("learner").annotate(n=Count(F("pk"))):
        if learner_id in counts:
            counts[learner_id] -= n
    return counts


def list_learners(*, course_id: int) -> list[int]:
    """Return the learners with answers in the course, ascending; one look into an index each."""
    own = Response.objects.filter(learner=OuterRef("pk"), course=course_id)
    return list(Learner.objects.filter(Exists(own)).order_by("pk").values_list("pk", flat=True))
