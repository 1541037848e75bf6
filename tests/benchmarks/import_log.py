"""What bringing in a large log costs, against writing the same rows plainly.

    .venv/bin/python -m tests.benchmarks.import_log --data DIR

DIR holds ASSISTments 2017 and 2012 as folders (those that are there are measured). On SQLite the
floor is one `executemany` of the very rows that the import wrote, into the same table with the
same indexes, in one transaction; on PostgreSQL one `COPY` of them. Import and floor run one after
the other, each in a process of its own, so that the peak of memory is its own. Fitting and folding
come after an import and are measured by `fold_log`. Writes docs/benchmarks/import_log.json and its
section of docs/benchmarks.md.
"""

import sys
from pathlib import Path

from tests.benchmarks.product import large_logs

FLOORS = {"sqlite": "executemany", "postgresql": "COPY"}
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


def measure(data: Path, log: str) -> dict[str, object]:
    """Return what the import and the plain writing of its rows took, on both databases."""

    def part(what: str, path: Path, environment: dict[str, str]) -> dict[str, object]:
        return large_logs.child("import_log_parts", what, str(path), environment=environment)

    found = {}
    for database, environment in large_logs.databases():
        imported = part("import", data / log / "interactions.csv", environment)
        floor = part("floor", Path(environment["TUTOR_VAR"]) / "rows", environment)
        found[database] = {"import": imported, "floor": floor}
    return found


if __name__ == "__main__":
    sys.exit(large_logs.run("import_log", doc=__doc__, measure=measure, section=section))
