"""Celery's door to the registry."""

from typing import Any

from celery import current_app, shared_task, signals
from django.conf import settings
from django.db import OperationalError

from tutor.common import clock
from tutor.registry import claims, queue, selectors


@shared_task(
    name=queue.TRAIN,
    autoretry_for=(OperationalError,),
    retry_backoff=True,
    max_retries=5,
    acks_late=True,
)
def train(**_: object) -> int:
    """Do the trainings that were asked for; return how many. `**_` takes newer messages."""
    waits = selectors.list_trainings_to_take().exists()
    if not waits and not selectors.list_trainings_to_follow_up().exists():
        return 0
    # Loads torch: some 300 MB that a worker without such work need not hold.
    from tutor.registry import working  # noqa: PLC0415

    return working.work(now=clock.now)


@signals.worker_ready.connect
def _take_up_what_a_killed_worker_left(**_: Any) -> None:
    # On a broker of files there is one worker for each queue (tutor/config/file_broker.py).
    is_ours = queue.TRAINING in current_app.amqp.queues.consume_from
    if settings.CELERY_BROKER_URL.startswith("filesystem:") and is_ours:
        claims.void_silent()
