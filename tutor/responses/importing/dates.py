"""Moments as logs write them."""

import datetime as dt

# Before 1990 there were no learner logs: an earlier moment is a wrong unit or a wrong column.
EARLIEST = dt.datetime(1990, 1, 1, tzinfo=dt.UTC)
LATEST = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
_ADVICE = "not a time; write it as 2026-09-01T08:30:00Z or as epoch seconds"


def read_log_time(text: str) -> dt.datetime | float:
    """Return a moment in UTC, or the number as it stands where it is too small for one.

    A moment is ISO 8601 (UTC where no zone is given) or epoch seconds. Numbers from 0 on that lie
    before 1990 as epoch seconds may count from a start of the log's own; that shows only in the
    log as a whole.

    Raises:
        ValueError: neither, or out of range; the message says what to do.
    """
    try:
        seconds = float(text)
    except ValueError:
        return read_moment(text)
    if not 0.0 <= seconds < LATEST.timestamp():
        raise ValueError(
            "past the year 2100 as epoch seconds; milliseconds must be divided by 1000"
            if seconds > 0.0
            else _ADVICE
        )
    if seconds < EARLIEST.timestamp():
        return seconds
    return dt.datetime.fromtimestamp(seconds, tz=dt.UTC)


def read_moment(text: str) -> dt.datetime:
    """Return an ISO 8601 moment (UTC where no zone is given), aware, in UTC.

    Raises:
        ValueError: it is none, or not between 1990 and 2100; the message says what to do.
    """
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(_ADVICE) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    if not EARLIEST <= moment < LATEST:
        message = f"{moment:%Y-%m-%d} is not between 1990 and 2100"
        raise ValueError(message)
    return moment.astimezone(dt.UTC)
