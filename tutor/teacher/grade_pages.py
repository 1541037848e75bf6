"""The teacher's page of grades: the rule, in one sentence, and what it comes to."""

import uuid

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from tutor.classes import grade_rules, overriding
from tutor.classes import selectors as class_selectors
from tutor.classes.models import Classroom
from tutor.classes.overriding import By
from tutor.common import clock
from tutor.common.errors import TutorError
from tutor.practice import grades
from tutor.teacher import filters


@login_required
@require_GET
def show_grades(request: HttpRequest, class_id: uuid.UUID) -> HttpResponse:
    """Show everybody's grades, and how they are made."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    return _page(request, found)


@login_required
@require_POST
def set_rule(request: HttpRequest, class_id: uuid.UUID) -> HttpResponse:
    """Choose how grades are made."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    number = request.POST.get("number", "").strip()
    try:
        grade_rules.set_rule(
            classroom=found,
            kind=request.POST.get("rule", ""),
            number=int(number) if number.isdecimal() and len(number) < 6 else None,
            by=By(
                request.user,  # type: ignore[arg-type]
                clock.now(),
                overriding.clean_reason(request.POST.get("reason", "")),
            ),
        )
    except TutorError as problem:
        return _page(request, found, problem)
    return redirect("teacher:grades", found.public_id)


def _page(
    request: HttpRequest, classroom: Classroom, problem: TutorError | None = None
) -> HttpResponse:
    chosen = filters.of_names(request.GET)
    context = {"classroom": classroom, "filters": chosen, "tab": "grades", "problem": problem}
    if chosen.are_names_hidden:
        return render(request, "teacher/names_first.html", context)
    learners = list(class_selectors.list_learners_of(classroom=classroom))
    rule, assignments, found = grades.list_class(
        classroom=classroom, learners=learners, at=clock.now()
    )
    kinds = grade_rules.Kind
    current = rule.kind if rule else kinds.NONE
    wanted = request.POST.get("rule", current)
    number = request.POST.get("number") or (rule.number if rule and rule.number else 20)
    choices = [
        (kind, kind.label, wanted == kind, "" if kind == kinds.NONE else _sentence(kind, rule))
        for kind in kinds
    ]
    context |= {
        "rule": rule,
        "sentence": grades.say(rule) if rule else "",
        "choices": choices,
        "number": number,
        "assignments": assignments,
        "rows": [
            (learner, [found.get((learner.pk, row.pk)) for row in assignments])
            for learner in learners
        ],
        "history": [
            (row, grades.say(row) if row.kind != kinds.NONE else "No grades are made.")
            for row in grade_rules.list_history(classroom=classroom)
        ],
    }
    status = problem.status if problem else 200
    return render(request, "teacher/grades.html", context, status=status)


def _sentence(kind: str, rule: grade_rules.GradeRule | None) -> str:
    number = rule.number if rule and rule.number else 20
    return grades.say(grade_rules.GradeRule(kind=kind, number=number))
