"""The teacher's page of rules: what comes first, what never, how much, until when, for whom."""

import uuid

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from tutor.classes import selectors as class_selectors
from tutor.classes.models import Assignment, Classroom
from tutor.common import clock
from tutor.common.errors import TutorError
from tutor.content.models import Concept
from tutor.scheduling import ruling
from tutor.scheduling.models import SteeringRule
from tutor.teacher import filters, rule_forms
from tutor.teacher import rules as wording


@login_required
@require_GET
def rules(request: HttpRequest, class_id: uuid.UUID) -> HttpResponse:
    """Show the class's rules, and offer to set one or to take one back."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    chosen = filters.of_names(request.GET)
    if chosen.are_names_hidden:
        context = {"classroom": found, "filters": chosen}
        return render(request, "teacher/names_first.html", context)
    return _page(request, found, given=request.GET)


@login_required
@require_POST
def set_rule(request: HttpRequest, class_id: uuid.UUID) -> HttpResponse:
    """Put a rule in force."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    try:
        order = rule_forms.read_order(request.POST, classroom=found)
        ruling.set_rule(classroom=found, order=order, actor=request.user, at=clock.now())
    except TutorError as problem:
        return _page(request, found, given=request.POST, problem=problem)
    return redirect("teacher:rules", found.public_id)


@login_required
@require_POST
def take_back(request: HttpRequest, class_id: uuid.UUID, rule: int) -> HttpResponse:
    """Put a rule out of force."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    try:
        ruling.take_back(
            classroom=found,
            rule_id=rule,
            actor=request.user,
            at=clock.now(),
            reason=request.POST.get("reason", "").strip()[: rule_forms.MOST_REASON],
        )
    except TutorError as problem:
        return _page(request, found, given=QueryDict(), problem=problem)
    return redirect("teacher:rules", found.public_id)


def _page(
    request: HttpRequest,
    classroom: Classroom,
    *,
    given: QueryDict,
    problem: TutorError | None = None,
) -> HttpResponse:
    lines = wording.list_lines(classroom=classroom)
    own = SteeringRule.ACCOMMODATIONS
    context = {
        "classroom": classroom,
        "lines": [line for line in lines if line.rule.kind not in own],
        "accommodations": [line for line in lines if line.rule.kind in own],
        "history": wording.list_history(classroom=classroom),
        "learners": class_selectors.list_learners_of(classroom=classroom),
        "assignments": Assignment.objects.filter(classroom=classroom),
        "topics": Concept.objects.filter(course=classroom.course_id).order_by("position"),
        "needs": wording.NEEDS,
        "given": given,
        "chosen": given.getlist("learner"),
        "problem": problem,
    }
    status = problem.status if problem else 200
    return render(request, "teacher/rules.html", context, status=status)
