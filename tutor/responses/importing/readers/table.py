"""Any table with a row for each answer, under a mapping: CSV, TSV, Parquet."""

import itertools
from collections.abc import Mapping

from tutor.responses.importing.errors import UnreadableLog
from tutor.responses.importing.guessing import (
    find_problems,
    guess_mapping,
    is_own_format,
    unread_times,
)
from tutor.responses.importing.log_rows import RowReader
from tutor.responses.importing.mapping import ColumnMapping
from tutor.responses.importing.readers.base import Request, take_rows
from tutor.responses.importing.sources import Source
from tutor.responses.importing.staging import Staging
from tutor.responses.importing.tables import Table, read_table

# Rows that a guess rests on.
SAMPLE = 200
# A larger share of results beyond the full score is no slip but another scale.
OFF_SCALE = 0.02


def read(source: Source, *, into: Staging, request: Request) -> None:
    """Read a table.

    Raises:
        UnreadableLog: it is no table, or nobody says what its columns mean.
    """
    table, sample, mapping = open_table(source, mapping=request.mapping)
    problems = find_problems(table.header, [cells for _, cells in sample], mapping)
    if problems:
        raise UnreadableLog(
            f"{table.name}: {' '.join(problems)} Its columns are {', '.join(table.header)}."
        )
    reader = RowReader(table.header, mapping, name=table.name, at=request.at)
    titles = {field: " + ".join(columns) for field, columns in mapping.columns.items()}
    rows = itertools.chain(sample, table.rows)
    take_rows(reader, rows, into=into, request=request, titles=titles)
    if mapping.merge_skills and not ({"answered_at", "order"} & mapping.columns.keys()):
        raise UnreadableLog(
            "merge_skills needs a column for answered_at or order, to tell answers apart."
        )
    _tell(into, table, mapping)
    if not is_own_format(table.header) or "answered_at" not in mapping.columns:
        into.warnings += unread_times(table.header, mapping)
    into.settle(merge_skills=mapping.merge_skills)
    off_scale = 0 if is_own_format(table.header) else into.count_off_scale()
    if off_scale > OFF_SCALE * (into.counts().answers + off_scale):
        raise UnreadableLog(
            f"{off_scale} results of {titles['correct']} lie beyond {mapping.full_score:g}, which "
            "is taken for a right answer: say what the full score is."
        )


def open_table(
    source: Source,
    *,
    mapping: ColumnMapping | None,
    named: Mapping[str, tuple[str, ...]] | None = None,
) -> tuple[Table, list[tuple[int, list[str]]], ColumnMapping]:
    """Return the table with its first rows taken off, and the mapping given or guessed.

    `named` are columns that somebody named; the guess goes around them.
    """
    given = mapping or ColumnMapping()
    table = read_table(source, delimiter=given.delimiter, encoding=given.encoding)
    sample = list(itertools.islice(table.rows, SAMPLE))
    if mapping is None or not mapping.columns:
        guessed = guess_mapping(
            table.header,
            [cells for _, cells in sample],
            delimiter=table.delimiter,
            encoding=given.encoding,
            named=named or {},
        )
        mapping = guessed.changed(**given.special())
    elif named:
        mapping = mapping.changed(columns=named)
    return table, sample, mapping


def _tell(into: Staging, table: Table, mapping: ColumnMapping) -> None:
    if not is_own_format(table.header):
        read_as = ", ".join(
            f"{field} from {' + '.join(columns)}" for field, columns in mapping.columns.items()
        )
        into.warnings.append(f"Columns read: {read_as}.")
        used = {name.lower() for names in mapping.columns.values() for name in names}
        used |= {name.lower() for name in mapping.keep}
        left = [title for title in table.header if title and title.lower() not in used]
        if left:
            into.warnings.append(f"Columns left out: {', '.join(left)}.")
    if mapping.keep:
        into.warnings.append(f"Kept with each answer, as it stands: {', '.join(mapping.keep)}.")
