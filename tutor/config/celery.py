"""The Celery application: work outside the request.

The broker is chosen by TUTOR_BROKER_URL: files in the tutor's own folder (the embedded default, one
worker for each queue), Redis or RabbitMQ (production). Tasks are sent by name, so that the web
process never imports what a worker needs to carry them out.
"""

import os
from typing import Any

from celery import Celery, signals
from kombu import transport

from tutor.config import file_broker, watchdog

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tutor.config.settings")  # noqa: TID251

# Kombu's own transport of this name can hand out half-written messages and loses the task of a
# worker that is killed; see file_broker.
transport.TRANSPORT_ALIASES["filesystem"] = "tutor.config.file_broker:Transport"

app = Celery("tutor")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.worker_init.connect
def _take_up_what_a_killed_worker_left(**_: Any) -> None:
    if app.conf.broker_url.startswith("filesystem:"):
        file_broker.restore(queues=set(app.amqp.queues.consume_from))


watchdog.install(app)
