"""What every reader is given, and how rows of a table are taken."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tutor.responses.importing.cells import BadCell
from tutor.responses.importing.log_rows import RowReader
from tutor.responses.importing.mapping import ColumnMapping
from tutor.responses.importing.staging import Staging

# Rows between two looks at how far the reading is.
TICK = 5_000


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants of an import.

    Attributes:
        slug: of the course.
        title: of a new course.
        at: now; a row from later is rejected.
        mapping: for a table; None to guess it.
        tick: called now and then while rows are read.
    """

    slug: str
    title: str
    at: dt.datetime
    mapping: ColumnMapping | None = None
    tick: Callable[[], object] = lambda: None


def take_rows(
    reader: RowReader,
    rows: Iterable[tuple[int, list[str]]],
    *,
    into: Staging,
    request: Request,
    titles: dict[str, str] | None = None,
) -> None:
    """Add every row, and reject those that cannot be read.

    `titles` says what the file calls a field, so that a reject names the file's own column.
    """
    named = titles or {}
    for number, (line, cells) in enumerate(rows):
        if number % TICK == 0:
            request.tick()
        try:
            into.add(reader.read(line, cells))
        except BadCell as bad:
            learner, order = reader.place_of(cells)
            field = named.get(bad.field, bad.field)
            into.reject(line, field, bad.value, bad.reason, learner=learner, order=order)
