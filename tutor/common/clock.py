"""The clock, read by interfaces only; everything below takes `at` as a parameter."""

import datetime as dt
import time
from collections.abc import Callable

from django.db import connection
from django.utils import timezone


def now() -> dt.datetime:
    """Return the present moment, aware, in UTC."""
    return timezone.now()  # noqa: TID251 - this is the door


def of_database() -> dt.datetime:
    """Return the database's present: machines whose clocks differ agree on what is too old by it.

    Beside SQLite there is one machine, and its clock.
    """
    if connection.vendor != "postgresql":
        return now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        found: dt.datetime = cursor.fetchone()[0]
    return found


def going_on_from(at: dt.datetime) -> Callable[[], dt.datetime]:
    """Return a clock that shows `at` now: for work that takes minutes from a given moment on."""
    began = time.monotonic()
    return lambda: at + dt.timedelta(seconds=time.monotonic() - began)
