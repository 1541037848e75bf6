"""Celery's door to forecasts."""

from celery import shared_task
from django.db import OperationalError

from tutor.common import clock
from tutor.outlook import nights, queue


@shared_task(
    name=queue.FORECAST,
    autoretry_for=(OperationalError,),
    retry_backoff=True,
    max_retries=5,
    acks_late=True,
)
def forecast_goals(**_: object) -> int:
    """Forecast every running assignment's learners; return how many forecasts were made.

    Tried again, it is the same night's.
    `**_` takes messages of newer code.
    """
    return nights.forecast_all(at=nights.night_of(clock.now()))
