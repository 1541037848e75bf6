"""Celery's door to scheduling."""

from celery import shared_task
from django.db import OperationalError

from tutor.common import clock
from tutor.scheduling import exposures, groups, judging, nights, queue, services


@shared_task(
    name=queue.LEARN,
    autoretry_for=(OperationalError,),
    retry_backoff=True,
    max_retries=5,
    acks_late=True,
)
def learn_policies(**_: object) -> int:
    """Let the policies of every course learn; return how many were promoted.

    `**_` takes messages of newer code.
    """
    return nights.learn_all(at=clock.now())


@shared_task(name=queue.PRUNE_PREDICTIONS, acks_late=True)
def prune_predictions(**_: object) -> int:
    """Remove old deep predictions that no decision was made from; return how many."""
    return services.prune_predictions(now=clock.now())


@shared_task(name=queue.JUDGE_NETWORKS, acks_late=True)
def judge_networks(**_: object) -> int:
    """Score estimates against answers; return in how many places their standing changed."""
    return judging.judge_all(at=clock.now())


@shared_task(name=queue.COMPARE_GROUPS, acks_late=True)
def compare_groups(**_: object) -> int:
    """Compare groups of learners in every course; return how many courses have some."""
    return groups.compare_all(at=clock.now())


@shared_task(name=queue.COUNT_EXPOSURE, acks_late=True)
def count_exposure(**_: object) -> int:
    """Count how many learners were given each item; return in how many courses."""
    return exposures.count_all(at=clock.now())
