"""Practising: start, take a hint, answer, try again, stop.

Each use-case is one short transaction that locks the learner's row: two devices, two clicks or a
repeated upload wait for each other, and the second finds what the first one stored.
"""

import dataclasses
import datetime as dt
import uuid
from typing import Any

from django.db import transaction
from django.utils.translation import gettext

from tutor.accounts.models import Learner
from tutor.classes import terms
from tutor.classes.errors import Excused
from tutor.classes.models import Assignment
from tutor.common import turns
from tutor.content.models import Concept, Course
from tutor.practice import remarks, selectors
from tutor.practice.answering import Outcome, Submission, retry_answer, submit_answer
from tutor.practice.errors import AlreadyAnswered, NoMoreHints
from tutor.practice.helping import answer_step, open_rung
from tutor.practice.models import PracticeSession
from tutor.practice.putting_off import PutOff, put_off
from tutor.practice.saying import pause, report_item, write_note
from tutor.responses import selectors as response_selectors
from tutor.responses import services as response_services
from tutor.responses.models import HintRequest
from tutor.scheduling import services as scheduling_services
from tutor.scheduling.models import Decision
from tutor.tracing import queue as tracing_queue
from tutor.tracing import selectors as tracing_selectors
from tutor.tracing import services as tracing_services

__all__ = [
    "Outcome",
    "PutOff",
    "Submission",
    "answer_step",
    "finish_practice",
    "open_rung",
    "pause",
    "put_off",
    "report_item",
    "retry_answer",
    "start_practice",
    "submit_answer",
    "take_hint",
    "write_note",
]

ITEMS_PER_SESSION = 10
# The finish for want of minutes.
_NOTHING_FITS = "limit-reached"


@turns.atomic_turn()
def start_practice(
    *,
    learner: Learner,
    course: Course,
    assignment: Assignment | None,
    at: dt.datetime,
    draw_seed: int,
    minutes: int | None = None,
    topic: Concept | None = None,
) -> PracticeSession:
    """Return the learner's open session, or open one with its first item chosen.

    Starting another assignment or topic of the course closes the session that is open, if there is
    something to answer in the new one; else the new one is over at once, and the open one stays. A
    session of so many `minutes` ends when no item is expected to fit into what is left of them; it
    has one item at least. One of a `topic`, a concept of the course, asks for that and for what it
    builds on.

    Raises:
        Excused: nothing of the assignment is asked of the learner.
    """
    response_services.lock_learner(learner_id=learner.pk)
    if assignment is not None:
        _require_asked(learner, course, assignment)
    opened = selectors.get_open_session(learner=learner, course_id=course.pk)
    wanted = (assignment.pk if assignment else None, topic.pk if topic else None)
    if opened is not None and (opened.assignment_id, opened.topic_id) == wanted:
        return opened
    tracer = tracing_selectors.get_tracer(course_id=course.pk, revision=course.revision)
    state = tracing_services.open_state(learner_id=learner.pk, tracer=tracer)
    seen = tracing_selectors.see(
        learner_id=learner.pk,
        tracer=tracer,
        state=state.learner,
        n_responses=state.n_responses,
        prediction=tracing_selectors.get_prediction(learner_id=learner.pk, tracer=tracer),
        at=at,
    )
    if tracing_services.ask_for_fresh(learner_id=learner.pk, tracer=tracer, seen=seen, at=at):
        transaction.on_commit(tracing_queue.nudge)
    planned = scheduling_services.plan_length(
        learner=learner,
        course=course,
        assignment=assignment,
        items=assignment.items_per_session if assignment else ITEMS_PER_SESSION,
        minutes=minutes,
    )
    items = remarks.list_resting_items(learner=learner, course_id=course.pk, at=at)
    resting = {"items": items} if items else {}
    decision = _decide_first(
        learner=learner,
        course=course,
        assignment=assignment,
        tracer=tracer,
        seen=seen,
        at=at,
        seed=draw_seed,
        sitting=scheduling_services.Sitting(
            answered=0,
            planned=planned,
            minutes_left=None if minutes is None else float(minutes),
            resting=resting,
            topic=topic.pk if topic else None,
        ),
    )
    is_over = decision.item_version_id is None
    if opened is not None and not is_over:
        _close(opened, at=at, reason="switched")
    masteries = tracing_selectors.masteries_seen(
        tracer, seen, concept_ids=tracer.bank.concept_ids.tolist()
    )
    return PracticeSession.objects.create(
        learner=learner,
        course=course,
        assignment=assignment,
        topic=topic,
        planned_items=planned,
        planned_minutes=minutes,
        current=decision,
        resting=resting,
        mastery_at_start={pk: round(found.prob, 4) for pk, found in masteries.items()},
        started_at=at,
        finished_at=at if is_over else None,
        finish_reason=decision.reason if is_over else "",
    )


def _require_asked(learner: Learner, course: Course, assignment: Assignment) -> None:
    if terms.is_excused(
        assignment=assignment,
        learner_id=learner.pk,
        course_id=course.pk,
        revision=course.revision,
    ):
        raise Excused(
            gettext("You are excused from this assignment: there is nothing to do in it."),
            assignment_id=str(assignment.public_id),
        )


class _NothingFits(Exception):
    """No item is expected to fit into the minutes that a session has from its start."""


def _decide_first(*, sitting: scheduling_services.Sitting, **given: Any) -> Decision:
    """Choose a session's first item: by its minutes, or where none fits, whatever they are."""
    if sitting.minutes_left is not None:
        try:
            # What nobody is shown is not kept.
            with transaction.atomic():
                decision = scheduling_services.decide_next(sitting=sitting, **given)
                if decision.reason == _NOTHING_FITS:
                    raise _NothingFits
                return decision
        except _NothingFits:
            sitting = dataclasses.replace(sitting, minutes_left=None)
    return scheduling_services.decide_next(sitting=sitting, **given)


@turns.atomic_turn()
def take_hint(
    *, learner: Learner, presentation: uuid.UUID, at: dt.datetime, level: int | None = None
) -> HintRequest:
    """Open the next rung of the hint ladder.

    A client that says which `level` it asks for, 1 the first, may ask twice: a rung that is open
    comes back and nothing is written.

    Raises:
        PresentationUnknown: the learner was not shown this item.
        NoMoreHints: every rung is open.
        AlreadyAnswered: the answer is in; the solution is there to read.
    """
    response_services.lock_learner(learner_id=learner.pk)
    shown = selectors.get_presentation(learner=learner, public_id=presentation)
    if level is not None and 1 <= level <= len(shown.hints):
        return response_selectors.get_hint(presentation=presentation, level=level)
    if shown.is_solved:
        raise AlreadyAnswered(gettext("This item is solved."), presentation=str(presentation))
    if not shown.hints_left:
        raise NoMoreHints(gettext("There is no further hint."), hints=len(shown.hints))
    return response_services.record_hint(
        learner=learner, presentation=presentation, level=len(shown.hints) + 1, at=at
    )


@turns.atomic_turn()
def finish_practice(
    *, learner: Learner, session: PracticeSession, at: dt.datetime
) -> PracticeSession:
    """End the session at the learner's wish; ending it again changes nothing."""
    response_services.lock_learner(learner_id=learner.pk)
    current = PracticeSession.objects.get(pk=session.pk)
    if current.finished_at is None:
        _close(current, at=at, reason="stopped")
    return current


def _close(session: PracticeSession, *, at: dt.datetime, reason: str) -> None:
    session.finished_at, session.finish_reason = at, reason
    PracticeSession.objects.filter(pk=session.pk).update(finished_at=at, finish_reason=reason)
