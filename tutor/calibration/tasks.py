"""Celery's door to calibration."""

from celery import shared_task
from django.db import OperationalError

from tutor.calibration import queue, working
from tutor.common import clock


@shared_task(
    name=queue.WORK,
    autoretry_for=(OperationalError,),
    retry_backoff=True,
    max_retries=5,
    acks_late=True,
)
def work(**_: object) -> int:
    """Do the calibrations that were asked for; return how many. `**_` takes newer messages."""
    return working.work(at=clock.now())


@shared_task(name=queue.NIGHTLY, acks_late=True)
def nightly(**_: object) -> int:
    """Ask for a calibration of every course with new answers; return how many."""
    return working.ask_for_all(at=clock.now())
