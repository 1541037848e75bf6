"""Celery's door to tracing."""

from celery import shared_task
from django.db import OperationalError

from tutor.tracing import queue, sweep


@shared_task(
    name=queue.REFOLD_STALE,
    autoretry_for=(OperationalError,),
    retry_backoff=True,
    max_retries=5,
    acks_late=True,
)
def refold_stale(**_: object) -> int:
    """Fold the marked learners again; return how many. `**_` takes messages of newer code."""
    return sweep.refold_stale()
