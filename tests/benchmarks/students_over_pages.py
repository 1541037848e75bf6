"""200 students practise through the pages for ten minutes: errors, lost answers, how long it took.

    .venv/bin/python -m tests.benchmarks.students_over_pages [--minutes 10] [--database postgres]

200 newcomers to the demo school, gunicorn and its worker as in `make demo` (SQLite), or
PostgreSQL, Redis and a worker. They think between steps, answer right and wrong, take hints, skip,
pause, report, look aside, press twice at once and send forms again. Each answer that a page
acknowledged is looked for in the log. Writes docs/benchmarks/students_over_pages.json and its
section of docs/benchmarks.md; what the other database gave last time stays there.
"""

import argparse
import contextlib
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import django

# The crowd knows the right answers by the tutor's own grading.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tutor.config.settings")
django.setup()

from tests.benchmarks.product.circumstances import DOCS, circumstances, write  # noqa: E402
from tests.load import crowd  # noqa: E402
from tests.servers.postgres import postgres_server  # noqa: E402
from tests.servers.redis_server import redis_server  # noqa: E402
from tests.servers.site import Place, Places, migrated, served  # noqa: E402
from tests.servers.worker import celery_worker  # noqa: E402

STUDENTS, THINK_S = 200, 8.0
NAMES = {"sqlite": "SQLite, child worker", "postgres": "PostgreSQL, Redis, one worker"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--database", choices=NAMES, action="append")
    arguments = parser.parse_args()
    stored = DOCS / "benchmarks" / "students_over_pages.json"
    result = json.loads(stored.read_text()) if stored.exists() else {}
    for database in arguments.database or NAMES:
        with tempfile.TemporaryDirectory() as folder:
            result[database] = measure(Path(folder), database, 60 * arguments.minutes)
    write("students_over_pages", result=result, section=section(result))
    print(section(result))
    return 0 if all(is_whole(one) for one in result.values()) else 1


def measure(folder: Path, database: str, seconds: float) -> dict[str, object]:
    with installation(folder, database) as place, served(place) as site:
        result = circumstances()
        found = crowd.run(site, students=STUDENTS, seconds=seconds, think_s=THINK_S)
        said = [line for line in site.output.splitlines() if "Traceback" in line]
    return result | {
        "students": found.students,
        "seconds": found.seconds,
        "think_s": THINK_S,
        "acknowledged": found.acknowledged,
        "lost": found.lost,
        "double": found.double,
        "extra": found.extra,
        "errors": len(found.errors),
        "first_errors": found.errors[:5],
        "tracebacks": len(said),
        "deeds": dict(sorted(found.deeds.items())),
        "answered_ms": spread(found.answered_ms),
        "opened_ms": spread(found.opened_ms),
    }


@contextlib.contextmanager
def installation(folder: Path, database: str) -> Iterator[Place]:
    """Make the demo school; with PostgreSQL its Redis and worker run beside it."""
    seed = migrated(["seed_demo", "--learners=31"])
    if database == "sqlite":
        yield Places(folder=folder, postgres_url=None).make(*seed)
        return
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(postgres_server(keeps_commits=True))
        os.environ["TUTOR_BROKER_URL"] = stack.enter_context(redis_server())
        place = Places(folder=folder, postgres_url=url).make(*seed)
        place.own["TUTOR_BROKER_URL"] = os.environ["TUTOR_BROKER_URL"]
        worker = celery_worker(
            environment=place.environment, folder=folder, app="tutor.config.celery"
        )
        stack.enter_context(worker)
        yield place


def spread(milliseconds: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(milliseconds, n=100)
    return {
        "median": round(statistics.median(milliseconds), 1),
        "p95": round(cuts[94], 1),
        "p99": round(cuts[98], 1),
        "max": round(max(milliseconds), 1),
    }


def is_whole(one: dict[str, object]) -> bool:
    """Tell whether nothing failed and nothing is lost, double or unasked for."""
    return not any(one[name] for name in ("lost", "double", "errors", "tracebacks"))


def section(result: dict[str, dict[str, object]]) -> str:
    lines = [
        "## 200 students at the pages",
        "",
        (
            "`python -m tests.benchmarks.students_over_pages`: newcomers to the demo school, who "
            f"think {THINK_S:.0f} s between steps on average, on the cores of the server. They "
            "answer (seven of ten right), take hints, skip, pause, report, look aside, press twice "
            "at once and send forms again. *Lost*: acknowledged by a page and not in the log. "
            "*Unseen*: in the log, though what the student saw next was not its feedback. "
            "*Answered*: from the form until the feedback page is read, two "
            "requests and a new connection."
        ),
        "",
        (
            "| | minutes | answers acknowledged | lost | unseen | double | errors "
            "| answered, median / p95 / p99 ms | pages opened, median / p95 / p99 ms |"
        ),
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for database, one in result.items():
        answered, opened = (
            " / ".join(f"{one[name][cut]:.0f}" for cut in ("median", "p95", "p99"))
            for name in ("answered_ms", "opened_ms")
        )
        lines.append(
            f"| {NAMES[database]} | {one['seconds'] / 60:.0f} | {one['acknowledged']:,} "
            f"| {one['lost']} | {one['extra']} | {one['double']} "
            f"| {one['errors'] + one['tracebacks']} | {answered} | {opened} |"
        )
    for database, one in result.items():
        deeds = ", ".join(f"{name} {count}" for name, count in one["deeds"].items())
        lines += [
            "",
            (
                f"{NAMES[database]}: {one['date']}, {one['hardware']}, load {one['load_before']} "
                f"before, commit {one['commit']}. Beside answering: {deeds}."
            ),
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
