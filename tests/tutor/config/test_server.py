"""The embedded server: what its processes do when one of them ends."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings

from tests.servers.process import ROOT, free_port
from tests.servers.site import Place
from tests.servers.test_servers import is_alive
from tutor.config import server as server_module
from tutor.config.supervisor import Stop

# Not less: the machine that runs the tests may be busy.
WAIT_S = 120


def children(pid: int) -> list[int]:
    """Return the processes that `pid` has started, directly or not."""
    listing = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    )
    pairs = [tuple(map(int, line.split())) for line in listing.stdout.splitlines()]
    found, parents = [], {pid}
    while parents:
        parents = {child for child, parent in pairs if parent in parents}
        found.extend(parents)
    return sorted(found)


def eventually(is_true: Callable[[], bool], *, timeout_s: float = 120) -> bool:
    until_s = time.monotonic() + timeout_s
    while time.monotonic() < until_s:
        if is_true():
            return True
        time.sleep(0.05)
    return False


class Server:
    """The embedded server as a person starts it, in a group of processes of its own."""

    def __init__(self, *, place: Place, port: int, module: str = "tutor.config.server") -> None:
        self.log = place.var / "server.log"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module, "--port", str(port)],
                cwd=ROOT,
                env={**os.environ, **place.environment},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self.log.read_text()

    @property
    def worker(self) -> int:
        return self.child("--queues=tracing")

    def child(self, option: str) -> int:
        """Return the one process of the server that was started with this option."""
        command = ["ps", "-A", "-ww", "-o", "pid=,ppid=,args="]
        listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        [line] = [
            line
            for line in listing.splitlines()
            if int(line.split()[1]) == self.process.pid and option in line
        ]
        return int(line.split()[0])

    def has_written(self, text: str) -> bool:
        return eventually(lambda: text in self.output or self.process.poll() is not None) and (
            text in self.output
        )

    def interrupt(self) -> None:
        """Do what Ctrl-C in the terminal does."""
        os.killpg(self.process.pid, signal.SIGINT)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def send(place: Place, *tasks: str) -> None:
    script = "import sys; from tutor.config import celery_app as app\n"
    script += "for name in sys.argv[1:]: app.send_task(name)"
    subprocess.run(
        [sys.executable, "-c", script, *tasks],
        cwd=ROOT,
        env={**os.environ, **place.environment},
        check=True,
    )


def messages(place: Place, queue: str) -> list[str]:
    """Return the messages of a queue that wait or are being worked on."""
    return [path.name for path in (place.var / "broker").rglob(f"*.{queue}.msg")]


@contextlib.contextmanager
def running(place: Place) -> Iterator[Server]:
    server = Server(place=place, port=free_port())
    try:
        assert server.has_written("The tutor is at"), server.output
        yield server
    finally:
        server.end()


@pytest.fixture
def place(var) -> Place:
    return Place(var=var, postgres_url=None)


@pytest.fixture
def server(place) -> Iterator[Server]:
    with running(place) as server:
        yield server


class TestStop:
    def test_counts_every_way_of_being_asked(self):
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = [signal.getsignal(number) for number in numbers]
        try:
            stop = Stop()
            for number in numbers:
                os.kill(os.getpid(), number)

            assert stop.count == len(numbers)
        finally:
            for number, handler in zip(numbers, before, strict=True):
                signal.signal(number, handler)


class TestEnds:
    """Each of these ends a server of its own; to start one takes long."""

    def test_everything_when_asked(self, server):
        started = children(server.process.pid)
        assert len(started) == 6  # gunicorn, its two processes, three workers

        server.process.send_signal(signal.SIGINT)

        assert server.process.wait(WAIT_S) == 0
        assert [pid for pid in started if is_alive(pid)] == []

    def test_everything_when_it_is_killed(self, server):
        started = children(server.process.pid)

        server.process.kill()
        server.process.wait()

        assert eventually(lambda: not any(is_alive(pid) for pid in started)), server.output

    def test_the_workers_when_the_web_server_ended(self, server):
        [web] = [pid for pid in children(server.process.pid) if len(children(pid)) == 2]

        os.kill(web, signal.SIGTERM)

        assert server.process.wait(WAIT_S) == 1
        assert "The web server stopped" in server.output


class TestWorkers:
    def test_starts_a_worker_again_that_died(self, server):
        dead = server.worker

        os.kill(dead, signal.SIGKILL)

        assert server.has_written("The worker stopped (killed by SIGKILL). Starting it again")
        assert eventually(lambda: len(children(server.process.pid)) == 6)
        assert server.worker != dead

    def test_deep_passes_go_on_whatever_the_other_workers_are_at(self, server, place):
        busy = [server.child(f"--queues={queues}") for queues in ("celery", "training")]
        for pid in busy:
            os.kill(pid, signal.SIGSTOP)
        try:
            send(place, "tracing.advance_learners", "calibration.work")

            assert eventually(lambda: not messages(place, "tracing"))
            assert messages(place, "calibration")
        finally:
            for pid in busy:
                os.kill(pid, signal.SIGCONT)

        # Whoever is at it again takes up what waited.
        assert eventually(lambda: not messages(place, "calibration"))


class TestServe:
    def test_its_workers_take_from_every_queue_once(self):
        taken = [queue for _, _, queues in server_module.WORKERS for queue in queues.split(",")]

        assert sorted(taken) == sorted(queue.name for queue in settings.CELERY_TASK_QUEUES)

    def test_refuses_a_port_that_is_taken(self, place):
        with socket.create_server(("127.0.0.1", 0)) as other:
            server = Server(place=place, port=other.getsockname()[1])

            assert server.process.wait(WAIT_S) == 1

        assert "is in use by another program" in server.output
        assert len(server.output.splitlines()) == 1
