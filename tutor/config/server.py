"""The embedded server: gunicorn and three Celery workers, watched by this process.

One worker does what learners wait for, one what may take minutes, one trains networks, which may
take an hour. Each does one thing at a time in a process of its own (ADR 0028).

`python -m tutor.config.server --port 8000`. For one class on one machine; a larger
installation runs gunicorn and workers as services of their own (docs/administrators.md).
"""

import argparse
import http.client
import sys
import time
from collections.abc import Callable

from tutor.config import port as ports
from tutor.config.attached import GRACE_S
from tutor.config.supervisor import Child, Stop

# One task at a time in one process; the rest is talk between several workers.
WORKER_OPTIONS = (
    "--pool=solo",
    "--loglevel=WARNING",
    "--without-gossip",
    "--without-mingle",
    "--without-heartbeat",
)
# Name, program of tutor.config.attached, queues. Together they take from every queue.
WORKERS = (
    ("worker", "worker", "tracing,lms"),
    ("background worker", "background", "celery,calibration"),
    ("training worker", "background", "training"),
)


def serve(*, host: str, port: int, on_ready: Callable[[], None]) -> int:
    """Serve until asked to stop and return the exit code; call `on_ready` once pages are served."""
    reason = ports.why_not(host=host, port=port)
    if reason is not None:
        print(reason, file=sys.stderr)
        return 1

    stop = Stop()
    web = Child(name="web server", arguments=["web", "--bind", _address(host, port)])
    workers = tuple(
        Child(name=name, arguments=[program, *WORKER_OPTIONS, f"--queues={queues}"])
        for name, program, queues in WORKERS
    )
    for child in (web, *workers):
        child.start()
    is_ready = False
    while not stop.count and web.exit_code is None:
        for worker in workers:
            worker.keep_alive()
        if not is_ready and _answers(host, port):
            is_ready = True
            on_ready()
        time.sleep(0.2)
    return _finish(web=web, workers=workers, stop=stop)


def _finish(*, web: Child, workers: tuple[Child, ...], stop: Stop) -> int:
    failed = web.exit_code is not None
    if failed:
        print("The web server stopped; the reason stands above.", file=sys.stderr)
    else:
        print("\nStopping ...", flush=True)
    children = (web, *workers)
    for child in children:
        child.ask_to_stop()
    until_s = time.monotonic() + GRACE_S
    for child in children:
        child.wait(until_s=until_s, stop=stop)
    return 1 if failed else 0


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _answers(host: str, port: int) -> bool:
    """Test whether a page comes back: the port is open a second before the application is."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    connection = http.client.HTTPConnection(reachable, port, timeout=2)
    try:
        connection.request("GET", "/")
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def main() -> int:
    """Serve on the address given on the command line."""
    parser = argparse.ArgumentParser(prog="python -m tutor.config.server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args()

    def announce() -> None:
        print(f"The tutor is at http://{_address(arguments.host, arguments.port)}/", flush=True)

    return serve(host=arguments.host, port=arguments.port, on_ready=announce)


if __name__ == "__main__":
    sys.exit(main())
