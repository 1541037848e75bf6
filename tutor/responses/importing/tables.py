"""A table of text: CSV or TSV by lines, Parquet by batches. The only place that needs pyarrow."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tutor.responses.importing.errors import UnreadableLog
from tutor.responses.importing.sources import PARQUET, Member, Source, check_growth

# No row of a log is longer; a file without line ends must not be read whole.
LONGEST_LINE = 2**20
MOST_COLUMNS = 2_000
# Parquet is read one row group at a time, so that has to fit.
LARGEST_ROW_GROUP = 2**28
BATCH = 10_000
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True, slots=True)
class Table:
    """A table that is read once, from the top.

    Attributes:
        name: what messages call it.
        header: names of the columns, as they stand.
        rows: line and cells of every row that is not blank. Cells are text as in the file; a
            row may have fewer or more than the header.
        delimiter: what separates the cells; empty where the file has columns of its own.
    """

    name: str
    header: tuple[str, ...]
    rows: Iterator[tuple[int, list[str]]] = field(repr=False)
    delimiter: str = ""


def read_table(source: Source, *, delimiter: str = "", encoding: str = "utf-8") -> Table:
    """Return the table in an input that is one file.

    Raises:
        UnreadableLog: also while the rows are read: it is no such table, or no text.
    """
    member = source.single()
    with member.open() as file:
        head = file.read(8192)
    if head.startswith(PARQUET):
        return _parquet(source)
    return text_table(member, delimiter=delimiter, encoding=encoding)


def text_table(member: Member, *, delimiter: str = "", encoding: str = "utf-8") -> Table:
    """Return the table in a text file.

    Raises:
        UnreadableLog: likewise.
    """
    lines = read_lines(member, encoding=encoding)
    first = next(lines, "")
    if not first.strip():
        raise UnreadableLog(
            f"{member.name}: there is nothing in it."
            if not first
            else f"{member.name}: its first line is empty; it must name the columns."
        )
    if "\x00" in first:
        raise UnreadableLog(f"{member.name} has a NUL character in its first line; is it text?")
    sign = delimiter or guess_delimiter(first)
    # Strict: else a quote that is never closed swallows the rest of the file.
    reader = csv.reader(_chain(first, lines), delimiter=sign, strict=True)
    rows = _rows(reader, name=member.name)
    _, header = next(rows, (0, []))
    if len(header) > MOST_COLUMNS:
        raise UnreadableLog(f"{member.name} has more than {MOST_COLUMNS:,} columns.")
    return Table(member.name, tuple(title.strip() for title in header), rows, sign)


def _chain(first: str, lines: Iterator[str]) -> Iterator[str]:
    yield first
    yield from lines


def _rows(reader: Iterator[list[str]], *, name: str) -> Iterator[tuple[int, list[str]]]:
    line = 0
    try:
        for cells in reader:
            line = reader.line_num  # type: ignore[attr-defined]
            if any(cells):
                yield line, cells
    except csv.Error as error:
        raise UnreadableLog(
            f"{name} is not a CSV: {error}, in the row after line {line}. Is a quote open?"
        ) from error


def guess_delimiter(line: str) -> str:
    """Return the sign that separates the most cells of a header; a comma where there is none.

    >>> guess_delimiter("learner;item;correct")
    ';'
    """
    counts = {sign: _split_count(line, sign) for sign in DELIMITERS}
    return max(counts, key=lambda sign: counts[sign])


def _split_count(line: str, sign: str) -> int:
    try:
        return len(next(csv.reader([line], delimiter=sign), []))
    except csv.Error:
        return 0


def read_lines(member: Member, *, encoding: str, longest: int = LONGEST_LINE) -> Iterator[str]:
    """Yield the lines of a text file with their ends.

    Raises:
        UnreadableLog: it is no text in that encoding, or a line is longer than `longest`.
    """
    line = 0
    # A byte order mark is none of the first name's letters.
    codec = "utf-8-sig" if encoding.lower().replace("_", "-") in {"utf-8", "utf8"} else encoding
    with member.open() as binary, io.TextIOWrapper(binary, codec, newline="") as text:
        try:
            while part := text.readline(longest):
                line += 1
                if len(part) >= longest:
                    raise UnreadableLog(
                        f"{member.name}, line {line}, is longer than {longest:,} characters; "
                        "is it a table with a row on each line?"
                    )
                yield part
        except UnicodeError as error:
            raise UnreadableLog(_not_text(member, encoding, line, error)) from error


def _not_text(member: Member, encoding: str, line: int, error: UnicodeError) -> str:
    with member.open() as binary:
        start = binary.read(4)
    is_utf16 = start.startswith((b"\xff\xfe", b"\xfe\xff"))
    other = "utf-16" if is_utf16 else "latin-1"
    reason = getattr(error, "reason", error)
    return (
        f"{member.name} is not text in {encoding.upper()} ({reason}, after line {line}); save it "
        f"as UTF-8, or name its encoding, perhaps {other}."
    )


def _parquet(source: Source) -> Table:
    if source.is_many:
        raise UnreadableLog(f"{source.name}: unpack the Parquet file and give that.")
    try:
        file = pq.ParquetFile(source.path)
        schema = file.schema_arrow
        groups = [file.metadata.row_group(n) for n in range(file.metadata.num_row_groups)]
        largest = max((group.total_byte_size for group in groups), default=0)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UnreadableLog(f"{source.name} is no readable Parquet file: {error}.") from error
    if len(schema.names) > MOST_COLUMNS:
        raise UnreadableLog(f"{source.name} has more than {MOST_COLUMNS:,} columns.")
    check_growth(sum(group.total_byte_size for group in groups), source.size, name=source.name)
    if largest > LARGEST_ROW_GROUP:
        raise UnreadableLog(
            f"{source.name} has a row group of {largest:,} bytes; write it again with smaller ones."
        )
    return Table(source.name, tuple(schema.names), _parquet_rows(file, source.name))


def _parquet_rows(file: pq.ParquetFile, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield row number and cells; a null is an empty cell, a list its members joined by bars."""
    line = 0
    try:
        for batch in file.iter_batches(batch_size=BATCH, use_threads=False):
            columns = [_as_text(column) for column in batch.columns]
            for cells in zip(*columns, strict=True):
                line += 1
                yield line, list(cells)
    except (pa.ArrowException, OSError, ValueError, UnicodeError) as error:
        raise UnreadableLog(f"{name}, after row {line}, cannot be read: {error}.") from error


def _as_text(column: pa.Array) -> Sequence[str]:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return ["" if own is None else "|".join(map(str, own)) for own in column.to_pylist()]
    if pa.types.is_floating(kind):
        # Python's shortest form that reads back as the same number.
        return ["" if value is None else repr(value) for value in column.to_pylist()]
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        column = pc.cast(column, pa.timestamp("us", tz=kind.tz), safe=False)
    if pa.types.is_timestamp(kind):
        return ["" if value is None else value.isoformat() for value in column.to_pylist()]
    text = pc.cast(column, pa.string())
    return ["" if value is None else value for value in text.to_pylist()]
