"""The beat, sparing with the broker: what nobody takes is not sent for ever.

A message that is too old is passed over by the worker that takes it; until then it lies in the
broker. A queue whose worker is away for days would fill it, and then nobody could send anything.
"""

from typing import Any

from celery import beat
from celery.utils.log import get_logger

from tutor.common.broker import count_waiting

logger = get_logger(__name__)

# Messages that wait in a queue when the beat stops sending to it.
MOST_WAITING = 200


class Scheduler(beat.PersistentScheduler):
    """Celery's own, which passes over entries whose queue is full."""

    def apply_entry(self, entry: beat.ScheduleEntry, producer: Any = None) -> None:
        """Send the message of an entry that is due, unless too many wait already."""
        if self._is_full(entry):
            logger.warning("%s is not sent: nobody takes from its queue.", entry.task)
            # Else it looks as if the beat were stuck.
            self._tasks_since_sync += 1
            if self.should_sync():
                self._do_sync()
            return
        super().apply_entry(entry, producer=producer)

    def _is_full(self, entry: beat.ScheduleEntry) -> bool:
        queue = self.app.amqp.router.route(dict(entry.options), entry.task)["queue"]
        try:
            waiting = count_waiting(self.connection.default_channel, queue)
        except (*self.connection.connection_errors, *self.connection.channel_errors):
            # Sending fails as well then, and says why.
            return False
        return waiting >= MOST_WAITING
