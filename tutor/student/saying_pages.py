"""What a learner may say instead of answering: new to me, skip, a problem, a call for help."""

import secrets
import uuid

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from tutor.accounts.models import Learner
from tutor.common import clock
from tutor.content import selectors as content_selectors
from tutor.practice import remarks, usecases
from tutor.practice import selectors as practice_selectors
from tutor.practice.errors import AlreadyAnswered, NoMoreSkips, NotWaiting
from tutor.practice.models import SetAside
from tutor.practice.selectors import Presentation
from tutor.scheduling import reasons
from tutor.student import answers, practice_parts
from tutor.student.posting import form_only
from tutor.student.practice_parts import draw, lead_on, own_learner, own_session


@login_required
@form_only(else_to="student:answered")
def unlearnt(request: HttpRequest, presentation: uuid.UUID) -> HttpResponse:
    """Note that this is new to the learner, and show one worked out."""
    if _put_off(request, presentation, SetAside.Kind.UNLEARNT) is None:
        return redirect("student:answered", presentation=presentation)
    return redirect("student:example", presentation=presentation)


@login_required
@form_only(else_to="student:answered")
def skip(request: HttpRequest, presentation: uuid.UUID) -> HttpResponse:
    """Skip the question and go on with another."""
    row = _put_off(request, presentation, SetAside.Kind.SKIP)
    if row is None:
        return redirect("student:answered", presentation=presentation)
    return lead_on(request, own_session(own_learner(request), row.session.public_id))


def _put_off(request: HttpRequest, presentation: uuid.UUID, kind: str) -> SetAside | None:
    """Put the question off; return how it is put off now, None where it is not."""
    wish = usecases.PutOff(
        presentation=presentation,
        client_key=answers.read_uuid(request.POST.get("client_key", "")),
        kind=kind,
        at=clock.now(),
        draw_seed=secrets.randbits(53),
    )
    try:
        return usecases.put_off(learner=own_learner(request), wish=wish)
    except (AlreadyAnswered, NotWaiting, NoMoreSkips):
        # Another tab or device was quicker: the page that follows shows how things stand.
        return None


@login_required
@never_cache
@require_GET
def example(request: HttpRequest, presentation: uuid.UUID) -> HttpResponse:
    """Show one worked out to a learner who has not learnt this yet."""
    learner = own_learner(request)
    shown = practice_selectors.get_presentation(learner=learner, public_id=presentation)
    put_off = remarks.get_set_aside(decision_id=shown.decision.pk)
    if put_off is None or put_off.kind != SetAside.Kind.UNLEARNT:
        return redirect("student:answered", presentation=presentation)
    session = own_session(learner, put_off.session.public_id)
    context = {
        "title": _("New to you"),
        "session": session,
        "shown": shown,
        "course": shown.decision.course,
        "example": practice_selectors.get_sibling(shown=shown),
        "concept": _concept_name(shown),
    }
    return draw(request, "example", context)


def _concept_name(shown: Presentation) -> str:
    course = shown.decision.course
    bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
    index = bank.index_of_concept.get(practice_selectors.main_concept_of(shown.decision))
    return "" if index is None else bank.concept_names[index]


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def report(request: HttpRequest, presentation: uuid.UUID) -> HttpResponse:
    """Take a report of a problem with a question, and thank for it."""
    learner = own_learner(request)
    shown = practice_selectors.get_presentation(learner=learner, public_id=presentation)
    if request.method == "POST":
        usecases.report_item(
            learner=learner,
            presentation=presentation,
            client_key=answers.read_uuid(request.POST.get("client_key", "")),
            kind=request.POST.get("kind", ""),
            text=request.POST.get("text", ""),
            at=clock.now(),
        )
        return _said(reverse("student:report", args=[presentation]))
    context = {
        "title": _("Report a problem"),
        "shown": shown,
        "item": shown.item,
        "course": shown.decision.course,
        "session": _session_of(learner, shown),
        "is_reported": "said" in request.GET,
        **practice_parts.report_context(),
    }
    if practice_parts.wants_part(request):
        return render(request, "student/report.html", context)
    return draw(request, "report_page", context)


def _said(address: str) -> HttpResponse:
    """Lead back to the page, which thanks then; reloading it sends nothing again."""
    return redirect(f"{address}?said=yes")


def _session_of(learner: Learner, shown: Presentation) -> object:
    return practice_selectors.get_open_or_last_session(
        learner=learner, course_id=shown.decision.course_id
    )


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def stuck(request: HttpRequest, session: uuid.UUID) -> HttpResponse:
    """Be kind to a learner who is stuck, and take a note to their teacher."""
    learner = own_learner(request)
    found = own_session(learner, session)
    if request.method == "POST":
        usecases.write_note(
            learner=learner,
            session=found,
            client_key=answers.read_uuid(request.POST.get("client_key", "")),
            text=request.POST.get("text", ""),
            at=clock.now(),
        )
        return _said(reverse("student:stuck", args=[session]))
    context = {
        "title": _("Ask for help"),
        "session": found,
        "is_over": found.finished_at is not None,
        "reason": reasons.FINISHES.get(found.finish_reason, ""),
        "is_sent": "said" in request.GET,
        "client_key": uuid.uuid4(),
    }
    return draw(request, "stuck", context)
