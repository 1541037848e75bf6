"""One guarded server process: started, waited for, ended."""

import contextlib
import itertools
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class ServerFailed(Exception):
    """A server did not come up; the text ends with what it wrote."""


# Below those that a system lends to outgoing connections: one of them, opened by another test
# between the choice of a port and the start of its server, would hold it.
PORTS = range(20_000, 32_000)
# Test processes begin far from each other, and do not meet.
_tried = itertools.count(secrets.randbelow(len(PORTS)))


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listened on a moment ago, another one each time.

    Raises:
        ServerFailed: all are taken.
    """
    for number in itertools.islice(_tried, len(PORTS)):
        port = PORTS[number % len(PORTS)]
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise ServerFailed(f"No port from {PORTS.start} to {PORTS.stop} is free.")


class Process:
    """A server under a guard. `stop` ends it in peace, `kill` as a power cut would."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        guard_options: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.log = log
        self._pid_file = log.with_suffix(".pid")
        options = ["--pid-file", str(self._pid_file), *guard_options]
        with log.open("ab") as output:
            self._guard = subprocess.Popen(
                [sys.executable, "-m", "tests.servers.guard", *options, "--", *command],
                cwd=ROOT,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Not in the group that a terminal or a time limit ends as a whole.
                start_new_session=True,
            )

    @property
    def is_running(self) -> bool:
        return self._guard.poll() is None

    @property
    def pid(self) -> int:
        """The server's own process number, also that of its group."""
        return int(self._pid_file.read_text())

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def wait_until(self, is_ready: Callable[[], bool], *, timeout_s: float = 120) -> None:
        """Wait until `is_ready()`; an error of the connection counts as not yet.

        Raises:
            ServerFailed: the process ended, or time ran out.
        """
        until_s = time.monotonic() + timeout_s
        while time.monotonic() < until_s:
            if not self.is_running:
                raise ServerFailed(f"It ended by itself.\n{self.output[-4000:]}")
            with contextlib.suppress(OSError):
                if is_ready():
                    return
            time.sleep(0.05)
        raise ServerFailed(f"Not ready after {timeout_s} s.\n{self.output[-4000:]}")

    def stop(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._guard.stdin.close()
        # It also removes the server's data, which takes long where the disk is busy.
        self._guard.wait(180)

    def kill(self) -> None:
        """End the server with SIGKILL, and what it left with its guard."""
        if self.is_running:
            os.killpg(self.pid, signal.SIGKILL)
            # The ones it has started may hold its port a moment longer than it lives.
            until_s = time.monotonic() + 10
            with contextlib.suppress(ProcessLookupError):
                while time.monotonic() < until_s:
                    os.killpg(self.pid, 0)
                    time.sleep(0.02)
        self.stop()


@contextlib.contextmanager
def running(process: Process, is_ready: Callable[[], bool], **options) -> Iterator[Process]:
    """Wait for a process, lend it, end it."""
    try:
        process.wait_until(is_ready, **options)
        yield process
    finally:
        process.stop()


def accepts(port: int) -> bool:
    """Test whether something listens on the port."""
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
