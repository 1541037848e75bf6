"""How long it takes until everything learnt is right after an import of a large log.

    .venv/bin/python -m tests.benchmarks.fold_log --data DIR

DIR holds ASSISTments 2017 and 2012 as folders (those that are there are measured). Their rows are
put into a temporary SQLite file and a temporary PostgreSQL by bulk inserts, then the tracer is
fitted, everybody is folded and every stored state is checked. Each database has a process of its
own, whose peak memory is that of the work alone. Writes docs/benchmarks/fold_log.json and its
section of docs/benchmarks.md.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.product.circumstances import circumstances, write
from tests.benchmarks.product.fold_log_section import section
from tests.servers.postgres import postgres_server

LOGS = ("assistments2017", "assistments2012_dev")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the public logs")
    options = parser.parse_args()
    here = [name for name in LOGS if (options.data / name / "interactions.csv").is_file()]
    if not here:
        print(f"left out: neither {' nor '.join(LOGS)} is in {options.data}")
        return 0
    result = circumstances() | {"logs": {name: measure(options.data, name) for name in here}}
    result["command"] += " --data DIR"
    write("fold_log", result=result, section=section(result))
    print(section(result))
    return 0


def measure(data: Path, name: str) -> dict[str, object]:
    """Return the figures of one log, each from a process of its own."""
    found = {"sampling": child("sampling", data, name, {})}
    for database, lent in (("sqlite", sqlite_file), ("postgresql", postgres_server)):
        with lent() as url, tempfile.TemporaryDirectory() as folder:
            environment = {"TUTOR_DATABASE_URL": url, "TUTOR_VAR": folder}
            child("store", data, name, environment)
            found[database] = child("work", data, name, environment)
    return found


@contextlib.contextmanager
def sqlite_file():
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/tutor.sqlite3"


def child(what: str, data: Path, name: str, environment: dict[str, str]) -> dict[str, object]:
    """Run one part of `tests.benchmarks.product.fold_log_parts`; return what it prints last."""
    print(f"{name}: {what} {environment.get('TUTOR_DATABASE_URL', '')[:8]}", file=sys.stderr)
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.product.fold_log_parts", what, str(data), name],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tutor.config.settings", **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    sys.exit(main())
