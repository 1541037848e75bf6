"""One process at a time, for work of minutes; the lock goes with the process that holds it.

Nobody waits: whoever comes second is told so. PostgreSQL keeps the lock with the connection; beside
SQLite a locked file does.
"""

import fcntl
import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

_held: set[str] = set()
_guard = threading.Lock()


@contextmanager
def alone(name: str) -> Iterator[bool]:
    """Hold the lock of this name if nobody else does; give whether it is held."""
    if connection.vendor == "postgresql":
        yield from _on_postgresql(name)
    else:
        yield from _beside_sqlite(name)


def _on_postgresql(name: str) -> Iterator[bool]:
    # Advisory locks have numbers for names.
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    # A connection may take a lock that it holds once more, so threads of one are told apart here.
    if not _take(name):
        yield False
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
            is_held = bool(cursor.fetchone()[0])
        try:
            yield is_held
        finally:
            if is_held:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_unlock(%s)", [key])
    finally:
        _held.discard(name)


def _beside_sqlite(name: str) -> Iterator[bool]:
    if not _take(name):
        yield False
        return
    try:
        database = str(connection.settings_dict["NAME"])
        if ":memory:" in database or "mode=memory" in database:
            yield True
            return
        descriptor = os.open(f"{database}-{name}", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
        finally:
            os.close(descriptor)
    finally:
        _held.discard(name)


def _take(name: str) -> bool:
    with _guard:
        if name in _held:
            return False
        _held.add(name)
        return True
