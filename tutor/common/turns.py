"""One writer after the other, without polling.

SQLite lets one writer in; whoever comes meanwhile sleeps, tries again and sleeps longer, up to a
tenth of a second. When a class answers at once most of the waiting is such sleep. Here writers
queue at a file lock first: the operating system wakes the next one as soon as it is free. Writers
that do not queue are still safe, for SQLite's own lock stays what it is.
"""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

_queues = threading.local()


@contextmanager
def atomic_turn() -> Iterator[None]:
    """Run a transaction; on SQLite, in its turn among the processes and threads of this machine.

    Inside another transaction it is only a savepoint: the turn has to be taken before BEGIN.
    """
    path = _queue_file()
    if path is None or connection.in_atomic_block:
        with transaction.atomic():
            yield
        return
    queue = _queue(path)
    fcntl.flock(queue.descriptor, fcntl.LOCK_EX)
    try:
        with transaction.atomic():
            yield
    finally:
        fcntl.flock(queue.descriptor, fcntl.LOCK_UN)


class _Queue:
    """The lock file as one thread opened it: locks belong to openings, so threads queue too."""

    def __init__(self, path: str) -> None:
        self.descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def __del__(self) -> None:
        os.close(self.descriptor)


def _queue(path: str) -> _Queue:
    queues: dict[str, _Queue] = _queues.__dict__.setdefault("by_path", {})
    if path not in queues:
        queues[path] = _Queue(path)
    return queues[path]


def _queue_file() -> str | None:
    name = str(connection.settings_dict["NAME"])
    if connection.vendor != "sqlite" or ":memory:" in name or "mode=memory" in name:
        return None
    return f"{name}-turn"
