"""The teacher's page of assignments: what runs, for whom it is another one."""

import datetime as dt
import uuid
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from tutor.classes import selectors as class_selectors
from tutor.classes.models import Assignment, Classroom
from tutor.common import clock
from tutor.common.errors import TutorError
from tutor.teacher import assignment_forms, assignments, filters


@login_required
@require_GET
def list_assignments(request: HttpRequest, class_id: uuid.UUID) -> HttpResponse:
    """Show the class's assignments, with what was decided for whom."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    return show(request, found)


@login_required
@require_POST
def save_assignment(request: HttpRequest, class_id: uuid.UUID) -> HttpResponse:
    """Set a new assignment, or change one; what could not be worked on is refused in words."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    try:
        assignment_forms.save(
            request.POST,
            classroom=found,
            actor=request.user,  # type: ignore[arg-type]
            at=clock.now(),
        )
    except TutorError as problem:
        return show(request, found, problem=problem)
    return redirect("teacher:assignments", found.public_id)


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
        "form": _form(request, classroom),
        "given": request.POST,
        "chosen": request.POST.getlist("learner"),
        "problem": problem,
    }
    status = problem.status if problem else 200
    return render(request, "teacher/assignments.html", context, status=status)


def _form(request: HttpRequest, classroom: Classroom) -> dict[str, Any]:
    """Return what the form is drawn with: what was sent, the assignment to change, or a new one."""
    sent = request.POST if request.POST.get("do") == "save" else None
    chosen = (sent or request.GET).get("assignment" if sent else "change", "")
    rows = Assignment.objects.filter(classroom=classroom)
    row = next((one for one in rows if str(one.public_id) == chosen), None)
    if sent is not None:
        names = ("title", "opens", "due", "items")
        fields: dict[str, Any] = {name: sent.get(name, "") for name in names}
        fields["concepts"] = sent.getlist("concept")
    elif row is not None:
        fields = {
            "title": row.title,
            "opens": _local(row.opens_at),
            "due": _local(row.due_at),
            "items": row.items_per_session,
            "concepts": list(row.concepts.values_list("slug", flat=True)),
        }
    else:
        fields = {"opens": _local(clock.now()), "items": 10, "concepts": []}
    return {**fields, "row": row, "is_open": sent is not None or row is not None}


def _local(moment: dt.datetime | None) -> str:
    return "" if moment is None else timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M")
