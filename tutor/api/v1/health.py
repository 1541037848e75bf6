"""Whether the tutor works, for whoever watches it."""

import datetime as dt
from typing import Any

from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.db import Error, connection
from drf_spectacular.utils import extend_schema
from kombu.exceptions import KombuError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tutor import VERSION
from tutor.api import shapes
from tutor.common import clock
from tutor.scheduling import trust
from tutor.tracing import due
from tutor.tracing.deep import Rung

HOUR = dt.timedelta(hours=1)
# Anybody may ask, so the tables are looked at no oftener than that, seconds.
KEPT_S = 10


class Health(APIView):
    """The state of the parts; no sign-in needed and nothing said about anybody."""

    authentication_classes: list[type] = []
    permission_classes: list[type] = []

    @extend_schema(
        operation_id="get_health",
        auth=[],
        responses={200: shapes.HealthOutput, 503: shapes.HealthOutput},
    )
    def get(self, request: Request) -> Response:
        """Return 200 while answers are taken, 503 when the database does not answer."""
        del request
        document = read_health()
        status = 503 if document["database"] == "down" else 200
        return Response(shapes.HealthOutput(document).data, status=status)


def read_health() -> dict[str, Any]:
    """Return the state of the parts, in the form of `shapes.HealthOutput`."""
    has_database = _has_database()
    document = {
        "status": "ok" if has_database else "down",
        "version": VERSION,
        "database": "ok" if has_database else "down",
        **_broker(),
        **(_work() if has_database else dict.fromkeys(WORK)),
    }
    if has_database and document["broker"] == "down":
        # Learners go on; refolds and fits wait.
        document["status"] = "degraded"
    return document


def _has_database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return False
    return True


def _broker() -> dict[str, Any]:
    try:
        with current_app.connection_for_write(transport_options={"max_retries": 0}) as broker:
            broker.ensure_connection(max_retries=1, timeout=2, interval_start=0.1)
            waiting = {
                queue.name: broker.default_channel.queue_declare(queue.name).message_count
                for queue in settings.CELERY_TASK_QUEUES
            }
    except (KombuError, OSError):
        return {"broker": "down", "tasks_waiting": None, "queues": None}
    return {"broker": "ok", "tasks_waiting": sum(waiting.values()), "queues": waiting}


WORK = ("deep_work", "rungs_last_hour")


def _work() -> dict[str, Any]:
    return cache.get_or_set("health-work", _read_work, KEPT_S)


def _read_work() -> dict[str, Any]:
    now = clock.now()
    backlog = due.measure()
    oldest = backlog.oldest
    counted = trust.count_newest_rungs(since=now - HOUR)
    return {
        "deep_work": {
            "learners_waiting": backlog.learners,
            "oldest_s": None if oldest is None else max((now - oldest).total_seconds(), 0.0),
            "left_aside": backlog.quarantined,
        },
        "rungs_last_hour": {rung.value: counted[rung] for rung in Rung},
    }
