"""The practice page and what leads away from it. Each view makes one call and shows one thing.

Every change is a POST that answers with a redirect, and carries a key made when the page was
drawn: reload, the back button and a double click show what happened and do nothing twice.
"""

import contextlib
import secrets
import uuid
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from tutor.accounts import selectors as account_selectors
from tutor.accounts.models import Learner
from tutor.classes import selectors as class_selectors
from tutor.common import clock
from tutor.common.errors import NotVisible
from tutor.content import selectors as content_selectors
from tutor.content.grading import UnreadableAnswer
from tutor.practice import feedback as feedbacks
from tutor.practice import selectors as practice_selectors
from tutor.practice import usecases
from tutor.practice.errors import AlreadyAnswered, NoMoreHints, NothingToRetry
from tutor.practice.models import PracticeSession
from tutor.practice.selectors import Presentation
from tutor.scheduling import reasons
from tutor.student import answers, summaries
from tutor.student.posting import form_only


def _own(request: HttpRequest) -> Learner:
    return account_selectors.get_own_learner(actor=request.user)


def _session(learner: Learner, public_id: uuid.UUID) -> PracticeSession:
    session = practice_selectors.get_session(learner=learner, public_id=public_id)
    if session is None:
        raise NotVisible("There is no such session.", session=str(public_id))
    return session


@login_required
@form_only(else_to="student:home")
def start(request: HttpRequest) -> HttpResponse:
    """Start or resume practising an assignment or a course."""
    learner, at = _own(request), clock.now()
    assignment = None
    if request.POST.get("assignment"):
        assignment = class_selectors.access_assignment_of(
            learner=learner, public_id=answers.read_uuid(request.POST["assignment"]), at=at
        )
        course = assignment.classroom.course
    else:
        course = class_selectors.access_course_of(
            learner=learner, slug=request.POST.get("course", "")
        )
    session = usecases.start_practice(
        learner=learner,
        course=course,
        assignment=assignment,
        at=at,
        draw_seed=secrets.randbits(53),
    )
    return redirect("student:practise", session=session.public_id)


@login_required
@never_cache
@require_GET
def practise(request: HttpRequest, session: uuid.UUID) -> HttpResponse:
    """Show the item that waits, or the summary when the session is over."""
    learner = _own(request)
    found = _session(learner, session)
    if found.finished_at is not None:
        return redirect("student:summary", session=found.public_id)
    shown = practice_selectors.get_presentation(learner=learner, public_id=found.current.public_id)
    return render(request, "student/practise.html", _item_context(found, shown))


def _item_context(session: PracticeSession, shown: Presentation, **extra: Any) -> dict[str, Any]:
    bank = content_selectors.get_bank(course_id=session.course_id, revision=session.course.revision)
    return {
        "session": session,
        "shown": shown,
        "item": shown.item,
        "number": min(session.n_answered + 1, session.planned_items),
        "chip": reasons.chip(shown.decision),
        "reason": reasons.sentence(shown.decision, bank),
        "concepts": [bank.concept_names[bank.index_of_concept[pk]] for pk in shown.concept_ids],
        "client_key": uuid.uuid4(),
        "keypad": answers.keypad(shown.item),
        **extra,
    }


@login_required
@form_only(else_to="student:answered")
def answer(request: HttpRequest, presentation: uuid.UUID) -> HttpResponse:
    """Take the answer and go to its feedback; an unreadable one is asked for again."""
    learner = _own(request)
    try:
        usecases.submit_answer(
            learner=learner,
            submission=answers.read_submission(request.POST, presentation),
            at=clock.now(),
            draw_seed=secrets.randbits(53),
            source="practice",
        )
    except AlreadyAnswered:
        pass
    except UnreadableAnswer as error:
        return _ask_again(request, learner, presentation, error)
    return redirect("student:answered", presentation=presentation)


def _ask_again(
    request: HttpRequest, learner: Learner, presentation: uuid.UUID, error: UnreadableAnswer
) -> HttpResponse:
    shown = practice_selectors.get_presentation(learner=learner, public_id=presentation)
    session = practice_selectors.get_open_session(
        learner=learner, course_id=shown.decision.course_id
    )
    if session is None or shown.is_answered:
        return redirect("student:answered", presentation=presentation)
    context = _item_context(
        session,
        shown,
        problem=error.message,
        given=request.POST.get("text", ""),
        picked=request.POST.getlist("choice"),
    )
    return render(request, "student/practise.html", context, status=422)


@login_required
@never_cache
@require_GET
def answered(request: HttpRequest, presentation: uuid.UUID) -> HttpResponse:
    """Show what came of an answer."""
    learner = _own(request)
    shown = practice_selectors.get_presentation(learner=learner, public_id=presentation)
    session = practice_selectors.get_open_or_last_session(
        learner=learner, course_id=shown.decision.course_id
    )
    if not shown.is_answered:
        if session is None or session.finished_at is not None:
            return redirect("student:home")
        return redirect("student:practise", session=session.public_id)
    return render(request, "student/answered.html", _feedback_context(learner, shown, session))


def _feedback_context(
    learner: Learner, shown: Presentation, session: PracticeSession | None, **extra: Any
) -> dict[str, Any]:
    course = shown.decision.course
    following = practice_selectors.get_next_decision(
        learner=learner, follows=shown.decision.public_id
    )
    return {
        "session": session,
        "shown": shown,
        "item": shown.item,
        "course": course,
        "tries": [feedbacks.explain(shown, response) for response in shown.responses],
        "shifts": summaries.describe_shifts(following.shifts if following else {}, course=course),
        "client_key": uuid.uuid4(),
        "keypad": answers.keypad(shown.item),
        **extra,
    }


@login_required
@form_only(else_to="student:answered")
def retry(request: HttpRequest, presentation: uuid.UUID) -> HttpResponse:
    """Take another try at an item answered wrong."""
    learner = _own(request)
    try:
        usecases.retry_answer(
            learner=learner,
            submission=answers.read_submission(request.POST, presentation),
            at=clock.now(),
            source="practice",
        )
    except NothingToRetry:
        pass
    except UnreadableAnswer as error:
        shown = practice_selectors.get_presentation(learner=learner, public_id=presentation)
        session = practice_selectors.get_open_or_last_session(
            learner=learner, course_id=shown.decision.course_id
        )
        context = _feedback_context(
            learner,
            shown,
            session,
            problem=error.message,
            given=request.POST.get("text", ""),
            picked=request.POST.getlist("choice"),
        )
        return render(request, "student/answered.html", context, status=422)
    return redirect("student:answered", presentation=presentation)


@login_required
@form_only(else_to="student:answered")
def hint(request: HttpRequest, presentation: uuid.UUID) -> HttpResponse:
    """Open the next hint; with HTMX only the ladder is drawn anew."""
    learner = _own(request)
    # Two clicks ask for the same rung: the page says which one it wants.
    shown = practice_selectors.get_presentation(learner=learner, public_id=presentation)
    wanted = answers.read_level(request.POST.get("level", ""))
    if not shown.is_answered and wanted == len(shown.hints) + 1:
        # A second device may have been quicker; then its hints are shown.
        with contextlib.suppress(NoMoreHints, AlreadyAnswered):
            usecases.take_hint(
                learner=learner, presentation=presentation, at=clock.now(), level=wanted
            )
        shown = practice_selectors.get_presentation(learner=learner, public_id=presentation)
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "student/hints.html", {"shown": shown, "item": shown.item})
    session = practice_selectors.get_open_session(
        learner=learner, course_id=shown.decision.course_id
    )
    if session is None:
        return redirect("student:answered", presentation=presentation)
    return redirect("student:practise", session=session.public_id)


@login_required
@form_only(else_to="student:practise")
def finish(request: HttpRequest, session: uuid.UUID) -> HttpResponse:
    """Stop here."""
    learner = _own(request)
    usecases.finish_practice(learner=learner, session=_session(learner, session), at=clock.now())
    return redirect("student:summary", session=session)


@login_required
@never_cache
@require_GET
def summary(request: HttpRequest, session: uuid.UUID) -> HttpResponse:
    """Show what the session changed and why it ended."""
    learner = _own(request)
    found = _session(learner, session)
    if found.finished_at is None:
        return redirect("student:practise", session=found.public_id)
    at = clock.now()
    context = {
        "session": found,
        "changes": summaries.describe_session(found, at=at),
        "reason": summaries.finish_sentence(found),
        "may_go_on": summaries.may_go_on(found, at=at),
        "following": summaries.describe_next(found, at=at),
    }
    return render(request, "student/summary.html", context)
