"""Help with the question that is shown: hints, smaller steps, a worked example, a preview."""

import contextlib
import uuid

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from tutor.common import clock
from tutor.content import preview as previews
from tutor.content.grading import UnreadableAnswer
from tutor.practice import selectors as practice_selectors
from tutor.practice import usecases
from tutor.practice.errors import AlreadyAnswered, NoMoreHints
from tutor.student import answers, practice_parts
from tutor.student.posting import form_only
from tutor.student.practice_parts import own_learner


@login_required
@form_only(else_to="student:answered")
def hint(request: HttpRequest, presentation: uuid.UUID) -> HttpResponse:
    """Open the next rung of the ladder; with HTMX only the ladder is drawn anew."""
    # Two clicks ask for the same rung: the page says which one it wants. A second device may have
    # been quicker, or the question answered meanwhile; then what there is is shown.
    with contextlib.suppress(NoMoreHints, AlreadyAnswered):
        usecases.open_rung(
            learner=own_learner(request),
            presentation=presentation,
            level=answers.read_level(request.POST.get("level", "")),
            at=clock.now(),
        )
    return _show_ladder(request, presentation)


@login_required
@form_only(else_to="student:answered")
def step(request: HttpRequest, presentation: uuid.UUID) -> HttpResponse:
    """Take an answer to one of the question's smaller steps."""
    problem = ""
    try:
        usecases.answer_step(
            learner=own_learner(request),
            presentation=presentation,
            client_key=answers.read_uuid(request.POST.get("client_key", "")),
            step=answers.read_level(request.POST.get("step", "")),
            answer={"text": request.POST.get("text", "")},
            at=clock.now(),
        )
    except UnreadableAnswer as error:
        problem = error.message
    return _show_ladder(request, presentation, problem=problem)


def _show_ladder(
    request: HttpRequest, presentation: uuid.UUID, *, problem: str = ""
) -> HttpResponse:
    learner = own_learner(request)
    shown = practice_selectors.get_presentation(learner=learner, public_id=presentation)
    extra = {"step_problem": problem, "step_given": request.POST.get("text", "")}
    if practice_parts.wants_part(request):
        return render(request, "student/hints.html", practice_parts.help_context(shown, **extra))
    session = practice_selectors.get_open_session(
        learner=learner, course_id=shown.decision.course_id
    )
    if session is None:
        return redirect("student:answered", presentation=presentation)
    if problem:
        context = practice_parts.item_context(session, shown, **extra)
        return practice_parts.draw(request, "practise", context, status=422)
    return redirect("student:practise", session=session.public_id)


@login_required
@never_cache
@require_GET
def preview(request: HttpRequest, presentation: uuid.UUID) -> HttpResponse:
    """Show how what is being typed will be read. Nothing is stored."""
    shown = practice_selectors.get_presentation(
        learner=own_learner(request), public_id=presentation
    )
    read = previews.preview(shown.item, request.GET.get("text", ""))
    return render(request, "student/preview.html", {"read": read})
