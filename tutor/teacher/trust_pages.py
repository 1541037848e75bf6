"""The teacher's page on how far estimates can be trusted."""

import uuid

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from tutor.classes import selectors as class_selectors
from tutor.common import clock
from tutor.scheduling.calibrating import LEAST_IN_BIN
from tutor.teacher import filters, trust


@login_required
@require_GET
def trust_card(request: HttpRequest, class_id: uuid.UUID) -> HttpResponse:
    """Show stated chances beside what came, and what estimates stood on."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    context = {
        "classroom": found,
        "filters": filters.of_names(request.GET),
        "card": trust.make_card(classroom=found, at=clock.now()),
        "least_in_bin": LEAST_IN_BIN,
        "size": trust.SIZE,
        "margin": trust.MARGIN,
        "far": trust.SIZE - trust.MARGIN,
    }
    return render(request, "teacher/trust.html", context)
