"""The probe application under a watchdog that has no patience, and tasks that try it."""

import time
from pathlib import Path
from typing import Any

from django.conf import settings
from kombu.transport import redis

from tests.servers import probe_task
from tutor.config import watchdog

app = probe_task.app
watchdog.LOOK_EVERY_S = 0.1
watchdog.ECHO_EVERY_S = 0.2
# Not less: the machine that runs the tests may be busy.
watchdog.DEAF_AFTER_S = 4.0
watchdog.BEAT_STUCK_AFTER_S = 1.0
settings.TASK_LIMITS_S["celery"] = 3.0


@app.task(name="tests.go_deaf")
def go_deaf(*, path: str) -> None:
    """Have the worker never ask Redis for a message again, as after a connection that stalled."""

    def ask_for_nothing(self: Any, *_: Any, **__: Any) -> None:
        del self

    redis.Channel._brpop_start = ask_for_nothing
    Path(path).write_text("deaf")


@app.task(name="tests.dawdle")
def dawdle(*, path: str) -> None:
    """Take longer than the queue allows."""
    time.sleep(60)
    Path(path).touch()
