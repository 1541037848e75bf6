"""The tutor with a demo class: `make demo`.

Prepares what is not yet there, each step a management command in a process of its own, so that
this one stays small while it watches the server and the worker. What has been prepared is noted
in the database; a second start finds it and is ready in seconds.
"""

import argparse
import subprocess
import sys
import time

from tutor.config import port as ports
from tutor.config.server import serve

STEPS = (
    ("Tables", ("migrate", "--verbosity=0")),
    ("Static files", ("collectstatic", "--noinput", "--verbosity=0")),
    ("Demo class", ("seed_demo",)),
)


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

    try:
        for name, command in STEPS:
            if not _run(name, command):
                return 1
        sign_ins = _sign_ins()
    except KeyboardInterrupt:
        print("\nStopped while preparing. The next make demo goes on from here.", file=sys.stderr)
        return 130

    def announce() -> None:
        print(_welcome(arguments.port, sign_ins), flush=True)

    return serve(host=arguments.host, port=arguments.port, on_ready=announce)


def _run(name: str, command: tuple[str, ...]) -> bool:
    print(f"{name} ...", flush=True)
    began_s = time.monotonic()
    done = subprocess.run([sys.executable, "manage.py", *command], check=False)  # noqa: S603
    took_s = time.monotonic() - began_s
    if done.returncode != 0:
        print(f"manage.py {' '.join(command)} failed; see above.", file=sys.stderr)
        return False
    if took_s > 5:
        print(f"{name}: done in {took_s:.0f} s", flush=True)
    return True


def _sign_ins() -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", "seed_demo", "--show-sign-ins"],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.rstrip()


def _welcome(port: int, sign_ins: str) -> str:
    address = f"http://localhost:{port}/"
    return f"\nThe tutor is at {address}\n\n{sign_ins}\n\nCtrl-C stops it.\n"


if __name__ == "__main__":
    sys.exit(main())
