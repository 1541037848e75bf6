"""Whether the tutor works, for whoever watches it."""

from typing import Any

from celery import current_app
from django.db import Error, connection
from drf_spectacular.utils import extend_schema
from kombu.exceptions import KombuError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tutor import VERSION
from tutor.api import shapes

QUEUE = "celery"


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
        has_database = _has_database()
        document = {
            "status": "ok" if has_database else "down",
            "version": VERSION,
            "database": "ok" if has_database else "down",
            **_broker(),
        }
        if has_database and document["broker"] == "down":
            # Learners go on; refolds and fits wait.
            document["status"] = "degraded"
        return Response(shapes.HealthOutput(document).data, status=200 if has_database else 503)


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
            queue = broker.default_channel.queue_declare(QUEUE)
            return {"broker": "ok", "tasks_waiting": queue.message_count}
    except (KombuError, OSError):
        return {"broker": "down", "tasks_waiting": None}
