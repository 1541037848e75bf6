"""A RabbitMQ of the tests' own, without plugins; what it keeps goes with it."""

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from amqp import Connection
from amqp.exceptions import AMQPError

from tests.servers.process import Process, free_port, running

# The one below sbin changes the user and writes its log to /var.
PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


@contextlib.contextmanager
def rabbitmq_server() -> Iterator[str]:
    """Run a server on a free port and lend its address, `amqp://guest:guest@127.0.0.1:PORT//`."""
    program = str(PROGRAM) if PROGRAM.exists() else shutil.which("rabbitmq-server")
    if program is None:
        raise FileNotFoundError("rabbitmq-server is not installed: run make test.")
    folder = Path(tempfile.mkdtemp(prefix="tutor-rabbitmq-"))
    (folder / "plugins").write_text("[].")
    port, names_port = free_port(), free_port()
    process = Process(
        [program],
        log=folder / "log",
        guard_options=["--remove", str(folder)],
        environment={
            "HOME": str(folder),
            "RABBITMQ_NODENAME": f"tutor{port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "ERL_EPMD_PORT": str(names_port),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "logs"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(folder / "none"),
        },
    )
    try:
        with running(process, lambda: _answers(port), timeout_s=120):
            yield f"amqp://guest:guest@127.0.0.1:{port}//"
    finally:
        _end_names(names_port)


def _answers(port: int) -> bool:
    try:
        with Connection(f"127.0.0.1:{port}", connect_timeout=5):
            return True
    except (AMQPError, OSError):
        return False


def _end_names(port: int) -> None:
    """End Erlang's service of names, which outlives the server that has started it."""
    if epmd := shutil.which("epmd"):
        subprocess.run([epmd, "-port", str(port), "-kill"], check=False, capture_output=True)
