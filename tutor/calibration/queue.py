"""Names of the tasks of calibration, and the way to ask for one without loading what it needs.

A message is only a nudge: what has to be done stands in the jobs' rows, and a sweep finds it also
when the message was lost.
"""

import logging

from celery import current_app
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

WORK = "calibration.work"
NIGHTLY = "calibration.nightly"


def nudge() -> None:
    """Ask a worker to look at the list of work; a broker that is down is no error."""
    try:
        current_app.send_task(WORK, retry=False)
    except (OperationalError, OSError):
        logger.warning("No broker: the sweep will find the calibration.", exc_info=True)
