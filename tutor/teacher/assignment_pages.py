"""The teacher's page of assignments: what runs, for whom it is another one."""

import uuid

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from tutor.classes import selectors as class_selectors
from tutor.classes.models import Classroom
from tutor.common import clock
from tutor.common.errors import TutorError
from tutor.teacher import assignments, filters


@login_required
@require_GET
def list_assignments(request: HttpRequest, class_id: uuid.UUID) -> HttpResponse:
    """Show the class's assignments, with what was decided for whom."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    return show(request, found)


def show(
    request: HttpRequest, classroom: Classroom, *, problem: TutorError | None = None
) -> HttpResponse:
    """Return the page, with what a form was refused for."""
    chosen = filters.of_names(request.GET)
    context = {"classroom": classroom, "filters": chosen, "tab": "assignments"}
    if chosen.are_names_hidden:
        return render(request, "teacher/names_first.html", context)
    lines = assignments.list_lines(classroom=classroom, at=clock.now())
    context |= {
        "assignments": lines,
        "decisions": [one for line in lines for one in line.decisions],
        "topics": classroom.course.concepts.order_by("position", "pk"),
        "learners": class_selectors.list_learners_of(classroom=classroom),
        "history": assignments.list_history(classroom=classroom),
        "given": request.POST,
        "chosen": request.POST.getlist("learner"),
        "problem": problem,
    }
    status = problem.status if problem else 200
    return render(request, "teacher/assignments.html", context, status=status)
