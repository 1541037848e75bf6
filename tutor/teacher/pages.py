"""The teacher's list of classes, and receipts of choices."""

import uuid

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from tutor.classes import selectors as class_selectors
<<<<<<< HEAD
from tutor.teacher import receipts
=======
from tutor.common import clock
from tutor.outlook import selectors as outlook
from tutor.practice import remarks
from tutor.teacher import overview, receipts

DECISIONS_PER_PAGE = 25
>>>>>>> outlook9


@login_required
@require_GET
def classes(request: HttpRequest) -> HttpResponse:
    """List the classes that this person teaches or administers."""
    found = class_selectors.list_visible_classes(actor=request.user)
    return render(request, "teacher/classes.html", {"classes": found})


@login_required
@require_GET
<<<<<<< HEAD
=======
def classroom(request: HttpRequest, class_id: uuid.UUID) -> HttpResponse:
    """Show the class by concept."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    at = clock.now()
    grid = overview.make_grid(
        classroom=found, at=at, are_names_hidden=request.GET.get("names") == "hidden"
    )
    # A class that is projected shows nobody's words.
    notes = [] if grid.are_names_hidden else remarks.list_fresh_notes(classroom=found, at=at)
    context = {"classroom": found, "grid": grid, "notes": notes}
    return render(request, "teacher/classroom.html", context)


@login_required
@require_GET
def learner(request: HttpRequest, class_id: uuid.UUID, pseudonym: uuid.UUID) -> HttpResponse:
    """Show one learner's course: bands with the numbers behind them, and every decision."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    person = class_selectors.access_learner_of(classroom=found, pseudonym=pseudonym)
    decisions = receipts.list_lines(learner=person, course=found.course)
    at = clock.now()
    concepts = overview.list_concepts(learner=person, course=found.course, at=at)
    context = {
        "classroom": found,
        "learner": person,
        "practised": [line for line in concepts if line.mastery.evidence_n],
        "others": [line for line in concepts if not line.mastery.evidence_n],
        "forecasts": outlook.list_forecasts_of(learner=person, classroom=found, at=at),
        "remarks": remarks.list_remarks(learner=person, course_id=found.course_id),
        "page": Paginator(decisions, DECISIONS_PER_PAGE).get_page(request.GET.get("page")),
    }
    context["lines"] = [receipts.describe(row) for row in context["page"].object_list]
    return render(request, "teacher/learner.html", context)


@login_required
@require_GET
>>>>>>> outlook9
def receipt(
    request: HttpRequest, class_id: uuid.UUID, pseudonym: uuid.UUID, decision: uuid.UUID
) -> HttpResponse:
    """Show why this item, and why not the others."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    person = class_selectors.access_learner_of(classroom=found, pseudonym=pseudonym)
    context = {
        "classroom": found,
        "learner": person,
        "receipt": receipts.explain(learner=person, classroom=found, public_id=decision),
    }
    return render(request, "teacher/receipt.html", context)


@login_required
@require_GET
def receipt_record(
    request: HttpRequest, class_id: uuid.UUID, pseudonym: uuid.UUID, decision: uuid.UUID
) -> HttpResponse:
    """Give the stored record of a decision, for whoever wants to check it."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    person = class_selectors.access_learner_of(classroom=found, pseudonym=pseudonym)
    whole = receipts.record(learner=person, classroom=found, public_id=decision)
    return JsonResponse(whole, json_dumps_params={"indent": 1})
