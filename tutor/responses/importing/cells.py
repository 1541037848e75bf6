"""What the cells of a log may say: names, numbers, moments; and how one that cannot is refused."""

import datetime as dt
import math

LONGEST_NAME = 200
# A cell that begins so is run by a spreadsheet that opens an export.
_FORMULA = ("=", "@", "+", "-", "\t", "\r")
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


class BadCell(ValueError):
    """A cell cannot be read: which, what stands there, and what to write instead."""

    def __init__(self, field: str, value: str, reason: str) -> None:
        super().__init__(reason)
        self.field, self.value, self.reason = field, value, reason


def check_name(field: str, value: str) -> str:
    """Return the name of a learner, an item or a concept.

    Raises:
        BadCell: it is empty, too long, holds a NUL character, or begins like a formula.
    """
    if not value:
        raise BadCell(field, "", "empty")
    if len(value) > LONGEST_NAME:
        raise BadCell(field, value, f"longer than {LONGEST_NAME} characters")
    if value.startswith(_FORMULA) and not _is_number(value):
        raise BadCell(
            field, value, "begins like a formula of a spreadsheet; put another character before it"
        )
    return without_nul(field, value)


def read_concepts(value: str, *, separator: str) -> tuple[str, ...]:
    """Return the concepts that a cell names, each once.

    Raises:
        BadCell: a name cannot be taken.
    """
    parts = value.split(separator) if separator else [value]
    names = dict.fromkeys(part.strip() for part in parts)
    return tuple(check_name("concepts", name) for name in names if name)


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def without_nul(field: str, value: str) -> str:
    """Return the text, which PostgreSQL can store.

    Raises:
        BadCell: it holds a NUL character.
    """
    if "\x00" in value:
        raise BadCell(field, value.replace("\x00", "?"), "holds a NUL character")
    return value


def to_microseconds(moment: dt.datetime) -> int:
    """Return microseconds since 1970, exactly."""
    return (moment - EPOCH) // _MICROSECOND


def to_moment(microseconds: int) -> dt.datetime:
    """Return the moment in UTC."""
    return EPOCH + microseconds * _MICROSECOND


def read_number(field: str, value: str) -> float:
    """Return a finite number.

    Raises:
        BadCell: it is none.
    """
    try:
        number = float(value)
    except ValueError:
        raise BadCell(field, value, "empty" if not value else "not a number") from None
    if not math.isfinite(number):
        raise BadCell(field, value, "not a finite number")
    return number
