"""The clock, read by interfaces only; everything below takes `at` as a parameter."""

import datetime as dt

from django.utils import timezone


def now() -> dt.datetime:
    """Return the present moment, aware, in UTC."""
    return timezone.now()  # noqa: TID251 - this is the door
