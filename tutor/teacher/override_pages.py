"""What a teacher decides for learners: excuse, another date, extra time, and taking each back."""

import uuid

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from tutor.accounts.models import Learner
from tutor.alerts import services as alert_services
from tutor.alerts.kinds import Kind as AlertKind
from tutor.alerts.kinds import What
from tutor.classes import overriding, stating
from tutor.classes import selectors as class_selectors
from tutor.classes.models import AssignmentOverride, Classroom
from tutor.classes.overriding import By
from tutor.common import clock
from tutor.common.errors import TutorError
from tutor.scheduling import ruling
from tutor.scheduling.errors import InvalidRule
from tutor.scheduling.models import SteeringRule
from tutor.scheduling.rule_values import Order
from tutor.teacher import assignment_pages, learner_pages, overrides, rule_forms

# Names the keys of what is kept about dates that were extended.
EXTENDED = uuid.UUID("6c0f6a1e-4b77-5d0d-9a53-2f8f1d0f6f3a")


@login_required
@require_POST
def set_override(request: HttpRequest, class_id: uuid.UUID) -> HttpResponse:
    """Excuse learners from an assignment, or give them or the class another date."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    try:
        _decide(request.POST, found, by=_by(request))
    except TutorError as problem:
        return _back(request, found, problem)
    return _back(request, found)


def _decide(form: QueryDict, classroom: Classroom, *, by: By) -> None:
    assignment = rule_forms.read_assignment(form, classroom)
    if assignment is None:
        raise InvalidRule("Choose the assignment.", field="assignment")
    # Its dates are read with the course that the class has at hand.
    assignment.classroom = classroom
    learners = rule_forms.read_learners(form, classroom)
    if form.get("do") == "excuse":
        concept = rule_forms.read_concept(form, classroom)
        overriding.excuse(assignment=assignment, learners=learners, concept=concept, by=by)
        return
    if form.get("do") != "date":
        raise InvalidRule("Choose what is to be done.", field="do")
    if not learners and form.get("whom") != "everybody":
        raise InvalidRule("Tick learners, or choose the whole class.", field="learner")
    until = rule_forms.read_moment(form)
    if until is None and form.get("date", "").strip():
        raise InvalidRule("Write a date and time as 2026-06-30T18:00.", field="date")
    rows = overriding.set_date(assignment=assignment, learners=learners, until=until, by=by)
    for row in rows:
        if row.learner is not None:
            _note_extended(classroom, row, by)


def _note_extended(classroom: Classroom, row: AssignmentOverride, by: By) -> None:
    """Keep among what was done about learners who may miss a date that it was extended.

    The same row, which a second click finds, has the same key.
    """
    alert_services.record_action(
        classroom=classroom,
        actor=by.actor,
        kind=AlertKind.RISK,
        what=What.EXTENDED,
        at=by.at,
        learner=row.learner,
        client_key=uuid.uuid5(EXTENDED, str(row.pk)),
    )


@login_required
@require_POST
def take_back(request: HttpRequest, class_id: uuid.UUID, override: int) -> HttpResponse:
    """Undo what was decided of an assignment."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    try:
        overriding.take_back(classroom=found, override_id=override, by=_by(request))
    except TutorError as problem:
        return _back(request, found, problem)
    return _back(request, found)


@login_required
@require_POST
def set_extra_time(request: HttpRequest, class_id: uuid.UUID, pseudonym: uuid.UUID) -> HttpResponse:
    """Give a learner longer for questions, or no longer so."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    person = class_selectors.access_learner_of(classroom=found, pseudonym=pseudonym)
    by = _by(request)
    try:
        if request.POST.get("do") == "end":
            ruling.take_back(
                classroom=found,
                rule_id=_number(request.POST.get("rule", "")),
                actor=by.actor,
                at=by.at,
                reason=by.reason,
            )
        else:
            _give_time(found, person, rule_forms.read_factor(request.POST), by)
    except TutorError as problem:
        return learner_pages.show(request, class_id, pseudonym, decided=problem)
    return redirect(_address(found, person))


@login_required
@require_POST
def set_mastery(request: HttpRequest, class_id: uuid.UUID, pseudonym: uuid.UUID) -> HttpResponse:
    """Say that a learner knows a topic, or not yet; or take that back."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    person = class_selectors.access_learner_of(classroom=found, pseudonym=pseudonym)
    try:
        _say(request.POST, found, person, _by(request))
    except TutorError as problem:
        return learner_pages.show(request, class_id, pseudonym, decided=problem)
    return redirect(_address(found, person))


def _say(form: QueryDict, classroom: Classroom, learner: Learner, by: By) -> None:
    if form.get("do") == "end":
        row = _number(form.get("stated", ""))
        stating.take_back(classroom=classroom, learner=learner, stated_id=row, by=by)
        return
    concept = rule_forms.read_concept(form, classroom)
    if concept is None:
        raise InvalidRule("Choose the topic.", field="topic")
    if form.get("knows") not in {"yes", "no"}:
        raise InvalidRule("Say whether the learner knows it.", field="knows")
    stating.state_mastery(
        classroom=classroom,
        learner=learner,
        concept=concept,
        is_known=form.get("knows") == "yes",
        by=by,
    )


def _number(text: str) -> int:
    """Return the number of a row; 0, which no row has, where it cannot be read."""
    return int(text) if text.isdecimal() and len(text) < 18 else 0


def _give_time(classroom: Classroom, learner: Learner, factor: float | None, by: By) -> None:
    current = overrides.find_extra_time(classroom, learner)
    # Sent twice: it is in force.
    if current is not None and (current.value, current.reason) == (factor, by.reason):
        return
    order = Order(kind=SteeringRule.Kind.TIME, value=factor, learners=[learner], reason=by.reason)
    ruling.set_rule(classroom=classroom, order=order, actor=by.actor, at=by.at)


def _by(request: HttpRequest) -> By:
    return By(
        request.user,  # type: ignore[arg-type]
        clock.now(),
        overriding.clean_reason(request.POST.get("reason", "")),
    )


def _back(
    request: HttpRequest, classroom: Classroom, problem: TutorError | None = None
) -> HttpResponse:
    """Lead back to where the form was; with a problem that page is shown with it."""
    pseudonym = request.POST.get("back", "")
    learner = next(
        (
            row
            for row in class_selectors.list_learners_of(classroom=classroom)
            if str(row.pseudonym) == pseudonym
        ),
        None,
    )
    if learner is not None:
        if problem is not None:
            return learner_pages.show(
                request, classroom.public_id, learner.pseudonym, decided=problem
            )
        return redirect(_address(classroom, learner))
    if problem is not None:
        return assignment_pages.show(request, classroom, problem=problem)
    return redirect("teacher:assignments", classroom.public_id)


def _address(classroom: Classroom, learner: Learner) -> str:
    address = reverse("teacher:learner", args=[classroom.public_id, learner.pseudonym])
    return f"{address}#decisions"
