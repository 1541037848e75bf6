"""A Redis server of the tests' own, without persistence."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import redis

from tests.servers.process import Process, free_port, running


@contextlib.contextmanager
def redis_server(*, port: int | None = None) -> Iterator[str]:
    """Run a server and lend its address, `redis://127.0.0.1:PORT/0`; on a free port by default."""
    program = shutil.which("redis-server")
    if program is None:
        raise FileNotFoundError("redis-server is not installed: run make test.")
    folder = Path(tempfile.mkdtemp(prefix="tutor-redis-"))
    port = port or free_port()
    process = Process(
        [
            program,
            *("--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)),
            *("--save", "", "--appendonly", "no"),
        ],
        log=folder / "log",
        guard_options=["--remove", str(folder)],
    )
    url = f"redis://127.0.0.1:{port}/0"
    with running(process, lambda: _answers(url)):
        yield url


def _answers(url: str) -> bool:
    try:
        with redis.Redis.from_url(url) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False
