"""Tables as files: CSV and XLSX, in which nothing that somebody typed is a formula."""

import csv
import datetime as dt
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.utils import timezone
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

Value = str | int | float | dt.date | dt.datetime | None

# What a spreadsheet reads as the beginning of a formula or of a command (OWASP, CSV injection):
# also behind blanks, and the full-width forms that some programs take for the same.
_SIGNS = r"[=+\-@\uff1d\uff0b\uff0d\uff20]"
_FORMULA = re.compile(rf"^[\s\0]*{_SIGNS}|^[\t\r\n]")
# Where a spreadsheet of another language begins a new field or line within the text.
_INSIDE = re.compile(rf"([;|\t\r\n])((?:[^\S\t\r\n]|[\0\"])*{_SIGNS})")
WIDEST = 60


@dataclass(frozen=True, slots=True)
class Table:
    """Named columns and rows. Numbers are numbers, days are days, None is an empty field."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]


@lru_cache(maxsize=4096)
def defuse(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: with an apostrophe where it might.

    >>> defuse("=1+1"), defuse("Ada")
    ("'=1+1", 'Ada')
    """
    inside = _INSIDE.sub(r"\1'\2", text)
    return f"'{inside}" if _FORMULA.match(text) else inside


def write_csv(table: Table) -> bytes:
    """Return a table as CSV (RFC 4180) in UTF-8, with the mark by which Excel knows it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([defuse(name) for name in table.columns])
    writer.writerows([_as_text(value) for value in row] for row in table.rows)
    return b"\xef\xbb\xbf" + text.getvalue().encode(errors="replace")


def _as_text(value: Value) -> str:
    if isinstance(value, str):
        return defuse(value)
    if isinstance(value, dt.datetime):
        return timezone.localtime(value).isoformat(timespec="seconds")
    return "" if value is None else str(value)


def write_xlsx(tables: Sequence[Table]) -> bytes:
    """Return tables as sheets of one workbook, the heads of columns and rows held in place."""
    book = Workbook(write_only=True)
    for table in tables:
        sheet = book.create_sheet(table.name[:31])
        sheet.freeze_panes = "B2"
        for place, width in enumerate(_widths(table), start=1):
            sheet.column_dimensions[get_column_letter(place)].width = width
        head = [WriteOnlyCell(sheet, value=_clean(defuse(name))) for name in table.columns]
        for cell in head:
            cell.font = Font(bold=True)
            cell.alignment = Alignment(vertical="top", wrap_text=True)
            cell.data_type = "s"
        sheet.append(head)
        for row in table.rows:
            sheet.append([_as_cell(sheet, value) for value in row])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _as_cell(sheet: object, value: Value) -> object:
    if isinstance(value, dt.datetime):
        # Spreadsheets know no time zone: as the pages say it.
        return timezone.localtime(value).replace(tzinfo=None, microsecond=0)
    if not isinstance(value, str):
        return value
    if defuse(value) == value:
        return _clean(value)
    # Said to be text, so that it is no formula here, and defused for whoever saves it as CSV.
    cell = WriteOnlyCell(sheet, value=_clean(defuse(value)))
    cell.data_type = "s"
    return cell


def _clean(text: str) -> str:
    # XML has no such characters, UTF-8 no half of a pair; a cell has room for so many.
    text = text.encode(errors="replace").decode()
    return ILLEGAL_CHARACTERS_RE.sub("\ufffd", text)[:32_000]


def _widths(table: Table) -> list[float]:
    """Return the width of each column in characters, by its longest text among the first rows."""
    seen = [table.columns, *table.rows[:200]]
    longest = [max(len(_as_text(row[place])) for row in seen) for place in range(len(seen[0]))]
    return [float(min(max(length, 6), WIDEST)) + 1.5 for length in longest]
