"""Ends a worker, or a beat, that has stopped working, so that whatever runs it starts it again.

A worker may lose its broker without noticing: it lives, answers nothing and takes nothing. So a
thread sends a message through the worker's own queue and waits to see it come in. While a task runs
nothing has to come in (a solo worker listens between tasks); then the task's time counts. Either
way too long means the end of the process. What it had in hand stands in the database and is found
by the sweeps.

Every few seconds the thread also writes down how the worker is, for docker/health.py. All times are
on the monotonic clock: a clock that is set must end nobody.
"""

import faulthandler
import json
import logging
import os
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from celery import Celery, signals
from celery.worker import state
from django.conf import settings
from kombu import Exchange, Queue

logger = logging.getLogger(__name__)

ECHO = "watchdog.echo"
# Between two looks.
LOOK_EVERY_S = 5.0
# Between two echoes.
ECHO_EVERY_S = 30.0
# An echo that has not come in for so long, with no task running, will not come in.
DEAF_AFTER_S = 120.0
# A beat sends something every few seconds and writes its schedule every half minute.
BEAT_STUCK_AFTER_S = 300.0
# A worker's own queue is forgotten so long after its last sign of life: longer than any task.
QUEUE_LASTS_S = 48 * 3600
# As a program that found itself in a state that cannot be (sysexits.h).
EXIT_CODE = 70


@dataclass(frozen=True, slots=True)
class Running:
    """A task that is being carried out, on a monotonic clock."""

    name: str
    queue: str
    began_s: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a worker is: `idle`, `busy`, `waiting` for its broker, `deaf` or `overdue`."""

    state: str
    reason: str = ""

    @property
    def is_fatal(self) -> bool:
        """Whether only a new process can help."""
        return self.state in {"deaf", "overdue"}


class Watch:
    """Judges a worker from what was sent to it, what came in and what it is at."""

    def __init__(self, *, limits_s: Mapping[str, float]) -> None:
        """Take the seconds that a task may run, by queue."""
        self._limits_s = limits_s
        # When the first echo was sent of those since the last that came in.
        self._sent_s: float | None = None
        self._can_send = True

    def note_sent(self, *, now_s: float, is_sent: bool) -> None:
        """Note that an echo was sent, or that the broker could not be reached."""
        self._can_send = is_sent
        if not is_sent:
            # The worker tries to connect again by itself; nothing can come in meanwhile.
            self._sent_s = None
        elif self._sent_s is None:
            self._sent_s = now_s

    def note_received(self) -> None:
        """Note that an echo came in: the worker hears."""
        self._sent_s = None

    def judge(self, *, running: tuple[Running, ...], now_s: float) -> Verdict:
        """Say how the worker is at `now_s`."""
        for task in running:
            took_s = now_s - task.began_s
            limit_s = self._limits_s.get(task.queue)
            if limit_s is not None and took_s > limit_s:
                reason = f"{task.name} has run for {took_s:.0f} s; {task.queue} allows {limit_s} s."
                return Verdict("overdue", reason)
        if running:
            if self._sent_s is not None:
                self._sent_s = now_s
            return Verdict("busy", ", ".join(sorted(task.name for task in running)))
        if not self._can_send:
            return Verdict("waiting", "The broker cannot be reached.")
        if self._sent_s is not None and now_s - self._sent_s > DEAF_AFTER_S:
            silent_s = now_s - self._sent_s
            return Verdict("deaf", f"The broker took an echo {silent_s:.0f} s ago; it never came.")
        return Verdict("idle")


def install(app: Celery) -> None:
    """Have every worker and every beat of the application watched."""
    app.task(name=ECHO, ignore_result=True)(_echo)
    signals.celeryd_after_setup.connect(_listen, weak=False)
    signals.worker_ready.connect(_watch_worker, weak=False)
    signals.beat_init.connect(_watch_beat, weak=False)


def _echo(**_: object) -> None:
    """Do nothing: that it came in is all that it says."""


def _own_queue() -> Queue:
    """Return this process's queue: Celery's direct ones are shared by workers of the same name."""
    name = f"watchdog.{_TOKEN}"
    # By the nameless exchange, which needs no table of who is bound to what.
    return Queue(name, Exchange(""), routing_key=name, expires=QUEUE_LASTS_S)


_TOKEN = uuid.uuid4().hex


def _listen(instance: Any, **_: Any) -> None:
    if not settings.HAS_NETWORK_BROKER:
        return
    queue = _own_queue()
    instance.app.amqp.queues.select_add(queue)
    # Celery has put its default exchange in place of the nameless one.
    queue.exchange = Exchange("")


def _watch_worker(sender: Any, **_: Any) -> None:
    watch = Watch(limits_s=settings.TASK_LIMITS_S)

    def note(request: Any = None, **_: Any) -> None:
        if request is not None and request.name == ECHO:
            watch.note_received()

    signals.task_received.connect(note, weak=False)
    arguments = {"app": sender.app, "watch": watch}
    threading.Thread(target=_look, kwargs=arguments, name="watchdog", daemon=True).start()


def _look(*, app: Celery, watch: Watch) -> None:
    tasks = _Tasks()
    echo_at_s = 0.0
    while True:
        now_s = time.monotonic()
        running = tasks.look(now_s=now_s)
        # One may be lost, with a broker that was emptied: several before the worker counts as deaf.
        # While a task runs they would only pile up.
        if settings.HAS_NETWORK_BROKER and not running and now_s >= echo_at_s:
            watch.note_sent(now_s=now_s, is_sent=_send_echo(app))
            echo_at_s = now_s + ECHO_EVERY_S
        verdict = watch.judge(running=running, now_s=time.monotonic())
        _write(verdict)
        if verdict.is_fatal:
            _end(f"The worker is {verdict.state}. {verdict.reason}")
        time.sleep(LOOK_EVERY_S)


def _send_echo(app: Celery) -> bool:
    try:
        app.send_task(ECHO, queue=_own_queue(), retry=False)
    except Exception:  # whatever the broker's library raises, the watch must go on
        logger.warning("No echo could be sent to the broker.", exc_info=True)
        return False
    return True


class _Tasks:
    """What the worker is at, and since when as far as was seen."""

    def __init__(self) -> None:
        self._began_s: dict[str, float] = {}

    def look(self, *, now_s: float) -> tuple[Running, ...]:
        requests = [one for one in tuple(state.active_requests) if one.name != ECHO]
        self._began_s = {one.id: self._began_s.get(one.id, now_s) for one in requests}
        return tuple(
            Running(
                name=one.name,
                queue=one.delivery_info.get("routing_key", ""),
                began_s=self._began_s[one.id],
            )
            for one in requests
        )


def _write(verdict: Verdict) -> None:
    if not settings.HEALTH_FILE:
        return
    path = Path(settings.HEALTH_FILE)
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        aside.write_text(json.dumps(asdict(verdict)))
        aside.rename(path)
    except OSError:
        logger.warning("How the worker is could not be written to %s.", path, exc_info=True)


def _watch_beat(**_: Any) -> None:
    threading.Thread(target=_look_at_beat, name="watchdog", daemon=True).start()


def _look_at_beat() -> None:
    path = Path(settings.CELERY_BEAT_SCHEDULE_FILENAME)
    written, changed_s = None, time.monotonic()
    while True:
        # The library behind the file may add an ending to its name.
        files = path.parent.glob(f"{path.name}*")
        latest = max((one.stat().st_mtime_ns for one in files), default=0)
        if latest != written:
            written, changed_s = latest, time.monotonic()
        if time.monotonic() - changed_s > BEAT_STUCK_AFTER_S:
            _end("The beat has not written its schedule for minutes.")
        time.sleep(LOOK_EVERY_S)


def _end(reason: str) -> None:
    logger.critical("%s Ending this process, to be started again.", reason)
    try:
        # Celery has put a logger without a file in place of `sys.stderr`.
        faulthandler.dump_traceback(file=sys.__stderr__)
    finally:
        os._exit(EXIT_CODE)
