"""From an answer to the next item with a hundred thousand and with a million answers stored.

    .venv/bin/python -m tests.benchmarks.large_tables

Two databases of one PostgreSQL, each with 20,000 learners and, for every answer, the decision that
led to it with its receipt and the network's prediction that it names; every learner has a state of
the network. The learners measured have the same 50 answers in both; the others make the difference.
One process for each database answers in turn, so that whatever else the machine does hits both
alike. Writes docs/benchmarks/large_tables.json and its section of docs/benchmarks.md; with
`--small` it only prints what a quick run gives.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg

from tests.benchmarks.product.circumstances import circumstances, write
from tests.servers.postgres import postgres_server
from tests.servers.process import ROOT
from tests.servers.site import Places, migrated

LEARNERS, MEASURED, HISTORY = 20_000, 40, 50
ITEMS, CONCEPTS = 2_000, 100
# Answers stored in the two databases, rounds, and those before. With `--small` nothing is written.
USUAL, SMALL = ((100_000, 1_000_000), 400, 80), ((25_000, 50_000), 20, 4)
TABLES = (
    "responses_response",
    "scheduling_decision",
    "tracing_learnerstate",
    "tracing_deepstate",
    "tracing_deepprediction",
    "tracing_duelearner",
    "practice_practicesession",
)


def main() -> None:
    is_small = "--small" in sys.argv[1:]
    sizes, rounds, warm_up = SMALL if is_small else USUAL
    result = circumstances()
    with tempfile.TemporaryDirectory() as folder, postgres_server(keeps_commits=True) as url:
        places = Places(folder=Path(folder), postgres_url=url)
        served = [Served(places.make(*migrated()), size) for size in sizes]
        before = [one.scans() for one in served]
        samples = measure(served, rounds, warm_up)
        result |= {"rounds": rounds, "learners": LEARNERS}
        result["sizes"] = [
            {
                "answers": one.size,
                "median_ms": round(statistics.median(took), 2),
                "p95_ms": round(statistics.quantiles(took, n=20)[-1], 2),
                "tables": one.tables(then),
            }
            for one, took, then in zip(served, samples, before, strict=True)
        ]
        for one in served:
            one.stop()
    small, large = (size["median_ms"] for size in result["sizes"])
    result["large_over_small"] = round(large / small, 3)
    kept = result["sizes"][1]["tables"]["tracing_deepprediction"]
    result["prediction_bytes"] = round(kept["mb"] * 2**20 / kept["rows"])
    if not is_small:
        write("large_tables", result=result, section=section(result))
    print(section(result))


class Served:
    """A database with so many answers, and the process that takes more."""

    def __init__(self, place, size: int) -> None:
        self.size, self.url = size, place.postgres_url
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.product.large_log_client", str(size)],
            cwd=ROOT,
            env={**os.environ, **place.environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if self._heard() != "ready":
            raise RuntimeError("The process that answers has not come up; see above.")

    def _heard(self) -> str:
        return self._process.stdout.readline().strip()

    def answer(self, number: int) -> float:
        """Take the answer of that number and return the milliseconds until the next item stood."""
        self._process.stdin.write(f"{number}\n")
        self._process.stdin.flush()
        return float(self._heard())

    def stop(self) -> None:
        self._process.stdin.close()
        self._process.wait(timeout=60)

    def scans(self) -> dict[str, tuple[int, int]]:
        """Return how often each table was scanned whole, and by an index."""
        with psycopg.connect(self.url) as connection:
            # What the other process did shows here when it has been idle for a second.
            rows = connection.execute(
                "SELECT pg_sleep(2), relname, seq_scan, coalesce(idx_scan, 0)"
                " FROM pg_stat_user_tables WHERE relname = ANY(%s)",
                [list(TABLES)],
            ).fetchall()
        return {name: (whole, by_index) for _, name, whole, by_index in rows}

    def tables(self, before: dict[str, tuple[int, int]]) -> dict[str, dict[str, float]]:
        """Return rows, megabytes and scans since then of each table."""
        after, found = self.scans(), {}
        with psycopg.connect(self.url) as connection:
            for name in TABLES:
                rows, whole, indexes = connection.execute(
                    f"SELECT count(*), pg_total_relation_size('{name}'),"
                    f" pg_indexes_size('{name}') FROM {name}"
                ).fetchone()
                found[name] = {
                    "rows": rows,
                    "mb": round(whole / 2**20, 1),
                    "indexes_mb": round(indexes / 2**20, 1),
                    "whole_scans": after[name][0] - before[name][0],
                    "index_scans": after[name][1] - before[name][1],
                }
        return found


def measure(served: list[Served], rounds: int, warm_up: int) -> list[list[float]]:
    samples: list[list[float]] = [[] for _ in served]
    for number in range(rounds + warm_up):
        for one, took in zip(served, samples, strict=True):
            ms = one.answer(number)
            if number >= warm_up:
                took.append(ms)
    return samples


def section(result: dict) -> str:
    small, large = result["sizes"]
    lines = [
        "## With a million answers stored",
        "",
        (
            f"`{result['command']}`, in process on PostgreSQL, {result['learners']:,} learners, "
            f"{ITEMS:,} items, {result['rounds']} answers each in turn. {result['date']}, "
            f"{result['hardware']}, load {result['load_before']} before, "
            f"commit {result['commit']}."
        ),
        "",
        "| answers stored | median ms | p95 ms |",
        "|---|---|---|",
        *(f"| {s['answers']:,} | {s['median_ms']} | {s['p95_ms']} |" for s in (small, large)),
        "",
        (
            f"The large tables take {result['large_over_small']} times as long "
            "(target: at most 1.2). Those of the larger database, and how they were read "
            "during the measurement (*whole*: every row was looked at):"
        ),
        "",
        "| table | rows | MB | of these indexes | scans by index | whole |",
        "|---|---|---|---|---|---|",
        *(
            f"| `{name}` | {t['rows']:,} | {t['mb']:,} | {t['indexes_mb']:,} "
            f"| {t['index_scans']:,} | {t['whole_scans']:,} |"
            for name, t in large["tables"].items()
        ),
        "",
        (
            f"A prediction takes {result['prediction_bytes']:,} bytes with its index, and is kept "
            "for as long as a decision names it, for without it the choice could not be made "
            "again: about one for every answer in a course with a network."
        ),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
