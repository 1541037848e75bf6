"""The practice page and what leads away from it. Each view makes one call and shows one thing.

Every change is a POST that carries a key made when the page was drawn: reload, the back button, a
double click and an answer that a device held back show what happened and do nothing twice. A page
that is open gets the part that changes; a browser without scripts is redirected to the same.
"""

import secrets
import uuid

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from tutor.accounts.models import Learner
from tutor.classes import selectors as class_selectors
from tutor.common import clock
from tutor.common.errors import NotVisible
from tutor.content.grading import UnreadableAnswer
from tutor.content.models import Concept, Course
from tutor.practice import selectors as practice_selectors
from tutor.practice import timing, usecases
from tutor.practice.errors import AlreadyAnswered, NothingToRetry
from tutor.student import answers, practice_parts, summaries, today
from tutor.student.posting import ASKED_AGAIN, STORED, form_only, marked
from tutor.student.practice_parts import draw, lead, lead_on, own_learner, own_session


@login_required
@form_only(else_to="student:home")
def start(request: HttpRequest) -> HttpResponse:
    """Start or resume practising an assignment or a course."""
    learner, at = own_learner(request), clock.now()
    assignment = topic = None
    if request.POST.get("assignment"):
        assignment = class_selectors.access_assignment_of(
            learner=learner, public_id=answers.read_uuid(request.POST["assignment"]), at=at
        )
        course = assignment.classroom.course
    elif request.POST.get("topic") == "":
        # A browser that does not know `required`: nothing was chosen.
        return redirect("student:home")
    else:
        course, topic = _chosen(learner, request.POST)
    session = usecases.start_practice(
        learner=learner,
        course=course,
        assignment=assignment,
        at=at,
        draw_seed=secrets.randbits(53),
        minutes=today.find_minutes(learner=learner, course=course, assignment=assignment, at=at),
        topic=topic,
    )
    return redirect("student:practise", session=session.public_id)


def _chosen(learner: Learner, form: QueryDict) -> tuple[Course, Concept | None]:
    """Return the course to practise, and the topic of it that was chosen, if one was.

    A list over several courses names both in one value, COURSE/TOPIC.

    Raises:
        NotVisible: the learner has no such course, or it has no such topic.
    """
    slug, _slash, name = form.get("topic", "").partition("/")
    course = class_selectors.access_course_of(
        learner=learner, slug=slug if name else form.get("course", "")
    )
    if not name:
        return course, None
    topic = course.concepts.filter(slug=name.replace("\x00", "\ufffd")).first()
    if topic is None:
        raise NotVisible(_("There is no such topic in this course."), concept=name[:80])
    return course, topic


@login_required
@never_cache
@require_GET
def practise(request: HttpRequest, session: uuid.UUID) -> HttpResponse:
    """Show the item that waits, or where the session ended."""
    learner = own_learner(request)
    found = own_session(learner, session)
    if found.finished_at is not None:
        return lead_on(request, found)
    shown = practice_selectors.get_presentation(learner=learner, public_id=found.current.public_id)
    return draw(request, "practise", practice_parts.item_context(found, shown))


@login_required
@form_only(else_to="student:answered")
def answer(request: HttpRequest, presentation: uuid.UUID) -> HttpResponse:
    """Take the answer and tell what came of it; an unreadable one is asked for again."""
    learner, at = own_learner(request), clock.now()
    try:
        usecases.submit_answer(
            learner=learner,
            submission=answers.read_submission(request.POST, presentation, at=at),
            at=at,
            draw_seed=secrets.randbits(53),
            source="practice",
        )
    except AlreadyAnswered:
        pass
    except UnreadableAnswer as error:
        return _mark(request, _ask_again(request, presentation, error), ASKED_AGAIN)
    return _mark(request, _tell(request, presentation), STORED)


def _mark(request: HttpRequest, response: HttpResponse, outcome: str) -> HttpResponse:
    return marked(response, outcome) if practice_parts.wants_part(request) else response


def _ask_again(
    request: HttpRequest, presentation: uuid.UUID, error: UnreadableAnswer
) -> HttpResponse:
    learner = own_learner(request)
    shown = practice_selectors.get_presentation(learner=learner, public_id=presentation)
    session = practice_selectors.get_open_session(
        learner=learner, course_id=shown.decision.course_id
    )
    # Answered meanwhile, stopped, or put off: then there is no question to go back to.
    if session is None or session.current.public_id != presentation or shown.is_answered:
        return _tell(request, presentation)
    context = practice_parts.item_context(
        session,
        shown,
        problem=error.message,
        given=request.POST.get("text", ""),
        picked=request.POST.getlist("choice"),
    )
    context["title"] = _("Not readable: %(title)s") % {"title": context["title"]}
    address = reverse("student:practise", args=[session.public_id])
    return draw(request, "practise", context, status=422, address=address)


def _tell(request: HttpRequest, presentation: uuid.UUID) -> HttpResponse:
    """Show what came of an answer: at once in a page that is open, else by a redirect."""
    if practice_parts.wants_part(request):
        return _show_feedback(request, presentation)
    return redirect("student:answered", presentation=presentation)


@login_required
@never_cache
@require_GET
def answered(request: HttpRequest, presentation: uuid.UUID) -> HttpResponse:
    """Show what came of an answer."""
    return _show_feedback(request, presentation)


def _show_feedback(request: HttpRequest, presentation: uuid.UUID) -> HttpResponse:
    learner = own_learner(request)
    shown = practice_selectors.get_presentation(learner=learner, public_id=presentation)
    session = practice_selectors.get_open_or_last_session(
        learner=learner, course_id=shown.decision.course_id
    )
    if not shown.is_answered:
        if session is None or session.finished_at is not None:
            return lead(request, "student:home")
        return redirect("student:practise", session=session.public_id)
    context = practice_parts.feedback_context(learner, shown, session)
    address = reverse("student:answered", args=[presentation])
    return draw(request, "answered", context, address=address)


@login_required
@form_only(else_to="student:answered")
def retry(request: HttpRequest, presentation: uuid.UUID) -> HttpResponse:
    """Take another try at an item answered wrong."""
    learner, at = own_learner(request), clock.now()
    try:
        usecases.retry_answer(
            learner=learner,
            submission=answers.read_submission(request.POST, presentation, at=at),
            at=at,
            source="practice",
        )
    except NothingToRetry:
        pass
    except UnreadableAnswer as error:
        shown = practice_selectors.get_presentation(learner=learner, public_id=presentation)
        session = practice_selectors.get_open_or_last_session(
            learner=learner, course_id=shown.decision.course_id
        )
        context = practice_parts.feedback_context(
            learner,
            shown,
            session,
            problem=error.message,
            given=request.POST.get("text", ""),
            picked=request.POST.getlist("choice"),
        )
        address = reverse("student:answered", args=[presentation])
        again = draw(request, "answered", context, status=422, address=address)
        return _mark(request, again, ASKED_AGAIN)
    return _mark(request, _tell(request, presentation), STORED)


@login_required
@form_only(else_to="student:practise")
def pause(request: HttpRequest, session: uuid.UUID) -> HttpResponse:
    """Leave for a while: the same question waits, and the time away is no time spent on it."""
    learner = own_learner(request)
    found = own_session(learner, session)
    if found.finished_at is None:
        usecases.pause(
            learner=learner,
            presentation=found.current.public_id,
            client_key=answers.read_uuid(request.POST.get("client_key", "")),
            at=clock.now(),
        )
    return redirect("student:home")


@login_required
@form_only(else_to="student:practise")
def finish(request: HttpRequest, session: uuid.UUID) -> HttpResponse:
    """Stop here."""
    learner = own_learner(request)
    found = own_session(learner, session)
    usecases.finish_practice(learner=learner, session=found, at=clock.now())
    return redirect("student:summary", session=session)


@login_required
@never_cache
@require_GET
def summary(request: HttpRequest, session: uuid.UUID) -> HttpResponse:
    """Show what the session changed and why it ended."""
    learner = own_learner(request)
    found = own_session(learner, session)
    if found.finished_at is None:
        return redirect("student:practise", session=found.public_id)
    at = clock.now()
    context = {
        "session": found,
        "changes": summaries.describe_session(found, at=at),
        "reason": summaries.finish_sentence(found),
        "may_go_on": summaries.may_go_on(found, at=at),
        "following": summaries.describe_next(found, at=at),
        "took_minutes": round(
            timing.get_minutes_taken(session=found, learner_id=learner.pk, at=at)
        ),
    }
    return render(request, "student/summary.html", context)
