"""The clock, read by interfaces only; everything below takes `at` as a parameter."""

import datetime as dt
import time
from collections.abc import Callable

from django.utils import timezone


def now() -> dt.datetime:
    """Return the present moment, aware, in UTC."""
    return timezone.now()  # noqa: TID251 - this is the door


def going_on_from(at: dt.datetime) -> Callable[[], dt.datetime]:
    """Return a clock that shows `at` now: for work that takes minutes from a given moment on."""
    began = time.monotonic()
    return lambda: at + dt.timedelta(seconds=time.monotonic() - began)
