"""What the measurements on large public logs share: which logs, which databases, parts apart."""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.benchmarks.product.circumstances import circumstances, write
from tests.servers.postgres import postgres_server

LOGS = ("assistments2017", "assistments2012_dev")


def run(
    name: str,
    *,
    doc: str,
    measure: Callable[[Path, str], dict[str, object]],
    section: Callable[[dict], str],
) -> int:
    """Measure each log that is in the folder given, and write the figures and their section."""
    parser = argparse.ArgumentParser(description=doc.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the public logs")
    options = parser.parse_args()
    here = [log for log in LOGS if (options.data / log / "interactions.csv").is_file()]
    if not here:
        print(f"left out: neither {' nor '.join(LOGS)} is in {options.data}")
        return 0
    result = circumstances() | {"logs": {log: measure(options.data, log) for log in here}}
    result["command"] += " --data DIR"
    write(name, result=result, section=section(result))
    print(section(result))
    return 0


def databases() -> Iterator[tuple[str, dict[str, str]]]:
    """Lend an empty SQLite file, then an empty PostgreSQL: name and environment of each."""
    for name, lent in (("sqlite", sqlite_file), ("postgresql", postgres_server)):
        with lent() as url, tempfile.TemporaryDirectory() as folder:
            yield name, {"TUTOR_DATABASE_URL": url, "TUTOR_VAR": folder}


@contextlib.contextmanager
def sqlite_file():
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/tutor.sqlite3"


def child(module: str, *arguments: str, environment: dict[str, str]) -> dict[str, object]:
    """Run a part in a process of its own, whose memory is its own; return what it prints last."""
    print(*arguments, environment.get("TUTOR_DATABASE_URL", "")[:8], file=sys.stderr)
    done = subprocess.run(
        [sys.executable, "-m", f"tests.benchmarks.product.{module}", *arguments],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tutor.config.settings", **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])
