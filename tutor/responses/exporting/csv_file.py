"""The log as CSV, plain or packed by gzip."""

import csv
import gzip
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, BinaryIO

from tutor.responses.exporting.columns import Column
from tutor.responses.exporting.records import Record

# What the file's description says, known once the last record is read.
Facts = Callable[[], Mapping[str, Any]]
_WHOLE = {0.0: "0", 1.0: "1"}


def write_csv(
    file: BinaryIO,
    *,
    columns: Sequence[Column],
    batches: Iterable[list[Record]],
    facts: Facts,
) -> None:
    """Write the rows below a line of names. A CSV has no place for `facts`."""
    del facts
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.name for column in columns])
    for records in batches:
        writer.writerows(_cells(columns, records))
    text.flush()
    text.detach()


def write_gzipped_csv(
    file: BinaryIO,
    *,
    columns: Sequence[Column],
    batches: Iterable[list[Record]],
    facts: Facts,
) -> None:
    """Write the same, packed. Without name and time inside: equal logs give equal files."""
    with gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0, compresslevel=6) as packed:
        write_csv(packed, columns=columns, batches=batches, facts=facts)


def _cells(columns: Sequence[Column], records: list[Record]) -> list[list[Any]]:
    """Return the rows with numbers as Python writes them: read again, they are the same."""
    names = [column.name for column in columns]
    correct = names.index("correct")
    rows = [list(record) for record in records]
    for row in rows:
        row[correct] = _WHOLE.get(row[correct], row[correct])
    if "answered_at" in names:
        moment = names.index("answered_at")
        for row in rows:
            # ISO 8601 with microseconds, where there are any, and Z.
            row[moment] = row[moment].isoformat() + "Z"
    return rows
