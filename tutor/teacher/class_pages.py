"""The teacher's pages of a class: its grid, what it did, one concept, one question."""

import uuid

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from tutor.classes import selectors as class_selectors
from tutor.classes.models import Assignment, Classroom
from tutor.common import clock
from tutor.content import grading
from tutor.practice import remarks
from tutor.teacher import activity, concept_view, filters, overview, week_charts


@login_required
@require_GET
def classroom(request: HttpRequest, class_id: uuid.UUID) -> HttpResponse:
    """Show the class by concept."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    at = clock.now()
    chosen = filters.read(request.GET, classroom=found, at=at)
    grid = overview.make_grid(classroom=found, at=at, filters=chosen)
    # A class that is projected shows nobody's words.
    notes = [] if grid.are_names_hidden else remarks.list_fresh_notes(classroom=found, at=at)
    context = {
        "classroom": found,
        "grid": grid,
        "filters": chosen,
        "notes": notes,
        "assignments": _assignments(found),
        "tab": "grid",
    }
    return render(request, "teacher/classroom.html", context)


def _assignments(classroom: Classroom) -> QuerySet[Assignment]:
    """Return the assignments that name topics, in the order they open."""
    named = classroom.assignments.exclude(concepts=None).distinct()
    return named.order_by("opens_at", "pk")


@login_required
@require_GET
def show_activity(request: HttpRequest, class_id: uuid.UUID) -> HttpResponse:
    """Show what the class did, week by week, learner by learner and concept by concept."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    at = clock.now()
    chosen = filters.read(request.GET, classroom=found, at=at)
    grid = overview.make_grid(classroom=found, at=at, filters=chosen)
    did = activity.find_activity(classroom=found, grid=grid)
    context = {
        "classroom": found,
        "grid": grid,
        "filters": chosen,
        "activity": did,
        "assignments": _assignments(found),
        "weeks": did.weeks,
        "charts": week_charts.draw(did.weeks),
        "most_ms": max((line.tally.spent_ms for line in did.learners), default=0),
        "tab": "activity",
    }
    return render(request, "teacher/activity.html", context)


@login_required
@require_GET
def concept(request: HttpRequest, class_id: uuid.UUID, concept: str) -> HttpResponse:
    """Show who stands where with a concept, and what goes wrong."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    at = clock.now()
    chosen = filters.read(request.GET, classroom=found, at=at)
    grid = overview.make_grid(
        classroom=found, at=at, filters=chosen.but(topics="", concept_ids=None)
    )
    column = concept_view.find_column(grid, slug=concept)
    view = concept_view.view_concept(classroom=found, grid=grid, column=column)
    context = {
        "classroom": found,
        "grid": grid,
        "filters": chosen,
        "view": view,
        "weeks": view.weeks,
        "charts": week_charts.draw(view.weeks),
        "tab": "grid",
    }
    return render(request, "teacher/concept.html", context)


@login_required
@require_GET
def item(request: HttpRequest, class_id: uuid.UUID, item: str) -> HttpResponse:
    """Show a question with its key, and what the class answered wrongly."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    at = clock.now()
    chosen = filters.read(request.GET, classroom=found, at=at)
    grid = overview.make_grid(classroom=found, at=at, filters=chosen)
    ids = [row.learner.pk for row in grid.rows]
    view = concept_view.view_item(classroom=found, learner_ids=ids, slug=item, filters=chosen)
    context = {
        "classroom": found,
        "grid": grid,
        "filters": chosen,
        "view": view,
        "key": grading.shown_answer(view.shown),
        "tab": "grid",
    }
    return render(request, "teacher/item.html", context)
