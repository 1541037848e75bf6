"""The teacher's pages of who needs them: across classes, in a class, and what was done about it."""

import datetime as dt
import uuid
from collections.abc import Sequence

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from tutor.accounts.models import Learner
from tutor.alerts import selectors as alerts
from tutor.alerts import services as alert_services
from tutor.alerts.errors import ActionUnusable, ThresholdOutOfRange
from tutor.alerts.kinds import Kind, What
from tutor.alerts.models import AlertAction
from tutor.alerts.selectors import Need
from tutor.alerts.thresholds import BOUNDS
from tutor.classes import selectors as class_selectors
from tutor.classes.models import Classroom
from tutor.common import clock
from tutor.common.errors import TutorError
from tutor.teacher import filters, needs, needs_done
from tutor.teacher.errors import FilterUnknown

# More are not for two minutes before class.
MOST = 5
PER_PAGE = 25
# The list of classes looks into as many as have so many learners together; each class's own page
# has no such end.
MOST_LEARNERS = 400


@login_required
@require_GET
def landing(request: HttpRequest) -> HttpResponse:
    """Show who needs this teacher now, of all classes, and list the classes."""
    chosen = filters.of_names(request.GET)
    found = list(class_selectors.list_visible_classes(actor=request.user))
    looked_at = _choose(found, request)
    at = clock.now()
    by_class = alerts.find_needs(classrooms=looked_at, at=at)
    every = alerts.order_needs(by_class)
    context = {
        "classes": [
            (one, alerts.count_kinds(by_class[one.pk]) if one.pk in by_class else None)
            for one in found
        ],
        "filters": chosen,
        "lines": needs.list_lines(_shown(every, chosen)[:MOST], at=at),
        "total": len(every),
        "looks": bool(looked_at),
        "is_landing": True,
        "kept": _kept(request),
        "at": at,
    }
    return render(request, "teacher/classes.html", context)


def _choose(classes: Sequence[Classroom], request: HttpRequest) -> list[Classroom]:
    """Return the classes that the person teaches, the first by name, up to `MOST_LEARNERS`."""
    sizes = dict(
        Classroom.objects.filter(pk__in=[one.pk for one in classes], teachers=request.user.pk)
        .annotate(size=Count("enrolments"))
        .values_list("pk", "size")
    )
    chosen, learners = [], 0
    for one in classes:
        if one.pk not in sizes:
            continue
        learners += sizes[one.pk]
        if learners > MOST_LEARNERS and chosen:
            break
        chosen.append(one)
    return chosen


def _shown(found: Sequence[Need], chosen: filters.Filters) -> list[Need]:
    """Return what may be shown: to a class that looks on, nothing about one of them."""
    if chosen.are_names_hidden:
        return [need for need in found if need.learner is None]
    return list(found)


def _kept(request: HttpRequest) -> AlertAction | None:
    """Return what the person has just noted, to say so."""
    text = request.GET.get("kept", "")
    if not text.isdecimal() or len(text) > 18:
        return None
    rows = AlertAction.objects.filter(actor=request.user.pk, pk=int(text), taken_back_by=None)
    return rows.exclude(what=What.TAKEN_BACK).select_related("classroom", "learner__user").first()


@login_required
@require_GET
def show_needs(request: HttpRequest, class_id: uuid.UUID) -> HttpResponse:
    """Show who needs their teacher in a class: the first five, or all."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    return _page(request, found)


def _page(
    request: HttpRequest, classroom: Classroom, problem: TutorError | None = None
) -> HttpResponse:
    chosen, kind = filters.of_names(request.GET), _read_kind(request.GET)
    at = clock.now()
    every = alerts.find_needs(classrooms=[classroom], at=at)[classroom.pk]
    shown = _shown(every, chosen)
    if kind is not None:
        shown = [need for need in shown if kind in {alert.kind for alert in need.alerts}]
    is_whole = kind is not None or request.GET.get("show") == "all"
    page = Paginator(shown, PER_PAGE if is_whole else MOST).get_page(
        request.GET.get("page") if is_whole else 1
    )
    context = {
        "classroom": classroom,
        "filters": chosen,
        "tab": "needs",
        "lines": needs.list_lines(list(page.object_list), at=at),
        "page": page,
        "is_whole": is_whole,
        "kind": kind,
        "counts": _count_all(every),
        "total": len(every),
        "more": len(shown) - len(page.object_list),
        "kept": _kept(request),
        "problem": problem,
        "at": at,
    }
    status = problem.status if problem else 200
    return render(request, "teacher/needs.html", context, status=status)


def _count_all(found: Sequence[Need]) -> list[tuple[Kind, int]]:
    """Return for how many each reason holds, leading or not, the most urgent kind first."""
    counts = dict.fromkeys(Kind, 0)
    for need in found:
        for kind in {alert.kind for alert in need.alerts}:
            counts[kind] += 1
    return [(kind, n) for kind, n in counts.items() if n]


def _read_kind(query: QueryDict) -> Kind | None:
    text = query.get("kind", "")
    if not text:
        return None
    if text not in Kind.values:
        known = ", ".join(Kind.values)
        raise FilterUnknown(f"There is no such reason. Known: {known}.", kind=text[:80])
    return Kind(text)


@login_required
@require_POST
def act(request: HttpRequest, class_id: uuid.UUID) -> HttpResponse:
    """Keep what was done about an alert; sent twice it is kept once."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    try:
        row = _act(request, found)
    except TutorError as problem:
        return _page(request, found, problem)
    return redirect(_back(request.POST, found, row))


def _act(request: HttpRequest, classroom: Classroom) -> AlertAction:
    form, at = request.POST, clock.now()
    token = needs.read_token(form.get("token", ""), classroom=classroom)
    learner = _learner(token, classroom)
    key, text = _read_key(form), form.get("text", "")
    if form.get("what") == What.LET_GO_ON:
        if learner is None:
            raise ActionUnusable("Choose what you did.")
        concept = form.get("concept", "")
        return alert_services.let_go_on(
            classroom=classroom,
            learner=learner,
            concept_id=int(concept) if concept.isdecimal() and len(concept) < 18 else 0,
            actor=request.user,  # type: ignore[arg-type]
            at=at,
            note=text,
            client_key=key,
        )
    return alert_services.record_action(
        classroom=classroom,
        actor=request.user,  # type: ignore[arg-type]
        kind=token.kind,
        what=form.get("what", ""),
        at=at,
        learner=learner,
        evidence=token.evidence,
        seen_at=token.seen_at,
        text=text,
        days=_read_days(form),
        client_key=key,
    )


def _learner(token: needs.Token, classroom: Classroom) -> Learner | None:
    if token.learner_id is None:
        return None
    rows = class_selectors.list_learners_of(classroom=classroom)
    found = rows.filter(pk=token.learner_id).first()
    if found is None:
        raise ActionUnusable("They have left the class.")
    return found


def _read_key(form: QueryDict) -> uuid.UUID:
    try:
        return uuid.UUID(form.get("client_key", ""))
    except ValueError:
        raise ActionUnusable("This form is broken. Open the page again.") from None


def _read_days(form: QueryDict) -> int | None:
    if form.get("what") != What.SNOOZED:
        return None
    text = form.get("days", "")
    return int(text) if text.isdecimal() and len(text) < 5 else 0


def _back(form: QueryDict, classroom: Classroom, row: AlertAction) -> str:
    """Return the page that the form was on, which says what was kept."""
    if form.get("back") == "landing":
        address = reverse("teacher:classes")
    else:
        address = reverse("teacher:needs", args=[classroom.public_id])
    return f"{address}?kept={row.pk}"


@login_required
@require_POST
def take_back(request: HttpRequest, class_id: uuid.UUID, action: int) -> HttpResponse:
    """Let an alert stand again as if it had not been acted on."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    row = alerts.access_action(classroom=found, action_id=action)
    try:
        alert_services.take_back(
            action=row,
            actor=request.user,  # type: ignore[arg-type]
            at=clock.now(),
        )
    except TutorError as problem:
        return _done_page(request, found, problem)
    if request.POST.get("back") == "landing":
        return redirect("teacher:classes")
    if request.POST.get("back") == "needs":
        return redirect("teacher:needs", found.public_id)
    return redirect("teacher:needs-done", found.public_id)


@login_required
@require_GET
def show_done(request: HttpRequest, class_id: uuid.UUID) -> HttpResponse:
    """Show what was done about alerts, and what followed."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    chosen = filters.of_names(request.GET)
    if chosen.are_names_hidden:
        context = {"classroom": found, "filters": chosen}
        return render(request, "teacher/names_first.html", context)
    return _done_page(request, found)


def _done_page(
    request: HttpRequest, classroom: Classroom, problem: TutorError | None = None
) -> HttpResponse:
    at = clock.now()
    rows = alerts.list_actions(classroom=classroom)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    lines = needs_done.list_lines(
        list(page.object_list),
        classroom=classroom,
        with_texts=class_selectors.does_teach(actor=request.user, classroom=classroom),
        at=at,
    )
    context = {
        "classroom": classroom,
        "filters": filters.Filters(),
        "tab": "needs",
        "page": page,
        "lines": lines,
        "problem": problem,
    }
    status = problem.status if problem else 200
    return render(request, "teacher/needs_done.html", context, status=status)


@login_required
@require_GET
def show_thresholds(request: HttpRequest, class_id: uuid.UUID) -> HttpResponse:
    """Show when the class's teachers are called, and offer to change it."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    return _thresholds_page(request, found)


@login_required
@require_POST
def set_thresholds(request: HttpRequest, class_id: uuid.UUID) -> HttpResponse:
    """Change when the class's teachers are called, for all of them."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    form = request.POST
    try:
        alert_services.set_thresholds(
            classroom=found,
            actor=request.user,  # type: ignore[arg-type]
            at=clock.now(),
            values={bound.name: _number(form.get(bound.name, "")) for bound in BOUNDS},
            off=[kind for kind in Kind.values if f"on-{kind}" not in form],
            base=_number(form.get("base", "")),
        )
    except ThresholdOutOfRange as problem:
        return _thresholds_page(request, found, problem, typed=form)
    except TutorError as problem:
        return _thresholds_page(request, found, problem)
    return redirect(f"{reverse('teacher:needs-when', args=[found.public_id])}?saved=1")


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else -1


def _thresholds_page(
    request: HttpRequest,
    classroom: Classroom,
    problem: TutorError | None = None,
    typed: QueryDict | None = None,
) -> HttpResponse:
    limits, row = alerts.get_thresholds(classroom=classroom)
    changes = alerts.list_threshold_changes(classroom=classroom)
    context = {
        "classroom": classroom,
        "filters": filters.of_names(request.GET),
        "tab": "needs",
        "fields": [
            (bound, typed.get(bound.name, "") if typed else getattr(limits, bound.name))
            for bound in BOUNDS
        ],
        "kinds": [
            (kind, f"on-{kind}" in typed if typed else kind.value not in limits.off)
            for kind in Kind
        ],
        "base": row.pk if row else 0,
        "history": needs_done.describe_changes(changes),
        "saved": "saved" in request.GET and problem is None,
        "problem": problem,
    }
    status = problem.status if problem else 200
    return render(request, "teacher/needs_when.html", context, status=status)


def list_lines_of(*, learner: Learner, classroom: Classroom, at: dt.datetime) -> list[needs.Line]:
    """Return why a learner needs their teacher now, for the learner's own page."""
    every = alerts.find_needs(classrooms=[classroom], at=at)[classroom.pk]
    return needs.list_lines([need for need in every if need.learner == learner], at=at)
