"""The name of the tracing task that messages ask for, and the way to ask without loading it.

A message is only a nudge: what has to be done stands in the database (a state's `stale_since`, a
row of the work list), whoever gets one does all of that, and the beat sends one every few seconds.
"""

import logging
import os
import threading
import time

from celery import current_app

from tutor.common.broker import count_waiting

logger = logging.getLogger(__name__)

CATCH_UP = "tracing.catch_up"
QUEUE = "tracing"

# One message does for all that came in meanwhile.
NUDGE_EVERY_S = 0.05
# So many that wait do for whatever comes: each is for everything. One more than one, because the
# next to be taken may be another task's, or too old.
ENOUGH_WAITING = 2
# Whoever was busy for so long finds what the beat sent since.
EXPIRES_S = 60.0
# Seconds until a broker that is down is tried again.
DOWN_S = 1.0


def nudge() -> None:
    """Ask a worker to do what is marked, beside the request: nobody waits for the broker.

    Whoever asks while a message is about to be sent, or waits to be taken, is served by that one:
    with every worker busy the queue holds `ENOUGH_WAITING` messages and one for each process that
    asks, whatever comes in.
    """
    _nudger().ask()


class _Nudger:
    """A thread that sends a message when it was asked to, and at most every `NUDGE_EVERY_S`."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._asked = threading.Event()
        threading.Thread(target=self._run, name="nudger", daemon=True).start()

    def ask(self) -> None:
        """Have a message sent soon."""
        self._asked.set()

    def _run(self) -> None:
        is_down = False
        while True:
            self._asked.wait()
            self._asked.clear()
            try:
                send_unless_enough_wait()
            except Exception as error:  # noqa: BLE001 - it must outlive any trouble of a broker
                if not is_down:
                    logger.warning("No broker: the sweep will find what waits. %s", error)
                is_down = True
                time.sleep(DOWN_S)
            else:
                is_down = False
                time.sleep(NUDGE_EVERY_S)


def send_unless_enough_wait() -> bool:
    """Send a message unless others wait to be taken; return whether one was sent.

    What was committed before is found by whoever takes the message that waits.
    """
    with current_app.producer_or_acquire() as producer:
        waiting = count_waiting(producer.channel, current_app.amqp.queues[QUEUE])
        if waiting >= ENOUGH_WAITING:
            return False
        current_app.send_task(CATCH_UP, retry=False, expires=EXPIRES_S, producer=producer)
    return True


_nudgers: list[_Nudger] = []
_starting = threading.Lock()


def _nudger() -> _Nudger:
    # A process that was forked has the object and not the thread.
    if not _nudgers or _nudgers[-1].pid != os.getpid():
        with _starting:
            if not _nudgers or _nudgers[-1].pid != os.getpid():
                _nudgers[:] = [_Nudger()]
    return _nudgers[-1]
