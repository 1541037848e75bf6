"""Celery's door to intake."""

import uuid
from typing import Any

from celery import current_app, shared_task, signals
from django.conf import settings
from django.db import OperationalError

from tutor.common import clock
from tutor.intake import claims, queue, steps, sweep


@shared_task(name=queue.WORK_ON, acks_late=True)
def work_on(*, upload_id: int, **_: object) -> bool:
    """Take the upload's next step; return whether there was one. `**_` takes newer messages."""
    return steps.work_on(upload_id=upload_id, token=uuid.uuid4(), now=clock.now)


@shared_task(
    name=queue.SWEEP,
    autoretry_for=(OperationalError,),
    retry_backoff=True,
    max_retries=5,
    acks_late=True,
)
def sweep_uploads(**_: object) -> int:
    """Ask for what was left undone, and delete what nobody needs any more; return how many."""
    return sweep.sweep(at=clock.now())


@signals.worker_ready.connect
def _take_up_what_a_killed_worker_left(**_: Any) -> None:
    # On a broker of files there is one worker for each queue (tutor/config/file_broker.py).
    is_ours = current_app.conf.task_default_queue in current_app.amqp.queues.consume_from
    if settings.CELERY_BROKER_URL.startswith("filesystem:") and is_ours:
        claims.void_all()
