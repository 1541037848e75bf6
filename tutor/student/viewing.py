"""A learner's pages as a teacher of their class sees them: to look at, and nothing else.

What concerns other classes of the learner is left out. Nothing is written but who looked.
"""

import datetime as dt
import uuid
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from tutor.accounts import services as account_services
from tutor.accounts.models import Learner
from tutor.classes import selectors as class_selectors
from tutor.classes.models import Classroom
from tutor.common import clock
from tutor.practice import charts, progress_lines
from tutor.student import course_map, progress, today, topics

GOALS = range(1, 8)


@login_required
@never_cache
@require_GET
def see_home(request: HttpRequest, class_id: uuid.UUID, pseudonym: uuid.UUID) -> HttpResponse:
    """Show what the learner is offered today."""
    classroom, learner, at = _look(request, class_id, pseudonym, page="today")
    plan = today.plan(learner=learner, at=at, only=classroom)
    context = {
        "learner": learner,
        "today": plan,
        "topics": topics.list_topics(learner=learner, courses=plan.courses, at=at),
    }
    return _show(request, "student/home.html", classroom, learner, context)


@login_required
@never_cache
@require_GET
def see_map(request: HttpRequest, class_id: uuid.UUID, pseudonym: uuid.UUID) -> HttpResponse:
    """Show where the learner stands in the class's course, as they see it."""
    classroom, learner, at = _look(request, class_id, pseudonym, page="map")
    course = classroom.course
    context = {
        "courses": [course],
        "course": course,
        "map": course_map.draw(learner=learner, course=course, at=at),
        "topics": topics.list_topics(learner=learner, courses=(course,), at=at),
    }
    return _show(request, "student/map_page.html", classroom, learner, context)


@login_required
@never_cache
@require_GET
def see_progress(request: HttpRequest, class_id: uuid.UUID, pseudonym: uuid.UUID) -> HttpResponse:
    """Show how it went over time, as the learner sees it."""
    classroom, learner, at = _look(request, class_id, pseudonym, page="progress")
    course = classroom.course
    weeks = progress.list_weeks(learner=learner, at=at, only=classroom)
    context = {
        "courses": [course],
        "course": course,
        "weeks": weeks,
        "bars": charts.draw_bars([(week.answers, week.right) for week in weeks]),
        "has_answers": any(week.answers for week in weeks),
        "week": progress.get_this_week(learner=learner, at=at, only=classroom),
        "goals": GOALS,
        "lines": progress_lines.list_lines(learner=learner, course=course, at=at),
    }
    return _show(request, "student/progress.html", classroom, learner, context)


def _look(
    request: HttpRequest, class_id: uuid.UUID, pseudonym: uuid.UUID, *, page: str
) -> tuple[Classroom, Learner, dt.datetime]:
    """Return whom a teacher of the class looks as, and keep that they did.

    Raises:
        NotVisible: the class is not theirs, or has no such learner.
    """
    classroom = class_selectors.access_class(actor=request.user, public_id=class_id)
    learner = class_selectors.access_learner_of(classroom=classroom, pseudonym=pseudonym)
    at = clock.now()
    account_services.record_audit(
        at=at,
        action="learner.viewed-as",
        organisation=classroom.organisation,
        actor=request.user,  # type: ignore[arg-type]
        subject=f"learner {learner.pseudonym}",
        facts={"class": str(classroom.public_id), "page": page},
    )
    return classroom, learner, at


def _show(
    request: HttpRequest,
    template: str,
    classroom: Classroom,
    learner: Learner,
    context: dict[str, Any],
) -> HttpResponse:
    context |= {"viewed": learner, "viewed_in": classroom}
    return render(request, template, context)
