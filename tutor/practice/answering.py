"""Taking an answer: grade, record, update the state, choose what comes next.

The item is graded before anything is locked: an expression may take a while, and on SQLite every
writer waits for the lock. What was read before the lock is checked by the writes themselves: the
log refuses a second answer to a showing, and the session moves on only from the showing that was
answered; hints are counted under the lock. So the usual answer takes few statements, and the
unusual one is sorted out afterwards.
"""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext

from tutor.accounts.models import Learner
from tutor.common import turns
from tutor.common.prepared import slot
from tutor.common.prepared_writes import PreparedUpdate
from tutor.content import grading
from tutor.content import selectors as content_selectors
from tutor.content.models import Course
from tutor.practice import remarks, selectors, timing
from tutor.practice.errors import AlreadyAnswered, NothingToRetry
from tutor.practice.models import PracticeSession, SetAside
from tutor.practice.selectors import Showing
from tutor.responses import selectors as response_selectors
from tutor.responses import services as response_services
from tutor.responses.errors import AnswerStored, ClientKeyReused
from tutor.responses.models import Response
from tutor.responses.services import Answer
from tutor.scheduling import probing
from tutor.scheduling import services as scheduling_services
from tutor.scheduling.models import Decision
from tutor.tracing import engine
from tutor.tracing import queue as tracing_queue
from tutor.tracing import selectors as tracing_selectors
from tutor.tracing import services as tracing_services

# Longer than this between showing and answering is a break, not thinking.
LONGEST_ELAPSED = dt.timedelta(hours=1)


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
class Arrival:
    """When and how a submission came in; `draw_seed` is for the choice that follows."""

    at: dt.datetime
    source: str
    draw_seed: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an answer.

    `following` is what was decided next: None after a retry, or where the session was over.
    `is_repeat`: this answer had been stored before; nothing was written now.
    `answered` and `session` are the showing and the session as they stand after it, without a
    query; None where they would have to be read.
    """

    response: Response
    following: Decision | None
    is_repeat: bool = False
    answered: Decision | None = None
    session: PracticeSession | None = None


class _SessionMoved(Exception):
    """The session was stopped, or went on, between reading it and writing."""


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
    showing = selectors.get_showing(learner=learner, public_id=submission.presentation)
    try:
        grade = grading.grade(selectors.rendered_item(showing.decision), submission.answer)
    except grading.UnreadableAnswer:
        # What is stored could be read when it came.
        stored = _find_stored(learner, submission)
        if stored is None:
            raise
        return stored
    arrival = Arrival(at=at, source=source, draw_seed=draw_seed)
    try:
        return _submit_as_it_stands(learner, showing, submission, grade, arrival)
    except AnswerStored:
        return _repeat(learner, submission)


def _submit_as_it_stands(
    learner: Learner,
    showing: Showing,
    submission: Submission,
    grade: grading.Grade,
    arrival: Arrival,
) -> Outcome:
    try:
        return _submit(learner, showing, submission, grade, arrival)
    except _SessionMoved:
        alone = Showing(showing.decision, None)
        return _submit(learner, alone, submission, grade, arrival)


@turns.atomic_turn()
def _submit(
    learner: Learner,
    showing: Showing,
    submission: Submission,
    grade: grading.Grade,
    arrival: Arrival,
) -> Outcome:
    response_services.lock_learner(learner_id=learner.pk)
    response = _record(learner, showing, submission, grade, arrival, attempt=1)
    advanced, tracer = advance_state(showing.decision.course, response)
    probing.note_answer(
        decision=showing.decision,
        response=response,
        revision=tracer.bank.revision,
        draw_seed=arrival.draw_seed,
    )
    if showing.session is None:
        return Outcome(response, None)
    # As it was found under the lock: what is shown next may be new in it.
    showing.decision.course.revision = tracer.bank.revision
    following = _decide_after(showing.session, response, tracer, advanced, arrival)
    return Outcome(response, following, answered=showing.decision, session=showing.session)


def _find_stored(learner: Learner, submission: Submission) -> Outcome | None:
    known = response_selectors.list_for_presentation(
        learner_id=learner.pk, presentation=submission.presentation
    )
    stored = next((r for r in known if r.client_key == submission.client_key), None)
    if stored is None:
        return None
    following = selectors.get_next_decision(learner=learner, follows=submission.presentation)
    return Outcome(stored, following, is_repeat=True)


def _repeat(learner: Learner, submission: Submission) -> Outcome:
    """Return the stored outcome of this submission, or say which other answer stands in its way."""
    stored = _find_stored(learner, submission)
    if stored is not None:
        return stored
    if response_selectors.list_for_presentation(
        learner_id=learner.pk, presentation=submission.presentation
    ):
        raise AlreadyAnswered(
            gettext("This item has been answered; the first answer counts."),
            presentation=str(submission.presentation),
        )
    raise ClientKeyReused(
        gettext("This client key names an answer to another item."),
        client_key=str(submission.client_key),
    )


def retry_answer(
    *, learner: Learner, submission: Submission, at: dt.datetime, source: str
) -> Outcome:
    """Record another try at an item that was answered wrong.

    It is kept with its attempt number and folds as practice with help: no evidence if right.

    Raises:
        NothingToRetry: the item has no answer yet, or was solved.
        PresentationUnknown, UnreadableAnswer, ClientKeyReused: as for `submit_answer`.
    """
    showing = selectors.get_showing(learner=learner, public_id=submission.presentation)
    try:
        grade = grading.grade(selectors.rendered_item(showing.decision), submission.answer)
    except grading.UnreadableAnswer:
        # What is stored could be read when it came.
        stored = _find_stored(learner, submission)
        if stored is None:
            raise
        return stored
    arrival = Arrival(at=at, source=source)
    try:
        return _retry(learner, showing, submission, grade, arrival)
    except AnswerStored:
        return _repeat(learner, submission)


@turns.atomic_turn()
def _retry(
    learner: Learner,
    showing: Showing,
    submission: Submission,
    grade: grading.Grade,
    arrival: Arrival,
) -> Outcome:
    response_services.lock_learner(learner_id=learner.pk)
    known = response_selectors.list_for_presentation(
        learner_id=learner.pk, presentation=submission.presentation
    )
    stored = next((r for r in known if r.client_key == submission.client_key), None)
    if stored is not None:
        return Outcome(stored, None, is_repeat=True)
    if not known or any(response.is_correct for response in known):
        raise NothingToRetry(gettext("There is nothing to try again here."))
    attempt = known[-1].attempt + 1
    response = _record(learner, showing, submission, grade, arrival, attempt=attempt)
    advance_state(showing.decision.course, response)
    return Outcome(response, None)


def _record(
    learner: Learner,
    showing: Showing,
    submission: Submission,
    grade: grading.Grade,
    arrival: Arrival,
    *,
    attempt: int,
) -> Response:
    decision = showing.decision
    answered_at = response_services.check_answer_time(
        answered_at=submission.answered_at or arrival.at, received_at=arrival.at
    )
    # Nobody answers before being asked: then the device's clock is behind.
    answered_at = max(answered_at, decision.at)
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
            hints_seen=_count_help(showing),
            presented_at=decision.at,
            elapsed_ms=None
            if _is_time_unknown(submission, decision, arrival)
            else _elapsed_ms(submission, decision, answered_at),
            answered_at=answered_at,
            received_at=arrival.at,
            source=arrival.source,
            presentation=decision.public_id,
            is_pilot=decision.reason == scheduling_services.PILOT,
        ),
    )
    # Already at hand: saves the fold a query.
    response.item_version = decision.item_version
    return response


def _count_help(showing: Showing) -> int:
    """Return how much help the learner had; 1 at least where they said it was new to them.

    They may have been shown one worked out, and answer from a page that was still open. A session
    waits for nothing that was put off: the usual answer asks nothing of the kind.
    """
    decision = showing.decision
    # Counted under the lock that opening a hint takes: none can slip in between.
    opened = response_selectors.count_hints(presentation=decision.public_id)
    if showing.session is not None:
        return opened
    put_off = remarks.get_set_aside(decision_id=decision.pk)
    is_shown = put_off is not None and put_off.kind == SetAside.Kind.UNLEARNT
    return max(opened, int(is_shown))


def _is_time_unknown(submission: Submission, decision: Decision, arrival: Arrival) -> bool:
    """Test whether the learner left the page for a while and it did not measure the time."""
    # Only the page knows pauses: no other client waits for the query.
    return (
        arrival.source == "practice"
        and submission.elapsed_ms is None
        and remarks.was_paused(decision_id=decision.pk)
    )


def _elapsed_ms(submission: Submission, decision: Decision, answered_at: dt.datetime) -> int:
    since_shown = max(answered_at - decision.at, dt.timedelta(0))
    if submission.elapsed_ms is not None and submission.elapsed_ms >= 0:
        # A client cannot have spent more time than passed since the item was chosen.
        ms = min(submission.elapsed_ms, since_shown // dt.timedelta(milliseconds=1))
        since_shown = dt.timedelta(milliseconds=ms)
    return min(since_shown, LONGEST_ELAPSED) // dt.timedelta(milliseconds=1)


def advance_state(
    course: Course, response: Response
) -> tuple[tracing_services.Advanced, engine.CourseTracer]:
    """Fold a row that was just recorded into the learner's state; the caller holds the lock."""
    opened, tracer = tracing_services.open_state_of_course(
        learner_id=response.learner_id, course_id=course.pk, revision=course.revision
    )
    advanced = tracing_services.advance(tracer=tracer, opened=opened, response=response)
    if advanced.is_stale or advanced.is_due:
        transaction.on_commit(tracing_queue.nudge)
    return advanced, tracer


def _decide_after(
    session: PracticeSession,
    response: Response,
    tracer: engine.CourseTracer,
    advanced: tracing_services.Advanced,
    arrival: Arrival,
) -> Decision:
    session.n_answered += 1
    session.n_correct += response.is_correct
    answered = session.current_id
    seen = tracing_selectors.see(
        learner_id=response.learner_id,
        tracer=tracer,
        state=advanced.after,
        n_responses=advanced.n_responses,
        prediction=advanced.prediction,
        at=arrival.at,
    )
    decision = scheduling_services.decide_next(
        learner=response.learner,
        course=session.course,
        assignment=session.assignment,
        tracer=tracer,
        seen=seen,
        at=arrival.at,
        seed=arrival.draw_seed,
        sitting=scheduling_services.Sitting(
            resting=session.resting,
            topic=session.topic_id,
            answered=session.n_answered,
            planned=session.planned_items,
            follows=response.presentation,
            last_reason=session.current.reason,
            minutes_left=timing.find_minutes_left(
                session=session, learner_id=response.learner_id, at=arrival.at
            ),
            shifts=_shifts(tracer, advanced.before, seen, response, arrival.at),
        ),
    )
    session.current = decision
    moves = {
        "pk": session.pk,
        "answered": answered,
        "n_answered": session.n_answered,
        "n_correct": session.n_correct,
        "current": decision.pk,
    }
    if decision.item_version_id is None:
        session.finished_at, session.finish_reason = arrival.at, decision.reason
        moved = _END.run(**moves, finished_at=arrival.at, finish_reason=decision.reason)
    else:
        moved = _MOVE.run(**moves)
    if not moved:
        raise _SessionMoved
    return decision


def _waiting_session() -> QuerySet[PracticeSession]:
    return PracticeSession.objects.filter(
        pk=slot("pk", PracticeSession, "id"),
        current=slot("answered", PracticeSession, "current"),
        finished_at__isnull=True,
    )


_MOVED = ("n_answered", "n_correct", "current")
# Apart, because to write the end rewrites the index of the open sessions.
_MOVE = PreparedUpdate(_waiting_session, *_MOVED)
_END = PreparedUpdate(_waiting_session, *_MOVED, "finished_at", "finish_reason")


def _shifts(
    tracer: engine.CourseTracer,
    state_before: engine.TracedLearner,
    seen_after: engine.Seen,
    response: Response,
    at: dt.datetime,
) -> dict[str, list[Any]]:
    """Return concept id -> [probability and band before, probability and band after]."""
    concepts = content_selectors.get_concepts_of_version(version_id=response.item_version_id)
    before = tracing_selectors.masteries_among(
        tracer, state_before, concept_ids=concepts, at=at, deep=seen_after.deep
    )
    after = tracing_selectors.masteries_seen(tracer, seen_after, concept_ids=concepts)
    return {
        str(pk): [
            round(before[pk].prob, 4),
            before[pk].band.value,
            round(after[pk].prob, 4),
            after[pk].band.value,
        ]
        for pk in before
    }
