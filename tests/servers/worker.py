"""A Celery worker in a process of its own."""

import contextlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.servers.process import Process

# The application and one task by which a test can see that messages arrive.
PROBE_APP = "tests.servers.probe_task"


@contextlib.contextmanager
def celery_worker(
    *, environment: Mapping[str, str], folder: Path, app: str = PROBE_APP
) -> Iterator[Process]:
    """Run a worker with these TUTOR_ variables; its log is `folder/worker.log`."""
    process = Process(
        [
            *(sys.executable, "-W", "ignore", "-m", "celery", "--app", app, "worker"),
            *("--pool=solo", "--loglevel=INFO", "--without-gossip", "--without-mingle"),
        ],
        log=folder / "worker.log",
        environment=environment,
    )
    try:
        process.wait_until(lambda: " ready." in process.output)
        yield process
    finally:
        process.stop()
