"""One row of a table of answers: what its cells may say.

`kt_models.data.csv_log` has the same rules for the project's own columns, so that what a model
was trained on and what the tutor imports are one log; a test holds the two against each other.
"""

import datetime as dt
import json
import operator
import zoneinfo
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tutor.responses.importing.cells import (
    BadCell,
    check_name,
    read_concepts,
    read_number,
    to_microseconds,
    without_nul,
)
from tutor.responses.importing.dates import (
    check_not_in_future,
    read_formatted,
    read_log_time,
    read_number_time,
)
from tutor.responses.importing.errors import UnreadableLog
from tutor.responses.importing.mapping import FIELDS, OPTIONAL, ColumnMapping

MOST_MS = 2**53
MOST = 32_000
_TRUTHS = {"true": 1.0, "false": 0.0}
# In other people's tables; our own format has no need of them.
WORDS = {
    **_TRUTHS,
    **dict.fromkeys(("correct", "right", "yes", "y", "t", "pass", "passed", "richtig"), 1.0),
    **dict.fromkeys(("incorrect", "wrong", "no", "n", "f", "fail", "failed", "falsch"), 0.0),
}
# Cells repeat; what was made of one is remembered, so many at most.
_REMEMBERED = 200_000


class LogRow(NamedTuple):
    """One answer as a row says it.

    Attributes:
        line: where it stands in its file.
        at: microseconds since 1970, or since a start of the log's own; None where none stands.
        is_moment: whether `at` counts from 1970.
        order: a number that orders a learner's answers; None where there is none.
        presented_at: microseconds since 1970, where the log says it beside `at`.
        answer: what was answered as JSON; empty where only its correctness is known.
        extra: further columns that are kept, as JSON; empty where there are none.
        is_pilot: whether the item was being tried out; None where the log does not say.
    """

    line: int
    learner: str
    item: str
    credit: float
    concepts: tuple[str, ...] = ()
    at: int | None = None
    is_moment: bool = False
    order: float | None = None
    elapsed_ms: int | None = None
    hints: int = 0
    attempt: int = 1
    presented_at: int | None = None
    answer: str = ""
    extra: str = ""
    is_pilot: bool | None = None


class RowReader:
    """Reads the rows of one table under one mapping."""

    def __init__(
        self, header: Sequence[str], mapping: ColumnMapping, *, name: str, at: dt.datetime
    ) -> None:
        """Prepare for a table.

        Args:
            header: the table's columns.
            mapping: what they mean.
            name: what messages call the table.
            at: now; nobody can have answered later.

        Raises:
            UnreadableLog: the mapping names a column that the table lacks or has twice, or no
                column for a required field.
        """
        self._width = len(header)
        self._places = {
            field: [_place(header, column, name=name) for column in columns]
            for field, columns in mapping.columns.items()
        }
        if mapping.missing:
            raise UnreadableLog(
                f"{name}: no column is named for {', '.join(mapping.missing)}. Its columns are "
                f"{', '.join(title for title in header if title) or 'none'}.",
                missing=list(mapping.missing),
            )
        titles = unique_titles(header)
        self._keep = {column: _place(titles, column, name=name) for column in mapping.keep}
        self._mapping, self._at = mapping, at
        # Our own columns are read to the letter; a model reads them too.
        is_own = all(columns == (field,) for field, columns in mapping.columns.items())
        self._truths = _TRUTHS if is_own else WORDS
        self._is_own = is_own
        self._read_time = _time_reader(mapping, at=at)
        self._learner, self._item = (_getter(self._places[name]) for name in ("learner", "item"))
        [self._correct] = self._places["correct"]
        # Where a table lacks a field, its place lies past the end and holds nothing.
        self._optional = [self._places.get(name, [self._width])[0] for name in OPTIONAL]
        self._learners: dict[str, str] = {}
        self._items: dict[str, str] = {}
        self._credits: dict[str, float] = {}
        self._concept_cells: dict[str, tuple[str, ...]] = {"": ()}

    def read(self, line: int, cells: list[str]) -> LogRow:
        """Return what a row says; cells that are not there count as empty.

        Raises:
            BadCell: the first cell that cannot be read.
        """
        if len(cells) != self._width:
            cells = self._fit(cells)
        cells.append("")
        learner = self._name("learner", self._learner(cells), self._learners)
        item = self._name("item", self._item(cells), self._items)
        credit = self._credit(cells[self._correct])
        concepts, time, order, elapsed, hints, attempt, pilot = (cells[n] for n in self._optional)
        named = self._concepts(concepts)
        at, is_moment = self._read_time(time.strip()) if time else (None, False)
        return LogRow(
            line,
            learner,
            item,
            credit,
            named,
            at,
            is_moment,
            read_number("order", order) if order.strip() else None,
            self._elapsed_ms(elapsed.strip()) if elapsed else None,
            self._count("hints", hints.strip(), low=0) if hints else 0,
            self._count("attempt", attempt.strip(), low=1) if attempt else 1,
            extra=self._extra(cells) if self._keep else "",
            is_pilot=self._yes_or_no("is_pilot", pilot.strip()) if pilot else None,
        )

    def place_of(self, cells: list[str]) -> tuple[str, float | None]:
        """Return learner and order of a row that cannot be read; '' and None where they cannot."""
        try:
            own = cells[: self._width]
            filled = own + [""] * (self._width + 1 - len(own))
            order = filled[self._optional[2]].strip()
            learner = check_name("learner", self._learner(filled).strip())
            return learner, read_number("order", order) if order else None
        except BadCell:
            return "", None

    def _fit(self, cells: list[str]) -> list[str]:
        """Return as many cells as the header has titles."""
        surplus = cells[self._width :]
        if any(cell.strip() for cell in surplus):
            reason = "more cells than the first line has names; quote a comma"
            raise BadCell("", ",".join(surplus), reason)
        return cells[: self._width] + [""] * (self._width - len(cells))

    def _name(self, field: str, cell: str, known: dict[str, str]) -> str:
        name = known.get(cell)
        if name is None:
            name = check_name(field, cell.strip())
            if len(known) < _REMEMBERED:
                known[cell] = name
        return name

    def _credit(self, cell: str) -> float:
        credit = self._credits.get(cell)
        if credit is None:
            credit = self._new_credit(cell.strip())
            if len(self._credits) < _REMEMBERED:
                self._credits[cell] = credit
        return credit

    def _new_credit(self, value: str) -> float:
        credit = self._truths.get(value.lower())
        if credit is None:
            credit = self._score(value)
        if not 0.0 <= credit <= 1.0:
            raise BadCell("correct", value, f"not from 0 to {self._mapping.full_score:g}")
        return credit

    def _score(self, value: str) -> float:
        """Return points as a share of the full score; in other people's tables also "50 %"."""
        if self._is_own:
            return read_number("correct", value)
        text = value.replace(",", ".") if value.count(",") == 1 else value
        if text.endswith("%"):
            return read_number("correct", text[:-1].strip()) / 100.0
        return read_number("correct", text) / self._mapping.full_score

    def _concepts(self, cell: str) -> tuple[str, ...]:
        known = self._concept_cells.get(cell)
        if known is None:
            known = read_concepts(cell, separator=self._mapping.separator)
            if len(self._concept_cells) < _REMEMBERED:
                self._concept_cells[cell] = known
        return known

    def _elapsed_ms(self, value: str) -> int | None:
        if not value:
            return None
        number = float(value) if value.isdecimal() else read_number("elapsed_ms", value)
        if self._mapping.elapsed_unit == "seconds":
            number *= 1000.0
        if not 0 <= number <= MOST_MS:
            raise BadCell(
                "elapsed_ms", value, "negative or out of range; leave it empty if unknown"
            )
        return round(number)

    def _count(self, field: str, value: str, *, low: int) -> int:
        if not value:
            return low
        if value.isdecimal() and value.isascii() and len(value) < 6:
            number: float = int(value)
        elif not self._is_own and value.lower() in self._truths:
            return max(low, int(self._truths[value.lower()]))
        else:
            number = read_number(field, value)
        if number != int(number) or not low <= number <= MOST:
            raise BadCell(field, value, f"not a whole number from {low} to {MOST}")
        return int(number)

    def _yes_or_no(self, field: str, value: str) -> bool | None:
        if not value:
            return None
        truth = self._truths.get(value.lower())
        number = read_number(field, value) if truth is None else truth
        if number not in (0.0, 1.0):
            raise BadCell(field, value, "neither 1, for yes, nor 0; leave it empty if unknown")
        return bool(number)

    def _extra(self, cells: Sequence[str]) -> str:
        kept = {
            column: without_nul(column, cells[place].strip())
            for column, place in self._keep.items()
            if cells[place].strip()
        }
        return json.dumps(kept, ensure_ascii=False) if kept else ""


def _getter(places: list[int]) -> Callable[[Sequence[str]], str]:
    """Return what takes a name from a row; several cells are joined."""
    if len(places) == 1:
        return operator.itemgetter(places[0])
    return lambda cells: " / ".join(cell for n in places if (cell := cells[n].strip()))


def _place(header: Sequence[str], column: str, *, name: str) -> int:
    places = [place for place, title in enumerate(header) if title == column]
    # Our own titles mean the same however they are written, and so stand there once.
    if not places or column in FIELDS:
        places = [n for n, title in enumerate(header) if title.lower() == column.lower()]
    if not places:
        # What has no title of its own is called by its place.
        places = [n for n, title in enumerate(unique_titles(header)) if title == column]
    if not places:
        raise UnreadableLog(
            f"{name} lacks the column {column}. Its columns are "
            f"{', '.join(title for title in header if title) or 'none'}.",
            missing=[column],
        )
    if len(places) > 1:
        raise UnreadableLog(f"{name} names the column {column} more than once.")
    return places[0]


def _time_reader(
    mapping: ColumnMapping, *, at: dt.datetime
) -> Callable[[str], tuple[int | None, bool]]:
    """Return a function from a cell to (microseconds, whether since 1970)."""
    zone = zoneinfo.ZoneInfo(mapping.time_zone)

    def parse(value: str) -> dt.datetime | float:
        if mapping.time_format:
            return read_formatted(value, form=mapping.time_format, zone=zone)
        if mapping.time_unit != "auto":
            return read_number_time(value, unit=mapping.time_unit)
        return read_log_time(value, zone=zone)

    def read(value: str) -> tuple[int | None, bool]:
        if not value:
            return None, False
        try:
            time = parse(value)
            if isinstance(time, float):
                return round(time * 1e6), False
            check_not_in_future(time, at=at)
        except ValueError as error:
            raise BadCell("answered_at", value, str(error)) from error
        return to_microseconds(time), True

    return read


def unique_titles(header: Sequence[str]) -> list[str]:
    """Return the titles; one that is empty or stands there before is called by its place."""
    titles: list[str] = []
    for place, title in enumerate(header, start=1):
        titles.append(title if title and title not in titles else f"column {place}")
    return titles
