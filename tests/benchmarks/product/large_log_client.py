"""Fills a database with so many answers and decisions, then answers one at a time when told to.

    python -m tests.benchmarks.product.large_log_client ANSWERS

Reads numbers, one a line; writes the milliseconds from each answer to the stored next decision.
"""

import datetime as dt
import sys
import time
import uuid

import numpy as np

from tests.benchmarks.large_tables import CONCEPTS, HISTORY, ITEMS, LEARNERS, MEASURED

# Receipts of so many real decisions, and their predictions, stand for those of all stored answers.
TEMPLATES = 25
# Learners that the network is trained on: those who are measured have met every item.
TRAINED = 60


def main() -> None:
    import django

    django.setup()
    course, learners = prepare(int(sys.argv[1]))
    print("ready", flush=True)
    for line in sys.stdin:
        number = int(line)
        print(one_answer(course, learners[number % len(learners)], number), flush=True)


def prepare(size: int):
    """Return the course and the learners who are measured."""
    from tests.benchmarks.product import stored_log, usual_network
    from tests.tutor.histories import tracer_of
    from tutor.accounts.models import Learner
    from tutor.common import clock
    from tutor.tracing import deep_folding, rebuilding, working
    from tutor.tracing import services as tracing_services

    now = clock.now()
    course = stored_log.store(log_of(size), slug="bench")
    tracing_services.give_prior_tracer(course=course, at=now)
    usual_network.give(course, trained=TRAINED)
    list(rebuilding.fold_everybody(tracer=tracer_of(course)))
    course.refresh_from_db()
    learners = list(Learner.objects.order_by("source_key"))
    templates = learners[-TEMPLATES:]
    deep_folding.mark(tracer=tracer_of(course), learner_ids=[one.pk for one in templates], at=now)
    working.work_off(turn_s=600)
    for number, learner in enumerate(templates):
        one_answer(course, learner, number)
    store_deep_states()
    store_decisions()
    # The measured learners' own come last, as the newest; no worker goes on meanwhile.
    own = learners[:MEASURED]
    deep_folding.mark(tracer=tracer_of(course), learner_ids=[one.pk for one in own], at=now)
    working.work_off(turn_s=600)
    return course, learners[:MEASURED]


def log_of(size: int):
    """Return a log in which the first learners have the same answers whatever its size."""
    from kt_models.data.log import build_log

    own = np.repeat(np.arange(MEASURED), HISTORY)
    others = MEASURED + np.arange(size - len(own)) % (LEARNERS - MEASURED)
    learner = np.concatenate([own, others])
    number = np.arange(size)
    return build_log(
        learners=[f"l{k:05d}" for k in learner],
        items=[f"i{k:06d}" for k in (number * 7) % ITEMS],
        concepts=[(f"c{k % CONCEPTS:03d}",) for k in (number * 7) % ITEMS],
        correct=(number % 3 != 0) * 1.0,
        answered_at=number * 60.0 - 60.0 * size,
    )


def store_deep_states() -> None:
    """Give whoever has none a state of the network like one of the real ones, at their place."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE real_state AS SELECT row_number() OVER (ORDER BY id) - 1 AS place,"
            " state FROM tracing_deepstate"
        )
        cursor.execute("SELECT count(*) FROM real_state")
        (count,) = cursor.fetchone()
        cursor.execute(
            "INSERT INTO tracing_deepstate (learner_id, tracer_id, state, last_answered_at,"
            " last_response_id, n_responses, folded_through)"
            " SELECT s.learner_id, s.tracer_id, d.state, s.last_answered_at, s.last_response_id,"
            " s.n_responses, s.last_response_id"
            f" FROM tracing_learnerstate s JOIN real_state d ON d.place = mod(s.id, {count})"
            " JOIN (SELECT DISTINCT tracer_id FROM tracing_deepstate) t USING (tracer_id)"
            " WHERE s.last_response_id IS NOT NULL ON CONFLICT DO NOTHING"
        )


def store_decisions() -> None:
    """Store for every answer that has none a decision like one of the real ones.

    Each with a prediction of its own, as where a worker keeps up: one that no other decision names.
    """
    from django.db import connection

    from tutor.scheduling.models import Decision

    names = [f.column for f in Decision._meta.concrete_fields if f.column != "id"]
    of_answer = {
        "public_id": "gen_random_uuid()",
        "learner_id": "r.learner_id",
        "item_version_id": "r.item_version_id",
        "at": "r.answered_at",
        "follows": "gen_random_uuid()",
        "prediction_id": "p.id",
    }
    chosen = ", ".join(of_answer.get(name, f"d.{name}") for name in names)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE real AS SELECT row_number() OVER (ORDER BY id) - 1 AS place, *"
            " FROM scheduling_decision WHERE item_version_id IS NOT NULL"
        )
        cursor.execute("SELECT count(*) FROM real")
        (count,) = cursor.fetchone()
        last = store_predictions(cursor)
        cursor.execute(
            f"INSERT INTO scheduling_decision ({', '.join(names)}) SELECT {chosen}"
            f" FROM responses_response r JOIN real d ON d.place = mod(r.id, {count})"
            f" JOIN tracing_deepprediction p ON p.last_response_id = r.id AND p.id > {last}"
            " WHERE r.presentation IS NULL"
        )
        cursor.execute("ANALYZE")


def store_predictions(cursor) -> int:
    """Store for every answer that has no showing a prediction; return the last id before them."""
    cursor.execute(
        "CREATE TEMP TABLE real_prediction AS SELECT row_number() OVER (ORDER BY id) - 1 AS place,"
        " tracer_id, shifts FROM tracing_deepprediction"
    )
    cursor.execute("SELECT count(*) FROM real_prediction")
    (count,) = cursor.fetchone()
    cursor.execute("SELECT max(id) FROM tracing_deepprediction")
    (last,) = cursor.fetchone()
    cursor.execute(
        "INSERT INTO tracing_deepprediction"
        " (learner_id, tracer_id, made_at, last_response_id, n_responses, shifts)"
        " SELECT r.learner_id, p.tracer_id, r.answered_at, r.id, 1, p.shifts"
        f" FROM responses_response r JOIN real_prediction p ON p.place = mod(r.id, {count})"
        " WHERE r.presentation IS NULL ORDER BY r.id"
    )
    return last


def one_answer(course, learner, number: int) -> float:
    """Return the milliseconds from an answer to the stored next decision."""
    from tutor.common import clock
    from tutor.practice import usecases

    # Days apart, so that neither rest nor mastery ends the practice.
    at = clock.now() + dt.timedelta(days=number)
    session = usecases.start_practice(
        learner=learner, course=course, assignment=None, at=at, draw_seed=number
    )
    submission = usecases.Submission(
        presentation=session.current.public_id,
        client_key=uuid.uuid4(),
        answer={"right": number % 3 != 0},
    )
    began = time.perf_counter()
    usecases.submit_answer(
        learner=learner, submission=submission, at=at, draw_seed=number, source="bench"
    )
    return 1000 * (time.perf_counter() - began)


if __name__ == "__main__":
    main()
