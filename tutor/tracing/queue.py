"""Names of the tracing tasks, and the way to ask for one without loading what it needs.

A message is only a nudge: what has to be done stands in the database (a state's `stale_since`),
and a sweep finds it also when the message was lost.
"""

import logging

from celery import current_app
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

REFOLD_STALE = "tracing.refold_stale"


def nudge_refold() -> None:
    """Ask a worker to refold the learners that are marked; a broker that is down is no error."""
    try:
        current_app.send_task(REFOLD_STALE, retry=False)
    except (OperationalError, OSError):
        logger.warning("No broker: the sweep will refold the marked learners.", exc_info=True)
