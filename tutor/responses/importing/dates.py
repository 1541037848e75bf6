"""Moments as logs write them."""

import datetime as dt

# Before 1990 there were no learner logs: an earlier moment is a wrong unit or a wrong column.
EARLIEST = dt.datetime(1990, 1, 1, tzinfo=dt.UTC)
LATEST = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)


def read_moment(text: str) -> dt.datetime:
    """Return an ISO 8601 moment (UTC where no zone is given) or epoch seconds, aware, in UTC.

    Raises:
        ValueError: neither, or not between 1990 and 2100; the message says what to do.
    """
    moment = _parse(text.strip())
    if not EARLIEST <= moment < LATEST:
        message = f"{moment:%Y-%m-%d} is not between 1990 and 2100; epoch times are in seconds"
        raise ValueError(message)
    return moment


def _parse(text: str) -> dt.datetime:
    try:
        return dt.datetime.fromtimestamp(float(text), tz=dt.UTC)
    except (ValueError, OverflowError, OSError):
        pass
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        message = "write it as 2026-09-01T08:30:00Z or as epoch seconds"
        raise ValueError(message) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
