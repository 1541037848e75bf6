"""Practising: start, take a hint, answer, try again, stop.

Each use-case is one short transaction that begins by locking the learner's row: two devices, two
clicks or a repeated upload wait for each other, and the second finds what the first one stored.
"""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from tutor.accounts.models import Learner
from tutor.classes.models import Assignment
from tutor.content import grading
from tutor.content import selectors as content_selectors
from tutor.content.models import Course
from tutor.practice import selectors
from tutor.practice.errors import (
    AlreadyAnswered,
    NoMoreHints,
    NothingToRetry,
    PresentationUnknown,
    SessionFinished,
)
from tutor.practice.models import PracticeSession
from tutor.responses import selectors as response_selectors
from tutor.responses import services as response_services
from tutor.responses.errors import ClientKeyReused
from tutor.responses.models import HintRequest, Response
from tutor.responses.services import Answer
from tutor.scheduling import services as scheduling_services
from tutor.scheduling.models import Decision
from tutor.tracing import engine
from tutor.tracing import queue as tracing_queue
from tutor.tracing import selectors as tracing_selectors
from tutor.tracing import services as tracing_services

# Longer than this between showing and answering is a break, not thinking.
LONGEST_ELAPSED = dt.timedelta(hours=1)
ITEMS_PER_SESSION = 10


@dataclass(frozen=True, slots=True)
class Submission:
    """What a learner sends for a showing of an item.

    Attributes:
        client_key: chosen by the client before sending; a repeat finds the first one's outcome.
        answer: {"text": …}, {"choice": id}, {"choices": [ids]} or {"right": bool}.
        answered_at: when it was given, if the client held it back; else the arrival counts.
        elapsed_ms: time from showing to answer as the client measured it.
    """

    presentation: uuid.UUID
    client_key: uuid.UUID
    answer: dict[str, Any]
    answered_at: dt.datetime | None = None
    elapsed_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an answer. `following` is what was decided next, None after a retry.

    `is_repeat`: this answer had been stored before; nothing was written now.
    """

    response: Response
    following: Decision | None
    is_repeat: bool = False


@transaction.atomic
def start_practice(
    *,
    learner: Learner,
    course: Course,
    assignment: Assignment | None,
    at: dt.datetime,
    draw_seed: int,
    source: str = "practice",
) -> PracticeSession:
    """Return the learner's open session, or open one with its first item chosen.

    Starting another assignment of the course closes the session that is open.
    """
    del source
    response_services.lock_learner(learner_id=learner.pk)
    opened = selectors.get_open_session(learner=learner, course_id=course.pk)
    if opened is not None and opened.assignment_id == (assignment.pk if assignment else None):
        return opened
    if opened is not None:
        _close(opened, at=at, reason="switched")
    tracer = tracing_selectors.get_tracer(course_id=course.pk, revision=course.revision)
    state = tracing_services.open_state(learner_id=learner.pk, tracer=tracer).learner
    planned = assignment.items_per_session if assignment else ITEMS_PER_SESSION
    decision = scheduling_services.decide_next(
        learner=learner,
        course=course,
        assignment=assignment,
        tracer=tracer,
        state=state,
        at=at,
        seed=draw_seed,
        sitting=scheduling_services.Sitting(answered=0, planned=planned),
    )
    masteries = tracing_selectors.masteries_of(tracer, state, at=at)
    session = PracticeSession.objects.create(
        learner=learner,
        course=course,
        assignment=assignment,
        planned_items=planned,
        current=decision,
        mastery_at_start={pk: round(found.prob, 4) for pk, found in masteries.items()},
        started_at=at,
    )
    if decision.item_version_id is None:
        _close(session, at=at, reason=decision.reason)
    return session


@transaction.atomic
def submit_answer(
    *, learner: Learner, submission: Submission, at: dt.datetime, draw_seed: int, source: str
) -> Outcome:
    """Grade and record the answer, update the learner's state and choose what comes next.

    Sending the same submission again returns the stored outcome. An answer to an item whose
    session is over is kept and counts, but no next item is chosen for it.

    Raises:
        PresentationUnknown: the learner was not shown this item.
        UnreadableAnswer: the answer cannot be read; nothing is stored and it may be sent anew.
        AlreadyAnswered: this showing has another answer, which counts.
        ClientKeyReused: the client key names an answer to another item.
        AnsweredInTheFuture, ArrivedTooLate: `answered_at` is out of the window.
    """
    response_services.lock_learner(learner_id=learner.pk)
    decision = _get_shown(learner, submission.presentation)
    stored = _find_stored(learner, submission)
    if stored is not None:
        following = selectors.get_next_decision(learner=learner, follows=submission.presentation)
        return Outcome(stored, following, is_repeat=True)
    response = _record(
        learner=learner, decision=decision, submission=submission, at=at, source=source, attempt=1
    )
    session = selectors.get_open_session(learner=learner, course_id=decision.course_id)
    advanced, tracer = _advance(decision.course, response)
    if session is None or session.current_id != decision.pk:
        return Outcome(response, None)
    following = _decide_after(
        session=session,
        response=response,
        tracer=tracer,
        advanced=advanced,
        at=at,
        draw_seed=draw_seed,
    )
    return Outcome(response, following)


@transaction.atomic
def retry_answer(
    *, learner: Learner, submission: Submission, at: dt.datetime, source: str
) -> Outcome:
    """Record another try at an item that was answered wrong.

    It is kept with its attempt number and folds as practice with help: no evidence if right.

    Raises:
        NothingToRetry: the item has no answer yet, or was solved.
        PresentationUnknown, UnreadableAnswer, ClientKeyReused: as for `submit_answer`.
    """
    response_services.lock_learner(learner_id=learner.pk)
    decision = _get_shown(learner, submission.presentation)
    known = response_selectors.find_known_answers(
        learner_id=learner.pk,
        client_key=submission.client_key,
        presentation=submission.presentation,
    )
    repeat = _with_key(known, submission)
    if repeat is not None:
        return Outcome(repeat, None, is_repeat=True)
    if not known or any(response.is_correct for response in known):
        raise NothingToRetry("There is nothing to try again here.")
    response = _record(
        learner=learner,
        decision=decision,
        submission=submission,
        at=at,
        source=source,
        attempt=known[-1].attempt + 1,
    )
    _advance(decision.course, response)
    return Outcome(response, None)


@transaction.atomic
def take_hint(*, learner: Learner, presentation: uuid.UUID, at: dt.datetime) -> HintRequest:
    """Open the next rung of the hint ladder.

    Raises:
        PresentationUnknown: the learner was not shown this item.
        NoMoreHints: every rung is open.
        AlreadyAnswered: the answer is in; the solution is there to read.
    """
    response_services.lock_learner(learner_id=learner.pk)
    shown = selectors.get_presentation(learner=learner, public_id=presentation)
    if shown.is_solved:
        raise AlreadyAnswered("This item is solved.", presentation=str(presentation))
    if not shown.hints_left:
        raise NoMoreHints("There is no further hint.", hints=len(shown.hints))
    return response_services.record_hint(
        learner=learner, presentation=presentation, level=len(shown.hints) + 1, at=at
    )


@transaction.atomic
def finish_practice(
    *, learner: Learner, session: PracticeSession, at: dt.datetime
) -> PracticeSession:
    """End the session at the learner's wish; ending it again changes nothing."""
    response_services.lock_learner(learner_id=learner.pk)
    current = PracticeSession.objects.get(pk=session.pk)
    if current.finished_at is None:
        _close(current, at=at, reason="stopped")
    return current


def require_open(session: PracticeSession) -> None:
    """Check that the session goes on.

    Raises:
        SessionFinished: it is over.
    """
    if session.finished_at is not None:
        raise SessionFinished("This session is over.", reason=session.finish_reason)


def _get_shown(learner: Learner, presentation: uuid.UUID) -> Decision:
    decision = (
        Decision.objects.filter(learner=learner, public_id=presentation)
        .select_related("course", "item_version")
        .defer("receipt", "item_version__body")
        .first()
    )
    if decision is None or decision.item_version_id is None:
        raise PresentationUnknown("There is no such item for you.", presentation=str(presentation))
    return decision


def _find_stored(learner: Learner, submission: Submission) -> Response | None:
    known = response_selectors.find_known_answers(
        learner_id=learner.pk,
        client_key=submission.client_key,
        presentation=submission.presentation,
    )
    repeat = _with_key(known, submission)
    if repeat is None and known:
        raise AlreadyAnswered(
            "This item has been answered; the first answer counts.",
            presentation=str(submission.presentation),
        )
    return repeat


def _with_key(known: list[Response], submission: Submission) -> Response | None:
    for response in known:
        if response.client_key == submission.client_key:
            if response.presentation != submission.presentation:
                raise ClientKeyReused(
                    "This client key names an answer to another item.",
                    client_key=str(submission.client_key),
                )
            return response
    return None


def _record(
    *,
    learner: Learner,
    decision: Decision,
    submission: Submission,
    at: dt.datetime,
    source: str,
    attempt: int,
) -> Response:
    answered_at = response_services.check_answer_time(
        answered_at=submission.answered_at or at, received_at=at
    )
    grade = grading.grade(selectors.rendered_item(decision), submission.answer)
    response = response_services.record_response(
        learner=learner,
        answer=Answer(
            client_key=submission.client_key,
            course_id=decision.course_id,
            item_version_id=decision.item_version_id,
            seed=decision.item_seed,
            answer=submission.answer,
            is_correct=grade.is_correct,
            credit=grade.credit,
            misconception=grade.misconception or "",
            attempt=attempt,
            hints_seen=response_selectors.count_hints(presentation=decision.public_id),
            presented_at=decision.at,
            elapsed_ms=_elapsed_ms(submission, decision, answered_at),
            answered_at=answered_at,
            received_at=at,
            source=source,
            presentation=decision.public_id,
        ),
    )
    # Already at hand: saves the fold a query.
    response.item_version = decision.item_version
    return response


def _elapsed_ms(submission: Submission, decision: Decision, answered_at: dt.datetime) -> int:
    since_shown = max(answered_at - decision.at, dt.timedelta(0))
    if submission.elapsed_ms is not None and submission.elapsed_ms >= 0:
        # A client cannot have spent more time than passed since the item was chosen.
        since_shown = min(since_shown, dt.timedelta(milliseconds=submission.elapsed_ms))
    return min(since_shown, LONGEST_ELAPSED) // dt.timedelta(milliseconds=1)


def _advance(
    course: Course, response: Response
) -> tuple[tracing_services.Advanced, engine.CourseTracer]:
    tracer = tracing_selectors.get_tracer(course_id=course.pk, revision=course.revision)
    opened = tracing_services.open_state(learner_id=response.learner_id, tracer=tracer)
    advanced = tracing_services.advance(tracer=tracer, opened=opened, response=response)
    if advanced.is_stale:
        transaction.on_commit(tracing_queue.nudge_refold)
    return advanced, tracer


def _decide_after(
    *,
    session: PracticeSession,
    response: Response,
    tracer: engine.CourseTracer,
    advanced: tracing_services.Advanced,
    at: dt.datetime,
    draw_seed: int,
) -> Decision:
    session.n_answered += 1
    session.n_correct += response.is_correct
    decision = scheduling_services.decide_next(
        learner=response.learner,
        course=session.course,
        assignment=session.assignment,
        tracer=tracer,
        state=advanced.after,
        at=at,
        seed=draw_seed,
        sitting=scheduling_services.Sitting(
            answered=session.n_answered,
            planned=session.planned_items,
            follows=response.presentation,
            shifts=_shifts(tracer, advanced, response, at),
        ),
    )
    session.current = decision
    if decision.item_version_id is None:
        session.finished_at, session.finish_reason = at, decision.reason
    PracticeSession.objects.filter(pk=session.pk).update(
        n_answered=session.n_answered,
        n_correct=session.n_correct,
        current=decision,
        finished_at=session.finished_at,
        finish_reason=session.finish_reason,
    )
    return decision


def _shifts(
    tracer: engine.CourseTracer,
    advanced: tracing_services.Advanced,
    response: Response,
    at: dt.datetime,
) -> dict[str, list[Any]]:
    """Return concept id -> [probability and band before, probability and band after]."""
    before = tracing_selectors.masteries_of(tracer, advanced.before, at=at)
    after = tracing_selectors.masteries_of(tracer, advanced.after, at=at)
    concepts = content_selectors.get_concepts_of_version(version_id=response.item_version_id)
    return {
        str(pk): [
            round(before[pk].prob, 4),
            before[pk].band.value,
            round(after[pk].prob, 4),
            after[pk].band.value,
        ]
        for pk in concepts
        if pk in before
    }


def _close(session: PracticeSession, *, at: dt.datetime, reason: str) -> None:
    session.finished_at, session.finish_reason = at, reason
    PracticeSession.objects.filter(pk=session.pk).update(finished_at=at, finish_reason=reason)
