"""Writes of the log: append, never change."""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext

from tutor.accounts.models import Learner
from tutor.common.prepared import Prepared, slot
from tutor.common.prepared_writes import PreparedInsert
from tutor.responses import bulk
from tutor.responses.bulk import BulkResponse
from tutor.responses.errors import (
    AnsweredInTheFuture,
    AnswerStored,
    ArrivedTooLate,
    CorrectionInvalid,
)
from tutor.responses.models import HintRequest, Response

# A device may hold answers back this long (a holiday without a network) and still be heard.
LATE_WINDOW = dt.timedelta(days=30)
# A sender's clock may run ahead by this much.
CLOCK_SKEW = dt.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Answer:
    """One graded answer on its way into the log."""

    client_key: uuid.UUID
    course_id: int
    item_version_id: int
    seed: int
    answer: Any
    is_correct: bool
    credit: float
    answered_at: dt.datetime
    received_at: dt.datetime
    source: str
    attempt: int = 1
    hints_seen: int = 0
    misconception: str = ""
    presented_at: dt.datetime | None = None
    elapsed_ms: int | None = None
    presentation: uuid.UUID | None = None
    is_pilot: bool = False


def lock_learner(*, learner_id: int) -> None:
    """Lock the learner's row until the transaction ends.

    One writer per learner: ids then commit in order, and a reader that remembers the last id it
    saw of a learner cannot miss an answer still in flight. On SQLite the transaction itself began
    as the only writer, so there is nothing to ask.
    """
    if connection.features.has_select_for_update and _LOCK.first(id=learner_id) is None:
        raise Learner.DoesNotExist(learner_id)


_LOCK = Prepared(
    lambda: Learner.objects.select_for_update(no_key=True).filter(pk=slot("id", Learner)).only("pk")
)


def lock_learners(*, learner_ids: Iterable[int]) -> None:
    """Lock many learners' rows until the transaction ends; see `lock_learner`.

    In the order of their ids, so that two such writers cannot wait for each other in a circle.
    """
    if connection.features.has_select_for_update:
        rows = Learner.objects.select_for_update(no_key=True).filter(pk__in=list(learner_ids))
        list(rows.order_by("pk").values_list("pk"))


def check_answer_time(*, answered_at: dt.datetime, received_at: dt.datetime) -> dt.datetime:
    """Return the time to keep: `answered_at`, but never after it arrived.

    Raises:
        AnsweredInTheFuture: it lies more than `CLOCK_SKEW` after `received_at`.
        ArrivedTooLate: it lies more than `LATE_WINDOW` before `received_at`.
    """
    if answered_at > received_at + CLOCK_SKEW:
        raise AnsweredInTheFuture(
            gettext("The answer's time lies in the future; check the device's clock."),
            answered_at=answered_at.isoformat(),
            received_at=received_at.isoformat(),
        )
    if answered_at < received_at - LATE_WINDOW:
        raise ArrivedTooLate(
            gettext("Answers are taken up to %(days)d days late.") % {"days": LATE_WINDOW.days},
            answered_at=answered_at.isoformat(),
            received_at=received_at.isoformat(),
        )
    return min(answered_at, received_at)


def record_response(*, learner: Learner, answer: Answer) -> Response:
    """Append one answer.

    The caller holds the learner's lock.

    Raises:
        AnswerStored: the log has an answer under this client key, or to this presentation and
            attempt. The transaction is over then.
    """
    try:
        return _APPEND.run(
            Response(learner=learner, **{name: getattr(answer, name) for name in Answer.__slots__})
        )
    except IntegrityError as error:
        if not _is_stored_already(error):
            raise
        # Looking first would cost every honest answer a query.
        raise AnswerStored("The log has this answer.", client_key=str(answer.client_key)) from error


_APPEND = PreparedInsert(Response)


def _is_stored_already(error: IntegrityError) -> bool:
    """Whether one of the two constraints refused that keep the log free of repetitions.

    The transaction is broken by then, so the error itself has to say it. PostgreSQL names the
    constraint, SQLite the columns.
    """
    diagnosis = getattr(error.__cause__, "diag", None)
    if diagnosis is not None:
        return diagnosis.constraint_name in {"response_once", "response_attempt_once"}
    text = str(error)
    once = ("learner_id, responses_response.client_key", "presentation, responses_response.attempt")
    return text.startswith("UNIQUE constraint failed") and text.endswith(once)


@transaction.atomic
def append_new(*, rows: list[Response]) -> int:
    """Append many answers, without those that the log has under their client key; return how many.

    The learners are locked in the order of their ids, so that two such writers cannot wait for
    each other in a circle.
    """
    owners = sorted({row.learner_id for row in rows})
    for learner_id in owners:
        lock_learner(learner_id=learner_id)
    keys = [row.client_key for row in rows]
    stored = set(
        Response.objects.filter(learner__in=owners, client_key__in=keys).values_list(
            "client_key", flat=True
        )
    )
    new = [row for row in rows if row.client_key not in stored]
    Response.objects.bulk_create(new, batch_size=500)
    return len(new)


@transaction.atomic
def append_log(
    *, course_id: int, source: str, received_at: dt.datetime, rows: Sequence[BulkResponse]
) -> int:
    """Append answers of another system's log, past the ORM; otherwise as `append_new`."""
    lock_learners(learner_ids={row.learner_id for row in rows})
    return bulk.insert_new(course_id=course_id, source=source, received_at=received_at, rows=rows)


@transaction.atomic
def record_correction(
    *,
    learner: Learner,
    corrected: Response,
    is_correct: bool,
    credit: float,
    client_key: uuid.UUID,
    received_at: dt.datetime,
    source: str,
) -> Response:
    """Append a row that replaces an earlier one in every fold; the earlier row stays.

    Raises:
        CorrectionInvalid: the row is another learner's or has a correction already.
    """
    lock_learner(learner_id=learner.pk)
    stored = Response.objects.filter(learner=learner, client_key=client_key).first()
    if stored is not None:
        return stored
    if corrected.learner_id != learner.pk:
        raise CorrectionInvalid("This answer is another learner's.", response=corrected.pk)
    if Response.objects.filter(corrects=corrected).exists():
        raise CorrectionInvalid("This answer already has a correction.", response=corrected.pk)
    copied = ("course_id", "item_version_id", "seed", "answer", "attempt", "hints_seen")
    copied += ("presented_at", "elapsed_ms", "answered_at", "presentation", "is_pilot")
    return Response.objects.create(
        learner=learner,
        client_key=client_key,
        is_correct=is_correct,
        credit=credit,
        received_at=received_at,
        source=source,
        corrects=corrected,
        **{name: getattr(corrected, name) for name in copied},
    )


def record_hint(
    *, learner: Learner, presentation: uuid.UUID, level: int, at: dt.datetime
) -> HintRequest:
    """Record that a rung of the hint ladder was opened; opening it again changes nothing."""
    try:
        with transaction.atomic():
            return HintRequest.objects.create(
                learner=learner, presentation=presentation, level=level, at=at
            )
    except IntegrityError:
        return HintRequest.objects.get(presentation=presentation, level=level)
