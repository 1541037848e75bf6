"""The tutor with a demo class: `make demo`.

Prepares what is not yet there in a child process, so that this one stays small while it watches
the server and the worker. What has been prepared is noted in the database; a second start finds
it and is ready in seconds.
"""

import argparse
import io
import multiprocessing
import sys
import time
from multiprocessing.connection import Connection

from tutor.config import port as ports
from tutor.config.server import serve

STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Tables", ("migrate", "--verbosity=0")),
    ("Static files", ("collectstatic", "--noinput", "--verbosity=0")),
    ("Demo class (a few minutes the first time)", ("seed_demo",)),
)
INTERRUPTED = 130
# How long the child may take to end after Ctrl-C.
ENDS_WITHIN_S = 15.0


def main() -> int:
    """Prepare and serve; return the exit code."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args()
    reason = ports.why_not(host=arguments.host, port=arguments.port)
    if reason is not None:
        print(reason, file=sys.stderr)
        return 1
    sign_ins = _prepare_in_child()
    if sign_ins is None:
        print("\nNot ready. The next make demo goes on from here.", file=sys.stderr)
        return 1

    def announce() -> None:
        address = f"http://localhost:{arguments.port}/"
        print(f"\nThe tutor is at {address}\n\n{sign_ins}\n\nCtrl-C stops it.\n", flush=True)

    return serve(host=arguments.host, port=arguments.port, on_ready=announce)


def _prepare_in_child() -> str | None:
    """Return how to sign in, or None if the preparation failed or was interrupted."""
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    child = context.Process(target=_prepare, args=(sending,))
    child.start()
    sending.close()
    limit_s = None
    while child.is_alive():
        try:
            child.join(limit_s)
        except KeyboardInterrupt:
            limit_s = ENDS_WITHIN_S  # the child has had the same Ctrl-C and is ending
            continue
        if child.is_alive():
            # It had it where Python cannot raise, as in the middle of a clean-up, and goes on.
            child.terminate()
    return receiving.recv() if child.exitcode == 0 else None


def _prepare(sign_ins: Connection) -> None:
    import django  # noqa: PLC0415  only this process needs it
    from django.core.management import call_command  # noqa: PLC0415

    try:
        django.setup()
        for name, command in STEPS:
            print(f"{name} ...", flush=True)
            began_s = time.monotonic()
            call_command(*command)
            took_s = time.monotonic() - began_s
            if took_s > 5:
                print(f"... {took_s:.0f} s", flush=True)
        text = io.StringIO()
        call_command("seed_demo", "--show-sign-ins", stdout=text)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    sign_ins.send(text.getvalue().rstrip())


if __name__ == "__main__":
    sys.exit(main())
