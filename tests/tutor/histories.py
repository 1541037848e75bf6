"""Histories of answers for tests: recorded straight into the log, as an upload would."""

import datetime as dt
import random
import uuid
from collections.abc import Iterator

from tests.factories import AT
from tutor.accounts.models import Learner
from tutor.content.models import Course, ItemVersion
from tutor.responses import services as response_services
from tutor.responses.models import Response
from tutor.tracing import rebuilding
from tutor.tracing import selectors as tracing_selectors
from tutor.tracing import services as tracing_services


def an_answer(*, course: Course, version: ItemVersion, **fields) -> response_services.Answer:
    defaults = {
        "client_key": uuid.uuid4(),
        "course_id": course.pk,
        "item_version_id": version.pk,
        "seed": 1,
        "answer": {"text": "5"},
        "is_correct": True,
        "credit": 1.0,
        "answered_at": AT,
        "received_at": fields.get("answered_at", AT),
        "source": "practice",
    }
    return response_services.Answer(**{**defaults, **fields})


def record(*, learner: Learner, course: Course, version: ItemVersion, **fields) -> Response:
    """Put one answer into the log and nowhere else."""
    return response_services.record_response(
        learner=learner, answer=an_answer(course=course, version=version, **fields)
    )


def correct(response: Response, *, learner=None, is_correct=False, client_key=None) -> Response:
    """Replace an answer by a correction, without tracing it."""
    return response_services.record_correction(
        learner=learner or response.learner,
        corrected=response,
        is_correct=is_correct,
        credit=float(is_correct),
        client_key=client_key or uuid.uuid4(),
        received_at=AT + dt.timedelta(days=3),
        source="teacher",
    )


def versions_of(course: Course) -> list[ItemVersion]:
    return list(ItemVersion.objects.filter(item__course=course).order_by("pk"))


def tracer_of(course: Course):
    course.refresh_from_db()
    return tracing_selectors.get_tracer(course_id=course.pk, revision=course.revision)


def trace(response: Response, *, course: Course) -> tracing_services.Advanced:
    """Bring the learner's state forward by a response that was recorded just now."""
    tracer = tracer_of(course)
    opened = tracing_services.open_state(learner_id=response.learner_id, tracer=tracer)
    return tracing_services.advance(tracer=tracer, opened=opened, response=response)


def bulk_history(
    *, learner: Learner, course: Course, size: int, seed: int = 0, start: dt.datetime = AT
) -> None:
    """Append `size` answers a minute apart, without tracing them."""
    rng, versions = random.Random(seed), versions_of(course)
    rows = []
    for number in range(size):
        right = rng.random() < 0.7
        moment = start + dt.timedelta(minutes=number)
        rows.append(
            Response(
                learner=learner,
                client_key=uuid.uuid4(),
                course=course,
                item_version=rng.choice(versions),
                answer={"text": "5"},
                is_correct=right,
                credit=float(right),
                answered_at=moment,
                received_at=moment,
                source="test",
            )
        )
    response_services.append_new(rows=rows)


def all_equal(course: Course) -> dict[int, bool]:
    """Learner id -> whether the stored state is the log folded again."""
    return dict(rebuilding.find_differences(tracer=tracer_of(course)))


def moments(rng: random.Random, *, start: dt.datetime = AT) -> Iterator[dt.datetime]:
    """Times that mostly go on and now and then go back by up to two days."""
    now = start
    while True:
        now += dt.timedelta(minutes=rng.randint(1, 600))
        yield now - dt.timedelta(hours=rng.randint(1, 48)) if rng.random() < 0.2 else now
