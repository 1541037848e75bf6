"""Runs the web server or a worker as a child that never outlives its supervisor.

`python -m tutor.config.attached web ...`, `... worker ...` or `... background ...`. The
supervisor holds the other end of this process's standard input and never writes to it. However the
supervisor ends, even by SIGKILL, the operating system closes that pipe; the child then stops by
itself.
"""

import os
import signal
import sys
import threading
import time
import warnings

# Seconds that requests and tasks under way get to finish.
GRACE_S = 20
# By how much what nobody waits for gives way to the other processes (nice).
NICE = 10


def main() -> None:
    """Run the program named first on the command line with the remaining arguments."""
    threading.Thread(target=_stop_with_the_supervisor, daemon=True).start()
    kind, *arguments = sys.argv[1:]
    {"web": _run_web, "worker": _run_worker, "background": _run_background}[kind](arguments)


def _run_web(arguments: list[str]) -> None:
    from gunicorn.app import wsgiapp  # noqa: PLC0415

    sys.argv = ["gunicorn", "--config", "python:tutor.config.gunicorn", *arguments]
    wsgiapp.run()


def _run_worker(arguments: list[str]) -> None:
    from celery import signals  # noqa: PLC0415
    from celery.beat import EmbeddedService  # noqa: PLC0415

    from tutor.config.celery import app  # noqa: PLC0415

    # A thread and no file: --beat would start a process that outlives a worker that is killed.
    beat = EmbeddedService(app, thread=True, scheduler_cls="celery.beat:Scheduler")
    signals.worker_ready.connect(lambda **_: beat.start(), weak=False)
    _work(arguments)


def _run_background(arguments: list[str]) -> None:
    # Learners are answered first; a training takes what they leave of the machine.
    os.nice(NICE)
    _work(arguments)


def _work(arguments: list[str]) -> None:
    from celery.platforms import SecurityWarning  # noqa: PLC0415

    from tutor.config.celery import app  # noqa: PLC0415

    # Celery warns whoever runs as root because pickled messages could run code. Ours are JSON.
    warnings.simplefilter("ignore", SecurityWarning)
    app.worker_main(["--quiet", "worker", *arguments])


def _stop_with_the_supervisor() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    # The supervisor made this process the leader of a group, so nobody else is hit.
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
