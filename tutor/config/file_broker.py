"""A broker made of files, for a tutor that runs on one machine with one worker for each queue.

Kombu's filesystem transport, with three faults mended: a message appears whole or not at all
(written aside, then renamed); a message stays on disk until its task is done, so that a worker
that is killed loses nothing; and a message that has brought three workers down is put aside.

The folder (`settings.BROKER_DIR`) holds waiting messages; `taken/` those being worked on, `dead/`
those put aside, `control/` the bindings of queues.
"""

import json
import logging
import time
import uuid
from collections.abc import Collection, Iterator
from functools import cached_property
from pathlib import Path
from queue import Empty
from typing import Any

from django.conf import settings
from kombu.transport import filesystem

logger = logging.getLogger(__name__)

MAX_DELIVERIES = 3


class Channel(filesystem.Channel):
    """Puts, takes and acknowledges messages as files."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Open a channel on the tutor's broker folder."""
        super().__init__(*args, **kwargs)
        self._taken: dict[str, Path] = {}

    @cached_property
    def folder(self) -> Path:
        """The broker's folder, made on first use."""
        folder = broker_folder()
        for inner in ("taken", "dead", "control", "writing"):
            (folder / inner).mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def control_folder(self) -> Path:
        """Where kombu keeps which queue is bound to which exchange."""
        return self.folder / "control"

    def _put(self, queue: str, payload: dict[str, Any], **_: Any) -> None:
        # Wall-clock time, not kombu's monotonic one: the order survives a reboot.
        name = f"{time.time_ns():020d}_{uuid.uuid4()}.{queue}.msg"
        aside = self.folder / "writing" / name
        aside.write_text(json.dumps(payload))
        aside.rename(self.folder / name)

    def _get(self, queue: str) -> dict[str, Any]:
        for path in self._waiting(queue):
            taken = self.folder / "taken" / path.name
            try:
                path.rename(taken)
            except FileNotFoundError:
                continue  # another consumer was quicker
            try:
                payload: dict[str, Any] = json.loads(taken.read_text())
            except ValueError:
                _put_aside(taken, reason="it is not JSON")
                continue
            self._taken[payload["properties"]["delivery_tag"]] = taken
            return payload
        raise Empty

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:  # noqa: FBT001, FBT002
        """Forget a message whose task is done."""
        super().basic_ack(delivery_tag, multiple)
        self._forget(delivery_tag)

    def basic_reject(self, delivery_tag: str, requeue: bool = False) -> None:  # noqa: FBT001, FBT002
        """Give a message back (it is then put anew) or drop it."""
        super().basic_reject(delivery_tag, requeue)
        self._forget(delivery_tag)

    def _forget(self, delivery_tag: str) -> None:
        taken = self._taken.pop(delivery_tag, None)
        if taken is not None:
            taken.unlink(missing_ok=True)

    def _restore(self, message: Any) -> None:
        # A worker that stops in peace gives back what it had fetched but not begun.
        super()._restore(message)
        self._forget(message.delivery_tag)

    def _waiting(self, queue: str) -> Iterator[Path]:
        return iter(sorted(self.folder.glob(f"*_*.{queue}.msg")))

    def _size(self, queue: str) -> int:
        return sum(1 for _ in self._waiting(queue))

    def _purge(self, queue: str) -> int:
        count = 0
        for path in self._waiting(queue):
            path.unlink(missing_ok=True)
            count += 1
        return count


class Transport(filesystem.Transport):
    """Kombu's filesystem transport over our channel."""

    Channel = Channel
    # Seconds between two looks at the folder while it is empty.
    polling_interval = 0.2

    @property
    def default_connection_params(self) -> dict[str, Any]:
        """Return no host or port: a folder has none, and kombu would warn of a missing one."""
        return {}


def broker_folder() -> Path:
    """Return the folder that holds the messages."""
    return Path(settings.BROKER_DIR)


def restore(*, queues: Collection[str] | None = None) -> int:
    """Put back what a killed worker had begun and return how many messages that was.

    Called by a starting worker. There is one worker for each queue on a broker of files; a second
    one would have its running task repeated, which tasks bear because they are idempotent.

    Args:
        queues: those that the worker takes from; all by default.
    """
    count = 0
    for taken in sorted((broker_folder() / "taken").glob("*.msg")):
        if queues is not None and taken.name.split(".")[-2] not in queues:
            continue
        try:
            payload = json.loads(taken.read_text())
        except ValueError:
            _put_aside(taken, reason="it is not JSON")
            continue
        deliveries = payload["properties"].get("deliveries", 1) + 1
        if deliveries > MAX_DELIVERIES:
            _put_aside(taken, reason=f"its task ended {MAX_DELIVERIES} workers")
            continue
        payload["properties"]["deliveries"] = deliveries
        taken.write_text(json.dumps(payload))
        taken.rename(broker_folder() / taken.name)
        count += 1
    return count


def _put_aside(message: Path, *, reason: str) -> None:
    logger.error("Put the message %s aside, in %s/dead: %s.", message.name, broker_folder(), reason)
    message.rename(broker_folder() / "dead" / message.name)
