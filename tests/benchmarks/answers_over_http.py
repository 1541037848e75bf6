"""From an answer to the next item over HTTP, beside a bare view on the same stack.

    .venv/bin/python -m tests.benchmarks.answers_over_http

gunicorn with threads, PostgreSQL, Redis, one worker; a bank of 10,000 items in 100 concepts, 2,000
learners, 32 clients in a closed loop. The floor is a DRF view that inserts one row and reads one,
served by the same gunicorn settings from the same database. Rounds take turns, so that whatever
else the machine does hits all alike. Writes docs/benchmarks/answers_over_http.json and its section
of docs/benchmarks.md.
"""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.benchmarks.product.circumstances import circumstances, write
from tests.servers.postgres import postgres_server
from tests.servers.process import ROOT
from tests.servers.redis_server import redis_server
from tests.servers.site import Places, Site, migrated
from tests.servers.worker import celery_worker

ITEMS, CONCEPTS, LEARNERS, CLIENTS, PROCESSES = 10_000, 100, 2_000, 32, 2
ROUNDS, SECONDS, WARM_UP_S = 3, 8.0, 2.0
SEED = """
import datetime as dt, json
import numpy as np
from pathlib import Path
from rest_framework.authtoken.models import Token
from kt_models.data.log import build_log
from tests.benchmarks.product import stored_log
from tests.factories import make_user
from tests.tutor.networks import give_network
from tutor.classes import services as class_services
from tutor.accounts.models import Learner
from tutor.classes.models import Enrolment
from tutor.common import clock
from tutor.content.models import ItemVersion
from tests.tutor.histories import tracer_of
from tutor.tracing import rebuilding
from tutor.tracing import services as tracing_services
items, concepts, learners = {items}, {concepts}, {learners}
number = np.arange(items)
log = build_log(
    learners=[f"l{{k % learners:05d}}" for k in number],
    items=[f"i{{k:06d}}" for k in number],
    concepts=[(f"c{{k % concepts:03d}}",) for k in number],
    correct=(number % 3 != 0) * 1.0,
    answered_at=number * 60.0,
)
course = stored_log.store(log, slug="bench")
tracing_services.give_prior_tracer(course=course, at=clock.now())
classroom = class_services.create_class(
    organisation=course.organisation, name="Bench", course=course
)
Enrolment.objects.bulk_create(
    [Enrolment(classroom=classroom, learner=row) for row in Learner.objects.all()]
)
assignment = class_services.create_assignment(
    classroom=classroom, title="All", opens_at=clock.now() - dt.timedelta(days=1),
    items_per_session=30_000,
)
give_network(course, versions=list(ItemVersion.objects.order_by("pk")[:2000]))
# As an import leaves them: nobody's first answer has to fold what was before it.
list(rebuilding.fold_everybody(tracer=tracer_of(course)))
administrator = make_user(organisation=course.organisation, role="administrator")
token = Token.objects.create(user=administrator)
Path("{told}").write_text(json.dumps({{
    "token": token.key, "assignment": str(assignment.public_id),
    "learners": [str(x) for x in Learner.objects.order_by("pk").values_list("pseudonym", flat=True)
                 if x],
    "keys": list(Learner.objects.order_by("pk").values_list("pk", flat=True)),
}}))
"""


def main() -> None:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.environ["TUTOR_API_RATE"] = "10000000/min"
        url = stack.enter_context(postgres_server(keeps_commits=True))
        os.environ["TUTOR_BROKER_URL"] = stack.enter_context(redis_server())
        result = circumstances()
        result |= measure(folder, url)
    write("answers_over_http", result=result, section=section(result))
    print(section(result))


def measure(folder: Path, postgres_url: str) -> dict[str, object]:
    told = folder / "told.json"
    place = Places(folder=folder, postgres_url=postgres_url).make(*migrated())
    place.own["TUTOR_BROKER_URL"] = os.environ["TUTOR_BROKER_URL"]
    code = SEED.format(items=ITEMS, concepts=CONCEPTS, learners=LEARNERS, told=told)
    place.manage("shell", "-v0", "-c", code)
    facts = json.loads(told.read_text())
    samples: dict[str, list[tuple[float, list[float]]]] = {}
    for _ in range(ROUNDS):
        with served(place, "tests.benchmarks.product.bare_settings") as site:
            note(samples, "bare", loop(folder, {**facts, "kind": "bare"}, site.port))
        with served(place, "tutor.config.settings") as site:
            with celery_worker(
                environment=place.environment, folder=folder, app="tutor.config.celery"
            ):
                note(samples, "worker", loop(folder, {**facts, "kind": "answer"}, site.port))
            note(samples, "stopped", loop(folder, {**facts, "kind": "answer"}, site.port))
    return {"items": ITEMS, "learners": LEARNERS, "clients": CLIENTS} | {
        name: summary(rounds) for name, rounds in samples.items()
    }


@contextlib.contextmanager
def served(place, settings: str):
    place.own["DJANGO_SETTINGS_MODULE"] = settings
    site = Site(place)
    try:
        site.start()
        yield site
    finally:
        site.stop()


def loop(folder: Path, plan: dict[str, object], port: int) -> tuple[float, list[float]]:
    """Return requests per second and milliseconds of each, of all processes of clients."""
    learners = plan["keys"] if plan["kind"] == "bare" else plan["learners"]
    running = []
    for number in range(PROCESSES):
        path = folder / f"plan-{number}.json"
        own = {
            **plan,
            "port": port,
            "learners": learners[number::PROCESSES],
            "clients": CLIENTS // PROCESSES,
            "seconds": SECONDS,
            "warm_up_s": WARM_UP_S,
        }
        path.write_text(json.dumps(own))
        running.append(
            subprocess.Popen(
                [sys.executable, "-m", "tests.benchmarks.product.closed_loop", str(path)],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
    for process in running:
        assert process.stdout.readline().strip() == "ready"
    start = time.time() + 0.5
    for process in running:
        process.stdin.write(f"{start}\n")
        process.stdin.flush()
    took = [ms for process in running for ms in json.loads(process.stdout.readline())["took"]]
    for process in running:
        process.wait()
    return len(took) / SECONDS, took


def note(samples, name: str, found: tuple[float, list[float]]) -> None:
    samples.setdefault(name, []).append(found)
    print(f"{name}: {found[0]:.0f} requests/s, median {statistics.median(found[1]):.1f} ms")


def summary(rounds: list[tuple[float, list[float]]]) -> dict[str, float]:
    """Return the middle round's rate, and quantiles of all requests."""
    took = np.array([ms for _, own in rounds for ms in own])
    return {
        "requests_per_s": round(statistics.median(rate for rate, _ in rounds), 1),
        "median_ms": round(float(np.median(took)), 2),
        "p99_ms": round(float(np.quantile(took, 0.99)), 2),
        "requests": len(took),
    }


def section(result: dict[str, object]) -> str:
    bare, worker, stopped = (result[name] for name in ("bare", "worker", "stopped"))

    def row(name: str, own: dict[str, float]) -> str:
        share = own["requests_per_s"] / bare["requests_per_s"]
        spread = own["p99_ms"] / own["median_ms"]
        return (
            f"| {name} | {own['requests_per_s']:.0f} | {share:.2f} | {own['median_ms']:.1f} "
            f"| {own['p99_ms']:.1f} | {spread:.1f} |"
        )

    lines = [
        "## From an answer to the next item over HTTP",
        "",
        (
            f"`{result['command']}`, {result['date']}, commit {result['commit']}, "
            f"{result['hardware']}, load {result['load_before']} before. gunicorn with threads, "
            f"PostgreSQL, a bank of {result['items']:,} items, {result['learners']:,} learners, "
            f"{result['clients']} clients in a closed loop on the same cores. *Bare*: a DRF view "
            "that inserts one row and reads one. *Share*: of the bare view's requests per second, "
            "rounds in turn."
        ),
        "",
        "| | requests/s | share | median, ms | p99, ms | p99 / median |",
        "|---|---|---|---|---|---|",
        row("bare", bare),
        row("answer, worker running", worker),
        row("answer, worker stopped", stopped),
        "",
        (
            "Meant to be reached: a share of 0.4, p99 within 6 medians, and the same within 10 % "
            "without workers."
        ),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
