"""The teacher's page on how questions are chosen: settings, what came of them, who is stuck."""

import uuid
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from tutor.alerts import services as alert_services
from tutor.classes import selectors as class_selectors
from tutor.classes.models import Classroom
from tutor.common import clock
from tutor.common.errors import TutorError
from tutor.scheduling import conduct, monitor
from tutor.scheduling import steering as scheduling_steering
from tutor.teacher import day_chart, filters
from tutor.teacher.policies import CHOICES, describe_change

HISTORY = 20


@login_required
@require_GET
def steering(request: HttpRequest, class_id: uuid.UUID) -> HttpResponse:
    """Show how the class's items are chosen, and offer to change it."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    chosen = filters.of_names(request.GET)
    if chosen.are_names_hidden:
        context = {"classroom": found, "filters": chosen}
        return render(request, "teacher/names_first.html", context)
    return _page(request, found)


@login_required
@require_POST
def set_steering(request: HttpRequest, class_id: uuid.UUID) -> HttpResponse:
    """Change the settings; `stop` and `go` are the kill switch by itself."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    form = request.POST
    if form.get("do") in {"stop", "go"}:
        given: dict[str, Any] = {"kill_switch": form["do"] == "stop"}
    else:
        given = {"policy": form.get("policy"), "explores": "explores" in form}
        given |= {"probes": "probes" in form, "places": "places" in form}
    try:
        scheduling_steering.set_class_scheduling(
            classroom=found,
            actor=request.user,
            at=clock.now(),
            reason=form.get("reason", "").strip()[:200],
            **given,
        )
    except TutorError as problem:
        return _page(request, found, problem)
    return redirect("teacher:steering", found.public_id)


@login_required
@require_POST
def release(request: HttpRequest, class_id: uuid.UUID, pseudonym: uuid.UUID) -> HttpResponse:
    """Let a learner go on who was stuck."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    person = class_selectors.access_learner_of(classroom=found, pseudonym=pseudonym)
    concept = request.POST.get("concept", "")
    try:
        alert_services.let_go_on(
            classroom=found,
            learner=person,
            concept_id=int(concept) if concept.isdecimal() else 0,
            actor=request.user,  # type: ignore[arg-type]
            at=clock.now(),
            note=request.POST.get("note", "").strip()[:200],
        )
    except TutorError as problem:
        return _page(request, found, problem)
    return redirect("teacher:steering", found.public_id)


def _page(
    request: HttpRequest, classroom: Classroom, problem: TutorError | None = None
) -> HttpResponse:
    learners = list(class_selectors.list_learners_of(classroom=classroom))
    watched = monitor.watch(classroom=classroom, learners=learners, at=clock.now())
    history = conduct.list_settings(class_id=classroom.pk)[: HISTORY + 1]
    context = {
        "classroom": classroom,
        "settings": conduct.get_settings(class_id=classroom.pk),
        "choices": CHOICES,
        "monitor": watched,
        "chart": day_chart.draw(watched.days),
        "history": [
            (row, describe_change(row, history[place + 1] if place + 1 < len(history) else None))
            for place, row in enumerate(history[:HISTORY])
        ],
        "learnt": conduct.get_live_version(course_id=classroom.course_id, policy="linear-softmax"),
        "problem": problem,
    }
    status = problem.status if problem else 200
    return render(request, "teacher/steering.html", context, status=status)
