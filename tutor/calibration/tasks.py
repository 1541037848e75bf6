"""Celery's door to calibration."""

from celery import shared_task
from django.db import OperationalError

from tutor.calibration import queue, selectors, services
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
    if not selectors.list_open_jobs().exists():
        return 0
    # Loads scipy: some 60 MB that a worker without such work need not hold.
    from tutor.calibration import working  # noqa: PLC0415

    return working.work(at=clock.now())


@shared_task(name=queue.NIGHTLY, acks_late=True)
def nightly(**_: object) -> int:
    """Ask for a calibration of every course with new answers; return how many."""
    return services.ask_for_all(at=clock.now())
