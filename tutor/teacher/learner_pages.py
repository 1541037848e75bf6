"""The teacher's pages of one learner: how it goes, one concept over time, notes."""

import datetime as dt
import uuid

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from tutor.accounts.models import Learner
from tutor.classes import selectors as class_selectors
from tutor.classes import services as class_services
from tutor.classes.errors import NoteUnusable
from tutor.classes.models import Classroom
from tutor.common import clock
from tutor.common.errors import NotVisible, TutorError
from tutor.outlook import selectors as outlook
from tutor.practice import charts, progress_lines, remarks
from tutor.teacher import (
    filters,
    learner_view,
    needs_done,
    needs_pages,
    overrides,
    receipts,
    week_charts,
)
from tutor.teacher.events import Event

DECISIONS_PER_PAGE = 25
HISTORY = 50


@login_required
@require_GET
def learner(request: HttpRequest, class_id: uuid.UUID, pseudonym: uuid.UUID) -> HttpResponse:
    """Show one learner's course: bands with the numbers behind them, and every decision."""
    return show(request, class_id, pseudonym)


def show(
    request: HttpRequest,
    class_id: uuid.UUID,
    pseudonym: uuid.UUID,
    problem: NoteUnusable | None = None,
    decided: TutorError | None = None,
) -> HttpResponse:
    """Return the page, with what a note or a decision was refused for."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    person = class_selectors.access_learner_of(classroom=found, pseudonym=pseudonym)
    at = clock.now()
    chosen = filters.read(request.GET, classroom=found, at=at)
    view = learner_view.view_learner(learner=person, classroom=found, filters=chosen, at=at)
    decisions = receipts.list_lines(learner=person, course=found.course)
    page = Paginator(decisions, DECISIONS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "classroom": found,
        "learner": person,
        "filters": chosen,
        "view": view,
        "forecasts": outlook.list_forecasts_of(learner=person, classroom=found, at=at),
        "weeks": view.weeks,
        "charts": week_charts.draw(view.weeks),
        "remarks": remarks.list_remarks(learner=person, course_id=found.course_id),
        "written": class_selectors.list_notes_about(
            actor=request.user, classroom=found, learner=person
        ),
        "own": overrides.view_learner(learner=person, classroom=found, at=at),
        "decided": decided,
        "lines_now": needs_pages.list_lines_of(learner=person, classroom=found, at=at),
        "history": _history(request, person, found, at),
        "page": page,
        "lines": receipts.describe_all(list(page.object_list)),
        "problem": problem,
        "draft": request.POST.get("text", ""),
    }
    refused = problem or decided
    status = refused.status if refused else 200
    return render(request, "teacher/learner.html", context, status=status)


def _history(
    request: HttpRequest, person: Learner, classroom: Classroom, at: dt.datetime
) -> list[Event]:
    """Return what changed and what was done, newest first; texts are for the class's teachers."""
    acted = needs_done.list_events(
        learner=person,
        classroom=classroom,
        with_texts=class_selectors.does_teach(actor=request.user, classroom=classroom),
        at=at,
        most=HISTORY,
    )
    events = [*learner_view.list_history(learner=person, classroom=classroom), *acted]
    return sorted(events, key=lambda event: event.at, reverse=True)[:HISTORY]


@login_required
@require_GET
def learner_concept(
    request: HttpRequest, class_id: uuid.UUID, pseudonym: uuid.UUID, concept: str
) -> HttpResponse:
    """Show how one concept went for one learner, as a picture and as its table."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    person = class_selectors.access_learner_of(classroom=found, pseudonym=pseudonym)
    at = clock.now()
    lines = progress_lines.list_lines(
        learner=person, course=found.course, at=at, with_untouched=True
    )
    line = next((line for line in lines if line.slug == concept), None)
    if line is None:
        raise NotVisible("There is no such topic in this course.", concept=concept[:80])
    picture = None
    if line.points:
        today = timezone.localdate(at)
        picture = charts.draw_trajectory(line.points, now=line.mastery, today=today)
    context = {
        "classroom": found,
        "learner": person,
        "line": line,
        "points": line.points[::-1],
        "picture": picture,
    }
    return render(request, "teacher/learner_concept.html", context)


@login_required
@require_POST
def write_note(request: HttpRequest, class_id: uuid.UUID, pseudonym: uuid.UUID) -> HttpResponse:
    """Keep a note about a learner."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    person = class_selectors.access_learner_of(classroom=found, pseudonym=pseudonym)
    try:
        class_services.write_note(
            classroom=found,
            learner=person,
            author=request.user,  # type: ignore[arg-type]
            text=request.POST.get("text", ""),
            at=clock.now(),
        )
    except NoteUnusable as problem:
        return show(request, class_id, pseudonym, problem)
    address = reverse("teacher:learner", args=[found.public_id, person.pseudonym])
    return redirect(f"{address}#notes")
