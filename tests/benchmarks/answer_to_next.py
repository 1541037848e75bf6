"""How long the tutor takes from an answer to the next item, in process, on SQLite.

    .venv/bin/python -m tests.benchmarks.answer_to_next

The bank has 300 items of the demo course. The floor is one bare insert and commit on the same
file, measured between the answers: once as a raw statement, once as Django's ORM does it.
Writes docs/benchmarks/answer_to_next.json and its section of docs/benchmarks.md.
"""

import datetime as dt
import os
import statistics
import tempfile
import time
import uuid

ITEMS = 300
HISTORIES = (10, 10_000)
ROUNDS = 400
WARM_UP = 40


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TUTOR_VAR"] = folder
        os.environ["TUTOR_DATABASE_URL"] = f"sqlite:///{folder}/tutor.sqlite3"
        os.environ["DJANGO_SETTINGS_MODULE"] = "tutor.config.settings"
        import django

        django.setup()
        run()


def run() -> None:
    from django.core.management import call_command

    from tests.benchmarks.product.circumstances import circumstances, write

    result = circumstances()
    call_command("migrate", verbosity=0)
    course, learners = prepare()
    # In turn, so that whatever else the machine does hits all alike.
    samples = {name: [] for name in ("raw", "orm", *HISTORIES)}
    for number in range(ROUNDS + WARM_UP):
        took = {
            "raw": bare_statement(),
            "orm": bare_orm(),
            **{size: one_answer(course, learners[size], number) for size in HISTORIES},
        }
        if number >= WARM_UP:
            for name, seconds in took.items():
                samples[name].append(1000 * seconds)
    result |= summary(samples)
    write("answer_to_next", result=result, section=section(result))
    print(section(result))


def prepare():
    """Return the course with 300 operational items, and a learner for each history."""
    from tutor.accounts import services as account_services
    from tutor.accounts.models import Learner, Organisation
    from tutor.content import course_format
    from tutor.content import services as content_services
    from tutor.content.models import Item
    from tutor.demo.seeding import COURSE_FOLDER
    from tutor.tracing import services as tracing_services

    organisation = Organisation.objects.create(slug="bench", name="Bench")
    spec = course_format.read_course(COURSE_FOLDER, seeds=1)
    course = content_services.load_course(organisation=organisation, spec=spec).course
    spare = Item.objects.filter(course=course).order_by("slug").values_list("pk", flat=True)
    # Every third item of an alphabetical list goes, then the last ones, until 300 are left.
    spare = list(spare)
    gone = spare[::3] + [pk for i, pk in enumerate(spare[::-1]) if (len(spare) - 1 - i) % 3]
    Item.objects.filter(pk__in=gone[: len(spare) - ITEMS]).update(status=Item.Status.RETIRED)
    content_services.raise_revision(course=course)
    tracing_services.give_prior_tracer(course=course, at=moment(0))
    course.refresh_from_db()
    ids = account_services.admit_learners(
        organisation=organisation, source="bench", external_ids=[str(n) for n in HISTORIES]
    )
    learners = {n: Learner.objects.get(pk=ids[str(n)]) for n in HISTORIES}
    for size, learner in learners.items():
        live(course, learner, size)
    return course, learners


def moment(number: int) -> dt.datetime:
    """Return the time of the answer `number` after the history.

    Days apart, so that neither rest nor mastery ends the practice before the measurement does.
    """
    return dt.datetime(2020, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=3 * number)


def live(course, learner, size: int) -> None:
    """Give the learner a history of `size` answers over the whole bank, and fold it."""
    from tutor.content import selectors as content_selectors
    from tutor.responses import services as response_services
    from tutor.responses.models import Response
    from tutor.tracing import rebuilding
    from tutor.tracing import selectors as tracing_selectors

    bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
    versions = bank.version_ids.tolist()
    # Long enough ago that so many middling answers do not call for the teacher.
    begin = moment(0) - dt.timedelta(days=60, minutes=20 * size)
    rows = [
        Response(
            learner=learner,
            client_key=uuid.uuid4(),
            course=course,
            item_version_id=versions[n % len(versions)],
            answer={},
            # Middling, so that the course is never through.
            is_correct=n % 2 == 0,
            credit=float(n % 2 == 0),
            answered_at=begin + dt.timedelta(minutes=20 * n),
            received_at=begin + dt.timedelta(minutes=20 * n),
            source="bench",
        )
        for n in range(size)
    ]
    response_services.append_new(rows=rows)
    tracer = tracing_selectors.get_tracer(course_id=course.pk, revision=course.revision)
    list(rebuilding.fold(tracer=tracer, learner_ids=[learner.pk]))


def one_answer(course, learner, number: int) -> float:
    """Return the seconds from an answer to the stored next decision."""
    from tutor.content import grading
    from tutor.practice import selectors as practice_selectors
    from tutor.practice import usecases

    at = moment(number + 1)
    session = usecases.start_practice(
        learner=learner, course=course, assignment=None, at=at, draw_seed=number
    )
    shown = practice_selectors.get_presentation(
        learner=learner, public_id=session.current.public_id
    )
    answer = grading.right_answer(shown.item)
    if number % 2 and shown.item.kind == "single_choice":
        answer = {"choice": next(c.id for c in shown.item.choices if not c.is_correct)}
    elif number % 2 and grading.anticipated_answers(shown.item):
        answer = grading.anticipated_answers(shown.item)[0][1]
    submission = usecases.Submission(
        presentation=session.current.public_id, client_key=uuid.uuid4(), answer=answer
    )
    began = time.perf_counter()
    usecases.submit_answer(
        learner=learner, submission=submission, at=at, draw_seed=number, source="bench"
    )
    return time.perf_counter() - began


def bare_orm() -> float:
    """Return the seconds of one insert and commit by the ORM."""
    from django.db import transaction

    from tutor.accounts.models import AuditEntry

    began = time.perf_counter()
    with transaction.atomic():
        AuditEntry.objects.create(at=moment(0), action="bench", organisation=None)
    return time.perf_counter() - began


def bare_statement() -> float:
    """Return the seconds of one insert and commit as a statement."""
    from django.db import connection, transaction

    began = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_auditentry (at, action, subject, facts) VALUES (%s,%s,%s,%s)",
            ["2026-01-01", "bench", "", "{}"],
        )
    return time.perf_counter() - began


def summary(samples: dict) -> dict[str, object]:
    medians = {str(name): statistics.median(own) for name, own in samples.items()}
    few, many = (str(size) for size in HISTORIES)
    return {
        "rounds": ROUNDS,
        "items": ITEMS,
        "median_ms": {name: round(value, 3) for name, value in medians.items()},
        "p95_ms": {
            str(name): round(statistics.quantiles(own, n=20)[-1], 3)
            for name, own in samples.items()
        },
        "times_orm_insert": round(medians[few] / medians["orm"], 2),
        "times_raw_insert": round(medians[few] / medians["raw"], 2),
        "long_history_over_short": round(medians[many] / medians[few], 3),
    }


def section(result: dict) -> str:
    median, p95 = result["median_ms"], result["p95_ms"]
    few, many = (str(size) for size in HISTORIES)
    return f"""## From an answer to the next item

`python -m tests.benchmarks.answer_to_next`, in process: grade, append, fold, choose, store the
receipt, commit. SQLite with WAL and synchronous=FULL, a bank of {result["items"]} items,
{result["rounds"]} rounds, everything in turn. {result["date"]}, {result["hardware"]}, load
{result["load_before"]} before, commit {result["commit"]}.

| what | median ms | p95 ms |
|---|---|---|
| one bare insert and commit, raw statement | {median["raw"]} | {p95["raw"]} |
| one bare insert and commit, ORM | {median["orm"]} | {p95["orm"]} |
| answer to next item, learner with {few} answers | {median[few]} | {p95[few]} |
| answer to next item, learner with {many} answers | {median[many]} | {p95[many]} |

That is {result["times_orm_insert"]} times the ORM's bare insert and {result["times_raw_insert"]}
times the raw one (target: at most 5). The long history takes
{result["long_history_over_short"]} times the short one (target: within 20 %).
"""


if __name__ == "__main__":
    main()
