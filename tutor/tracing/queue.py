"""Names of the tracing tasks, and the way to ask for one without loading what it needs.

A message is only a nudge: what has to be done stands in the database (a state's `stale_since`),
and a sweep finds it also when the message was lost.
"""

import logging
import os
import threading
import time

from celery import current_app

logger = logging.getLogger(__name__)

REFOLD_STALE = "tracing.refold_stale"
ADVANCE_LEARNERS = "tracing.advance_learners"
SWEEP_DUE = "tracing.sweep_due"

# One message does for all that came in meanwhile.
NUDGE_EVERY_S = 0.05
# Seconds until a broker that is down is tried again.
DOWN_S = 1.0


def nudge_refold() -> None:
    """Ask a worker to refold the learners that are marked, beside the request."""
    _nudger().ask(REFOLD_STALE)


def nudge_advance() -> None:
    """Ask for a pass of the deep tracer, beside the request: nobody waits for the broker.

    Whoever asks while a message is about to be sent is served by that one.
    """
    _nudger().ask(ADVANCE_LEARNERS)


class _Nudger:
    """A thread that sends messages when it was asked to, and at most every `NUDGE_EVERY_S`."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._asked = threading.Event()
        self._names: set[str] = set()
        self._guard = threading.Lock()
        threading.Thread(target=self._run, name="nudger", daemon=True).start()

    def ask(self, name: str) -> None:
        """Have a message of this name sent soon."""
        with self._guard:
            self._names.add(name)
        self._asked.set()

    def _run(self) -> None:
        is_down = False
        while True:
            self._asked.wait()
            self._asked.clear()
            with self._guard:
                names, self._names = sorted(self._names), set()
            try:
                for name in names:
                    current_app.send_task(name, retry=False)
            except Exception as error:  # noqa: BLE001 - it must outlive any trouble of a broker
                if not is_down:
                    logger.warning("No broker: the sweep will find what waits. %s", error)
                is_down = True
                time.sleep(DOWN_S)
            else:
                is_down = False
                time.sleep(NUDGE_EVERY_S)


_nudgers: list[_Nudger] = []
_starting = threading.Lock()


def _nudger() -> _Nudger:
    # A process that was forked has the object and not the thread.
    if not _nudgers or _nudgers[-1].pid != os.getpid():
        with _starting:
            if not _nudgers or _nudgers[-1].pid != os.getpid():
                _nudgers[:] = [_Nudger()]
    return _nudgers[-1]
