"""How long it takes until everything learnt is right after an import of a large log.

    .venv/bin/python -m tests.benchmarks.fold_log --data DIR

DIR holds ASSISTments 2017 and 2012 as folders (those that are there are measured). Their rows are
put into a temporary SQLite file and a temporary PostgreSQL by bulk inserts, then the tracer is
fitted, everybody is folded and every stored state is checked. Each database has a process of its
own, whose peak memory is that of the work alone. Writes docs/benchmarks/fold_log.json and its
section of docs/benchmarks.md.
"""

import sys
from pathlib import Path

from tests.benchmarks.product import large_logs
from tests.benchmarks.product.fold_log_section import section


def measure(data: Path, log: str) -> dict[str, object]:
    """Return the figures of one log, each from a process of its own."""

    def part(what: str, environment: dict[str, str]) -> dict[str, object]:
        arguments = (what, str(data), log)
        return large_logs.child("fold_log_parts", *arguments, environment=environment)

    found = {"sampling": part("sampling", {})}
    for database, environment in large_logs.databases():
        part("store", environment)
        found[database] = part("work", environment)
    return found


if __name__ == "__main__":
    sys.exit(large_logs.run("fold_log", doc=__doc__, measure=measure, section=section))
