"""Every page of the teacher's panel for a class of 200 by 100 concepts with 500,000 answers.

    .venv/bin/python -m tests.benchmarks.teacher_pages

On a PostgreSQL of its own, through Django's test client: what the server does for a page, without
the network. Beside each page stands its floor in the same run: an empty page of the panel and the
rows that it is about, fetched by one bare statement. Writes docs/benchmarks/teacher_pages.json and
its section of docs/benchmarks.md; with `--small` it only prints what a quick run gives.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.product.circumstances import circumstances, write
from tests.servers.postgres import postgres_server
from tests.servers.process import ROOT
from tests.servers.site import Places, migrated

TARGET_MS = 300
# Learners, concepts, answers, rounds.
USUAL, SMALL = (200, 100, 500_000, 40), (20, 10, 4_000, 2)


def main() -> int:
    is_small = "--small" in sys.argv[1:]
    sizes = SMALL if is_small else USUAL
    result = circumstances() | dict(
        zip(("learners", "concepts", "answers", "rounds"), sizes, strict=True)
    )
    with tempfile.TemporaryDirectory() as folder, postgres_server(keeps_commits=True) as url:
        place = Places(folder=Path(folder), postgres_url=url).make(*migrated())
        done = subprocess.run(
            [
                sys.executable,
                *("-m", "tests.benchmarks.product.teacher_class"),
                *map(str, sizes),
            ],
            check=True,
            cwd=ROOT,
            env={**os.environ, **place.environment},
            stdout=subprocess.PIPE,
            text=True,
        )
    result["pages"] = json.loads(done.stdout.splitlines()[-1])
    print(section(result))
    if not is_small:
        write("teacher_pages", result=result, section=section(result))
    slow = [name for name, page in result["pages"].items() if page["p95_ms"] >= TARGET_MS]
    return 1 if slow and not is_small else 0


def section(result: dict) -> str:
    pages = result["pages"]
    slow = [name for name, page in pages.items() if page["p95_ms"] >= TARGET_MS]
    lines = [
        "## The teacher's pages",
        "",
        (
            f"`{result['command']}`: a class of {result['learners']} learners by "
            f"{result['concepts']} concepts with {result['answers']:,} answers over forty weeks on "
            f"PostgreSQL, {result['rounds']} times each in one process. *Floor*: an empty page of "
            "the panel and the rows that the page is about by one bare statement, in turn with "
            "it. *First*: the first time in a process, in which the course is read and a learner's "
            f"history folded. {result['date']}, {result['hardware']}, load "
            f"{result['load_before']} before, commit {result['commit']}."
        ),
        "",
        "| page | median ms | p95 ms | first ms | floor ms | over the floor | queries | KB |",
        "|---|---|---|---|---|---|---|---|",
        *(
            f"| {name} | {page['median_ms']} | {page['p95_ms']} | {page['first_ms']} "
            f"| {page['floor_ms']} | {page['median_ms'] / page['floor_ms']:.1f} "
            f"| {page['queries']} | {page['kb']:,} |"
            for name, page in pages.items()
        ),
        "",
        (
            f"Target: p95 under {TARGET_MS} ms for every page. "
            + (f"Missed by {', '.join(slow)}." if slow else "Met by all.")
        ),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
