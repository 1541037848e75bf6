"""One row of the project's own log CSV: what its cells may say.

`kt_models.data.csv_log` has the same rules, so that what a model was trained on and what the
tutor imports are one log; a test holds the two against each other.
"""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tutor.responses.importing.dates import check_not_in_future, read_log_time

REQUIRED = ("learner", "item", "correct")
OPTIONAL = ("concepts", "answered_at", "elapsed_ms", "hints", "attempt", "group")
# Read here; what else a file has, `group` included, is kept with the answer as it stands.
READ = frozenset({*REQUIRED, *OPTIONAL} - {"group"})
LONGEST_NAME = 200
MOST_MS = 2**53
MOST = 32_000
_TRUTHS = {"true": 1.0, "false": 0.0}


@dataclass(frozen=True, slots=True)
class LogRow:
    """One answer as a row says it; `time` is a moment, or seconds from a start of the log's own."""

    line: int
    learner: str
    item: str
    credit: float
    concepts: tuple[str, ...]
    time: dt.datetime | float | None
    elapsed_ms: int | None
    hints: int
    attempt: int
    extra: Mapping[str, str]


class BadCell(ValueError):
    """A cell cannot be read: which, what stands there, and what to write instead."""

    def __init__(self, field: str, value: str, reason: str) -> None:
        super().__init__(reason)
        self.field, self.value, self.reason = field, value, reason


def read_row(
    line: int, cells: Sequence[str], places: Mapping[str, int], *, at: dt.datetime
) -> LogRow:
    """Return what a row says.

    Args:
        line: where it stands in the file.
        cells: its cells.
        places: column -> place in `cells`; cells that are not there count as empty.
        at: now; nobody can have answered later.

    Raises:
        BadCell: the first cell that cannot be read.
    """
    if any(cell.strip() for cell in cells[len(places) :]):
        surplus = ",".join(cells[len(places) :])
        raise BadCell("", surplus, "more cells than the first line has names; quote a comma")
    values = {
        column: cells[place].strip() for column, place in places.items() if place < len(cells)
    }
    return LogRow(
        line=line,
        learner=_name("learner", values.get("learner", "")),
        item=_name("item", values.get("item", "")),
        credit=_credit(values.get("correct", "")),
        concepts=_concepts(values.get("concepts", "")),
        time=_time(values.get("answered_at", ""), at=at),
        elapsed_ms=_elapsed_ms(values.get("elapsed_ms", "")),
        hints=_count("hints", values.get("hints", ""), low=0),
        attempt=_count("attempt", values.get("attempt", ""), low=1),
        extra={
            column: _without_nul(column, value)
            for column, value in values.items()
            if value and column not in READ
        },
    )


def _name(field: str, value: str) -> str:
    if not value:
        raise BadCell(field, "", "empty")
    if len(value) > LONGEST_NAME:
        raise BadCell(field, value, f"longer than {LONGEST_NAME} characters")
    return _without_nul(field, value)


def _without_nul(field: str, value: str) -> str:
    if "\x00" in value:
        raise BadCell(field, value.replace("\x00", "?"), "holds a NUL character")
    return value


def _concepts(value: str) -> tuple[str, ...]:
    names = dict.fromkeys(name.strip() for name in _without_nul("concepts", value).split("|"))
    for name in names:
        if len(name) > LONGEST_NAME:
            raise BadCell("concepts", name, f"longer than {LONGEST_NAME} characters")
    return tuple(name for name in names if name)


def _credit(value: str) -> float:
    credit = _TRUTHS.get(value.lower())
    if credit is None:
        credit = _number("correct", value)
    if not 0.0 <= credit <= 1.0:
        raise BadCell("correct", value, "not from 0 to 1")
    return credit


def _time(value: str, *, at: dt.datetime) -> dt.datetime | float | None:
    if not value:
        return None
    try:
        time = read_log_time(value)
        if isinstance(time, dt.datetime):
            check_not_in_future(time, at=at)
    except ValueError as error:
        raise BadCell("answered_at", value, str(error)) from error
    return time


def _elapsed_ms(value: str) -> int | None:
    if not value:
        return None
    number = _number("elapsed_ms", value)
    if not 0 <= number <= MOST_MS:
        raise BadCell("elapsed_ms", value, "negative or out of range; leave it empty if unknown")
    return round(number)


def _count(field: str, value: str, *, low: int) -> int:
    if not value:
        return low
    number = _number(field, value)
    if number != int(number) or not low <= number <= MOST:
        raise BadCell(field, value, f"not a whole number from {low} to {MOST}")
    return int(number)


def _number(field: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        raise BadCell(field, value, "empty" if not value else "not a number") from None
    if not math.isfinite(number):
        raise BadCell(field, value, "not a finite number")
    return number
