"""Moments as logs write them."""

import datetime as dt
import re

from tutor.responses.services import CLOCK_SKEW

# Before 1990 there were no learner logs: an earlier moment is a wrong unit or a wrong column.
EARLIEST = dt.datetime(1990, 1, 1, tzinfo=dt.UTC)
LATEST = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
_EARLIEST_SECONDS, _LATEST_SECONDS = EARLIEST.timestamp(), LATEST.timestamp()
_UNITS = {"seconds": 1.0, "milliseconds": 1e3, "microseconds": 1e6}
# 20260901 means a day to whoever wrote it, and would be 234 days as seconds.
_DAY = re.compile(r"(?:19[89]|20\d)\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])", re.ASCII)
_ADVICE = "not a time; write it as 2026-09-01T08:30:00Z or as epoch seconds"


def read_log_time(text: str, *, zone: dt.tzinfo = dt.UTC) -> dt.datetime | float:
    """Return a moment in UTC, or the number as it stands where it is too small for one.

    A moment is ISO 8601 (in `zone` where it names none) or epoch seconds. Numbers from 0 on that
    lie before 1990 as epoch seconds may count from a start of the log's own; that shows only in the
    log as a whole.

    Raises:
        ValueError: neither, or out of range; the message says what to do.
    """
    if reads_as_day(text):
        day = f"{text[:4]}-{text[4:6]}-{text[6:]}"
        message = f"reads as a day; write {day} for that, or {text}.0 if it counts seconds"
        raise ValueError(message)
    try:
        seconds = float(text)
    except ValueError:
        return read_moment(text, zone=zone)
    return _moment_or_offset(seconds)


def reads_as_day(text: str) -> bool:
    """Test whether eight digits are a day rather than a number."""
    return _DAY.fullmatch(text) is not None


def read_number_time(text: str, *, unit: str) -> dt.datetime | float:
    """Return what a number in `unit` (seconds, milliseconds, microseconds) says, as above.

    Raises:
        ValueError: it is no number, or out of range.
    """
    try:
        number = float(text)
    except ValueError as error:
        message = f"not a number of {unit}"
        raise ValueError(message) from error
    return _moment_or_offset(number / _UNITS[unit])


def read_formatted(text: str, *, form: str, zone: dt.tzinfo) -> dt.datetime:
    """Return the moment that a text of a `strptime` form names, in UTC.

    Raises:
        ValueError: it is not of the form, or not between 1990 and 2100.
    """
    try:
        moment = dt.datetime.strptime(text, form)  # noqa: DTZ007 - the zone follows
    except ValueError as error:
        message = f"not a time of the form {form}"
        raise ValueError(message) from error
    return _in_range(moment if moment.tzinfo else moment.replace(tzinfo=zone))


def _moment_or_offset(seconds: float) -> dt.datetime | float:
    if not 0.0 <= seconds < _LATEST_SECONDS:
        raise ValueError(
            "past the year 2100 as epoch seconds; milliseconds must be divided by 1000"
            if seconds > 0.0
            else _ADVICE
        )
    if seconds < _EARLIEST_SECONDS:
        return seconds
    return dt.datetime.fromtimestamp(seconds, tz=dt.UTC)


def read_moment(text: str, *, zone: dt.tzinfo = dt.UTC) -> dt.datetime:
    """Return an ISO 8601 moment (in `zone` where it names none), aware, in UTC.

    Raises:
        ValueError: it is none, or not between 1990 and 2100; the message says what to do.
    """
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(_ADVICE) from error
    return _in_range(moment if moment.tzinfo else moment.replace(tzinfo=zone))


def _in_range(moment: dt.datetime) -> dt.datetime:
    if not EARLIEST <= moment < LATEST:
        message = f"{moment:%Y-%m-%d} is not between 1990 and 2100"
        raise ValueError(message)
    return moment.astimezone(dt.UTC)


def check_not_in_future(moment: dt.datetime, *, at: dt.datetime) -> None:
    """Refuse a moment that has not come yet.

    Raises:
        ValueError: it lies more than `CLOCK_SKEW` after `at`.
    """
    if moment > at + CLOCK_SKEW:
        message = f"in the future: it is {at:%Y-%m-%d %H:%M} UTC now; check day and zone"
        raise ValueError(message)
