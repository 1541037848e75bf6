"""The tutor's Celery application on a clock that can be stepped: `worker --app tests.faults...`."""

import datetime as dt
import os
from pathlib import Path

from django.utils import timezone

from tutor.config.celery import app

__all__ = ["app"]

OFFSET = Path(os.environ["TUTOR_VAR"]) / "clock-offset"
_now = timezone.now


def _stepped() -> dt.datetime:
    """The present as a machine would tell it whose clock was set by so many seconds."""
    try:
        return _now() + dt.timedelta(seconds=float(OFFSET.read_text() or 0))
    except OSError:
        return _now()


timezone.now = _stepped
