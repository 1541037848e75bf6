"""Names of the tasks of intake, and the way to ask for one without loading what it needs.

A message is only a nudge: what has to be done stands in the uploads' rows, and the sweep finds it
also when the message was lost.
"""

import logging

from celery import current_app
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

WORK_ON = "intake.work_on"
SWEEP = "intake.sweep"


def nudge(*, upload_id: int) -> None:
    """Ask a worker to take the upload's next step; a broker that is down is no error."""
    try:
        current_app.send_task(WORK_ON, kwargs={"upload_id": upload_id}, retry=False)
    except (OperationalError, OSError):
        logger.warning("No broker: the sweep will find upload %s.", upload_id, exc_info=True)
