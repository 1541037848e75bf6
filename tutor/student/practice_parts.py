"""What the practice pages are drawn with: a whole page, or for HTMX the part that changes."""

import math
import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from tutor.accounts import selectors as account_selectors
from tutor.accounts.models import Learner
from tutor.common import clock
from tutor.common.errors import NotVisible
from tutor.content import selectors as content_selectors
from tutor.practice import feedback as feedbacks
from tutor.practice import remarks, timing
from tutor.practice import selectors as practice_selectors
from tutor.practice.models import ItemReport, PracticeSession
from tutor.practice.selectors import Presentation
from tutor.scheduling import reasons
from tutor.student import answers, summaries

# Ends of a session after which a teacher can do more than the tutor.
NEEDS_TEACHER = ("stuck", "blocked", "set-aside")


def own_learner(request: HttpRequest) -> Learner:
    """Return the learner that the person signed in is."""
    return account_selectors.get_own_learner(actor=request.user)


def own_session(learner: Learner, public_id: uuid.UUID) -> PracticeSession:
    """Return a session of the learner.

    Raises:
        NotVisible: they have none under this number.
    """
    session = practice_selectors.get_session(learner=learner, public_id=public_id)
    if session is None:
        raise NotVisible(_("There is no such session."), session=str(public_id))
    return session


def wants_part(request: HttpRequest) -> bool:
    """Test whether a page that is open asks for what changes in it."""
    htmx = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.history_restore_request


def draw(
    request: HttpRequest,
    part: str,
    context: dict[str, Any],
    *,
    status: int = 200,
    address: str = "",
) -> HttpResponse:
    """Return the page with this part in it, or the part alone for a page that is open.

    `address` is what the browser shows from then on; empty: the one that was asked for.
    """
    is_part = wants_part(request)
    name = f"student/{part}.html"
    context = {**context, "part": name, "is_part": is_part}
    template = name if is_part else "student/practice_page.html"
    response = render(request, template, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    if is_part and address:
        response.headers["HX-Push-Url"] = address
    return response


def lead(request: HttpRequest, name: str, **arguments: Any) -> HttpResponse:
    """Lead to a page that is not one of the practice page's parts."""
    if wants_part(request):
        return HttpResponseClientRedirect(reverse(name, kwargs=arguments))
    return redirect(name, **arguments)


def lead_on(request: HttpRequest, session: PracticeSession | None) -> HttpResponse:
    """Lead to what the session goes on with: a question, its end, or the start page."""
    if session is None:
        return lead(request, "student:home")
    if session.finished_at is None:
        return redirect("student:practise", session=session.public_id)
    name = "student:stuck" if session.finish_reason in NEEDS_TEACHER else "student:summary"
    return lead(request, name, session=session.public_id)


def item_context(session: PracticeSession, shown: Presentation, **extra: Any) -> dict[str, Any]:
    """Return what a question is drawn with."""
    bank = content_selectors.get_bank(course_id=session.course_id, revision=session.course.revision)
    number, planned = session.n_answered + 1, timing.get_planned_items(session=session)
    if session.planned_minutes is None:
        number = min(number, planned)
    return {
        "title": _("Question %(number)s") % {"number": number},
        "session": session,
        "course": session.course,
        "number": number,
        "planned": planned,
        **_time_of(session),
        "chip": reasons.chip(shown.decision),
        "reason": reasons.sentence(shown.decision, bank),
        "concepts": [bank.concept_names[bank.index_of_concept[pk]] for pk in shown.concept_ids],
        "skips_left": remarks.count_skips_left(session=session, at=clock.now()),
        "skip_key": uuid.uuid4(),
        "unlearnt_key": uuid.uuid4(),
        "pause_key": uuid.uuid4(),
        **input_context(shown),
        **help_context(shown),
        **report_context(),
        **extra,
    }


def _time_of(session: PracticeSession) -> dict[str, int]:
    """Return the whole minutes that are left and gone of a session planned in minutes."""
    left = timing.find_minutes_left(session=session, learner_id=session.learner_id, at=clock.now())
    if left is None:
        return {}
    whole = max(0, math.ceil(left))
    return {"minutes_left": whole, "minutes_gone": int(session.planned_minutes or 0) - whole}


def input_context(shown: Presentation) -> dict[str, Any]:
    """Return what the field for an answer is drawn with."""
    return {
        "shown": shown,
        "item": shown.item,
        "client_key": uuid.uuid4(),
        "keypad": answers.keypad(shown.item),
        "keys": answers.extra_keys(shown.item),
        "has_preview": shown.item.kind in ("expression", "number"),
    }


def help_context(shown: Presentation, **extra: Any) -> dict[str, Any]:
    """Return what the ladder of help is drawn with."""
    steps = list_steps(shown) if shown.has_steps_open else []
    return {
        "shown": shown,
        "item": shown.item,
        "course": shown.decision.course,
        "steps": steps,
        "all_steps_done": bool(steps) and all(step["is_done"] for step in steps),
        "example": practice_selectors.get_sibling(shown=shown) if shown.has_example_open else None,
        "step_key": uuid.uuid4(),
        **extra,
    }


def list_steps(shown: Presentation) -> list[dict[str, Any]]:
    """Return the item's steps up to the first that is not solved, with the answers to them."""
    given = remarks.list_step_answers(shown=shown)
    steps: list[dict[str, Any]] = []
    for number, step in enumerate(shown.item.steps, start=1):
        tries = given.get(number, [])
        is_done = any(row.is_correct for row in tries)
        last = tries[-1].answer.get("text", "") if tries else ""
        steps.append({"number": number, "item": step, "is_done": is_done, "last": last})
        if not is_done:
            break
    return steps


def report_context() -> dict[str, Any]:
    """Return what the form for problems with an item is drawn with."""
    return {"report_kinds": ItemReport.Kind.choices, "report_key": uuid.uuid4()}


def feedback_context(
    learner: Learner, shown: Presentation, session: PracticeSession | None, **extra: Any
) -> dict[str, Any]:
    """Return what the answers to a question are told with."""
    course = shown.decision.course
    following = practice_selectors.get_next_decision(
        learner=learner, follows=shown.decision.public_id
    )
    return {
        "title": _("Right") if shown.is_solved else _("Not yet"),
        "session": session,
        "course": course,
        "tries": [feedbacks.explain(shown, response) for response in shown.responses],
        "shifts": summaries.describe_shifts(
            following.shifts if following else {}, course=course, learner=learner
        ),
        **input_context(shown),
        **report_context(),
        **extra,
    }
