"""What bringing in a large log costs, against writing the same rows plainly.

    .venv/bin/python -m tests.benchmarks.import_log --data DIR

DIR holds ASSISTments 2017 and 2012 as folders (those that are there are measured). On SQLite the
floor is one `executemany` of the very rows that the import wrote, into the same table with the
same indexes, in one transaction; on PostgreSQL one `COPY` of them. Import and floor run one after
the other, each in a process of its own, so that the peak of memory is its own. Fitting and folding
come after an import and are measured by `fold_log`. Writes docs/benchmarks/import_log.json and its
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
from tests.servers.postgres import postgres_server

LOGS = ("assistments2017", "assistments2012_dev")
FLOORS = {"sqlite": "executemany", "postgresql": "COPY"}


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
    write("import_log", result=result, section=section(result))
    print(section(result))
    return 0


def measure(data: Path, name: str) -> dict[str, object]:
    found = {}
    for database, lent in (("sqlite", sqlite_file), ("postgresql", postgres_server)):
        with lent() as url, tempfile.TemporaryDirectory() as folder:
            environment = {"TUTOR_DATABASE_URL": url, "TUTOR_VAR": folder}
            path = data / name / "interactions.csv"
            imported = child("import", path, environment)
            floor = child("floor", Path(folder) / "rows", environment)
            found[database] = {"import": imported, "floor": floor}
    return found


@contextlib.contextmanager
def sqlite_file():
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/tutor.sqlite3"


def child(what: str, path: Path, environment: dict[str, str]) -> dict[str, float]:
    """Run one part of `tests.benchmarks.product.import_log_parts`; return what it prints last."""
    print(f"{path}: {what} {environment['TUTOR_DATABASE_URL'][:8]}", file=sys.stderr)
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.product.import_log_parts", what, str(path)],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tutor.config.settings", **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


HEAD = """\
## Bringing in a large log

`{command}`, {date}, {hardware}, load {load_before} before,
commit {commit}. The whole import (read, check, order, plan, content, learners, answers) against
writing its rows plainly: on SQLite one `executemany`, on PostgreSQL one `COPY`, into the same table
with the same indexes, in the same run. Seconds by the clock, in brackets those of this process's
processor (PostgreSQL's own are not in them). Fit and folding come after it.

| log | database | answers | read | plan | content, learners | rows | whole | floor | ratio | MB |
|---|---|---|---|---|---|---|---|---|---|---|
"""
FOOT = """
*Ratio* is whole over floor; the target is at most 4 on SQLite and 3 on PostgreSQL. *MB* is the peak
memory of the importing process, Django included; the target is under 1,000."""


def section(result: dict) -> str:
    lines = []
    for log, databases in result["logs"].items():
        for database, found in databases.items():
            took, floor = found["import"], found["floor"]
            stages = " | ".join(
                f"{took[stage]:.1f} ({took[f'{stage}_cpu']:.1f})"
                for stage in ("read", "plan", "content", "write", "whole")
            )
            lines.append(
                f"| {log} | {database} | {took['rows']:,} | {stages} | "
                f"{FLOORS[database]} {floor['seconds']:.1f} ({floor['seconds_cpu']:.1f}) | "
                f"{took['whole'] / floor['seconds']:.2f} | "
                f"{took['peak_mb']:.0f} |"
            )
    return HEAD.format(**result) + "\n".join(lines) + "\n" + FOOT


if __name__ == "__main__":
    sys.exit(main())
