"""Names of the tasks of the registry, and the way to ask for one without loading what it needs.

A message is only a nudge: what has to be done stands in the jobs' rows, and a sweep finds it also
when the message was lost.
"""

import logging

from celery import current_app
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

# The queue of workers that train, and its task: an epoch may take minutes.
TRAINING = "training"
TRAIN = "registry.train"
# Carried out by tutor.tracing, which knows how a tracer version comes into use.
SWITCH = "tracing.switch"


def nudge_training() -> None:
    """Ask a worker to look at the trainings; a broker that is down is no error."""
    _nudge(TRAIN)


def nudge_switch() -> None:
    """Ask a worker to look at the promotions; a broker that is down is no error."""
    _nudge(SWITCH)


def _nudge(task: str) -> None:
    try:
        current_app.send_task(task, retry=False)
    except (OperationalError, OSError):
        logger.warning("No broker: the sweep will find what %s is to do.", task, exc_info=True)
