"""Receipts of choices."""

import uuid

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from tutor.classes import selectors as class_selectors
from tutor.teacher import receipts


@login_required
@require_GET
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
