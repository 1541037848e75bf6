"""Fills a database with a class, and times every page of its teacher's panel in this process.

    python -m tests.benchmarks.product.teacher_class LEARNERS CONCEPTS ANSWERS ROUNDS

Prints one line of JSON. `tests.benchmarks.teacher_pages` gives it a PostgreSQL of its own.
"""

import datetime as dt
import json
import statistics
import sys
import time

import numpy as np

ITEMS_PER_CONCEPT, DAYS, WARM_UP = 20, 280, 3
# What a question takes, when it was shown to whom, and what wrong answers there are: spread over
# the rows, because an import of a log brings none of these.
DRESS = """
UPDATE responses_response SET
    elapsed_ms = 5000 + (id * 7919) % 90000,
    seed = (id * 31) % 40,
    answer = json_build_object('right', is_correct)::jsonb,
    misconception = CASE WHEN is_correct OR id % 3 = 0 THEN '' ELSE 'idea-' || id % 25 END,
    source = 'practice'
"""


def main() -> None:
    import django

    django.setup()
    learners, concepts, answers, rounds = map(int, sys.argv[1:])
    classroom, teacher = prepare(learners, concepts, answers)
    print(json.dumps(measure(classroom, teacher, rounds)))


def prepare(learners: int, concepts: int, answers: int):
    """Return the class, its masteries folded, and its teacher."""
    from django.db import connection

    from tests.benchmarks.product import stored_log
    from tests.factories import make_class, make_user
    from tests.tutor.histories import tracer_of
    from tutor.accounts.models import Learner
    from tutor.classes import services as class_services
    from tutor.common import clock
    from tutor.tracing import rebuilding
    from tutor.tracing import services as tracing_services

    now = clock.now()
    began_s = (now - stored_log.ORIGIN).total_seconds() - DAYS * 86_400
    log = log_of(learners, concepts, answers, began_s=began_s)
    course = stored_log.store(log, slug="bench")
    with connection.cursor() as cursor:
        cursor.execute(DRESS)
        cursor.execute("VACUUM ANALYZE")
    tracing_services.give_prior_tracer(course=course, at=now)
    list(rebuilding.fold_everybody(tracer=tracer_of(course)))
    teacher = make_user(organisation=course.organisation, role="teacher")
    classroom = make_class(course=course, users=[teacher])
    members = Learner.objects.filter(organisation=course.organisation)
    class_services.enrol(classroom=classroom, learners=members)
    store_decisions(classroom)
    classroom.refresh_from_db()
    return classroom, teacher


def log_of(learners: int, concepts: int, answers: int, *, began_s: float):
    """Return a log in which everybody practises every concept, the later ones later."""
    from kt_models.data.log import build_log

    draw = np.random.default_rng(1)
    number = np.arange(answers)
    learner, turn = number % learners, number // learners
    turns = max(1, answers // learners)
    # Moving on through the course, with looks back.
    reached = 1 + turn * (concepts - 1) // turns
    concept = np.minimum(reached, (draw.random(answers) ** 0.5 * reached).astype(int))
    item = concept * ITEMS_PER_CONCEPT + draw.integers(0, ITEMS_PER_CONCEPT, answers)
    skill = draw.normal(0.8, 0.8, learners)
    right = draw.random(answers) < 1 / (1 + np.exp(-skill[learner]))
    return build_log(
        learners=[f"l{k:04d}" for k in learner],
        items=[f"i{k:05d}" for k in item],
        concepts=[(f"c{k:03d}",) for k in concept],
        correct=right * 1.0,
        answered_at=began_s + (number + 0.5) * DAYS * 86_400.0 / answers,
    )


def store_decisions(classroom) -> None:
    """Give the learner who is looked at a decision with its receipt for each of their answers."""
    from django.db import connection

    from tests.factories import start_session
    from tutor.common import clock
    from tutor.scheduling.models import Decision

    learner = looked_at(classroom)
    session = start_session(learner=learner, course=classroom.course, at=clock.now())
    names = [f.column for f in Decision._meta.concrete_fields if f.column != "id"]
    of_answer = {
        "public_id": "gen_random_uuid()",
        "item_version_id": "r.item_version_id",
        "at": "r.answered_at",
        "follows": "gen_random_uuid()",
    }
    chosen = ", ".join(of_answer.get(name, f"d.{name}") for name in names)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO scheduling_decision ({', '.join(names)}) SELECT {chosen}"
            " FROM responses_response r JOIN scheduling_decision d ON d.id = %s"
            " WHERE r.learner_id = %s",
            [session.current.pk, learner.pk],
        )
        cursor.execute("ANALYZE")


def looked_at(classroom):
    from tutor.classes import selectors as class_selectors

    return class_selectors.list_learners_of(classroom=classroom).first()


def addresses(classroom) -> dict[str, str]:
    """Return every page of the panel that this is about, by what it is."""
    from django.urls import reverse
    from django.utils import timezone

    from tutor.common import clock

    room, learner = classroom.public_id, looked_at(classroom)
    concept = classroom.course.concepts.first().slug
    item = classroom.course.items.first().slug
    first = timezone.localdate(clock.now()) - dt.timedelta(days=DAYS)
    every = f"?from={first.isoformat()}"
    activity = reverse("teacher:activity", args=[room])
    topic = reverse("teacher:concept", args=[room, concept])
    return {
        "landing": reverse("teacher:classes"),
        "who needs you": reverse("teacher:needs", args=[room]),
        "grid": reverse("teacher:classroom", args=[room]),
        "grid, names hidden": reverse("teacher:classroom", args=[room]) + "?names=hidden",
        "activity, ten weeks": activity,
        "activity, all answers": activity + every,
        "topic, ten weeks": topic,
        "topic, all answers": topic + every,
        "question": reverse("teacher:item", args=[room, item]) + every,
        "learner": reverse("teacher:learner", args=[room, learner.pseudonym]),
        "learner's topic": reverse(
            "teacher:learner-concept", args=[room, learner.pseudonym, concept]
        ),
        "estimates as CSV": reverse("teacher:export-csv", args=[room, "estimates"]),
        "all tables as XLSX": reverse("teacher:export-xlsx", args=[room]),
    }


# What a page reads, asked for in one statement, its rows thrown away: less is not to be had.
ALL = "SELECT {columns} FROM responses_response r WHERE r.learner_id = ANY(%s) AND r.course_id = %s"
SUMS = "count(*), sum(r.elapsed_ms), count(*) FILTER (WHERE r.is_correct)"
STATES = "SELECT state, floors FROM tracing_learnerstate WHERE learner_id = ANY(%s) AND %s > 0"
LATELY = " AND r.answered_at >= now() - interval '68 days'"
OWN = "SELECT r.id, r.answered_at FROM responses_response r"
FLOORS = {
    "landing": STATES,
    "who needs you": STATES,
    "grid": STATES,
    "grid, names hidden": STATES,
    "activity, ten weeks": ALL.format(columns=f"r.learner_id, {SUMS}") + LATELY + " GROUP BY 1",
    "activity, all answers": ALL.format(columns=f"r.learner_id, {SUMS}") + " GROUP BY 1",
    "topic, ten weeks": STATES,
    "topic, all answers": STATES,
    "question": "SELECT id FROM content_itemversion WHERE %s::bigint[] IS NOT NULL AND id = %s",
    "learner": OWN + " WHERE r.learner_id = (%s)[1] AND r.course_id = %s",
    "learner's topic": OWN + " WHERE r.learner_id = (%s)[1] AND r.course_id = %s",
    "estimates as CSV": STATES,
    "all tables as XLSX": ALL.format(columns=f"r.learner_id, {SUMS}") + LATELY + " GROUP BY 1",
}


def measure(classroom, teacher, rounds: int) -> dict[str, object]:
    """Return for each page its times, its queries and its floor's times, taken in turn."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext
    from django.urls import reverse

    client = Client(HTTP_HOST="localhost")
    client.force_login(teacher)
    ids = list(classroom.learners.order_by("pk").values_list("pk", flat=True))
    empty = reverse("teacher:classes")

    def ask(address: str) -> float:
        began = time.perf_counter()
        response = client.get(address)
        took = 1000 * (time.perf_counter() - began)
        if response.status_code != 200:
            raise RuntimeError(f"{address}: {response.status_code}")
        sizes[address] = len(response.content)
        return took

    def floor(sql: str) -> float:
        """An empty page, and the bare statement."""
        took = ask(empty)
        began = time.perf_counter()
        with connection.cursor() as cursor:
            cursor.execute(sql, [ids, classroom.course_id])
            cursor.fetchall()
        return took + 1000 * (time.perf_counter() - began)

    sizes: dict[str, int] = {}
    found = {}
    for name, address in addresses(classroom).items():
        # A learner's history is folded once per answer and process: the first time is told too.
        first = ask(address)
        times, floors = [], []
        for number in range(rounds + WARM_UP):
            took, least = ask(address), floor(FLOORS[name])
            if number >= WARM_UP:
                times.append(took)
                floors.append(least)
        with CaptureQueriesContext(connection) as queries:
            client.get(address)
        found[name] = {
            "first_ms": round(first, 1),
            "median_ms": round(statistics.median(times), 1),
            "p95_ms": round(statistics.quantiles(times, n=20)[-1], 1),
            "floor_ms": round(statistics.median(floors), 1),
            "queries": len(queries),
            "kb": round(sizes[address] / 1024),
        }
    return found


if __name__ == "__main__":
    main()
