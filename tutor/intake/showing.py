"""What the page of an upload shows at each step."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tutor.classes import selectors as class_selectors
from tutor.common.errors import TutorError
from tutor.intake import mapping_form, selectors, wording
from tutor.intake.mapping_form import Answers
from tutor.intake.models import State, Upload
from tutor.responses.importing import kinds, mapping

_TEMPLATES = {
    State.LOOKING: "intake/working.html",
    State.MAPPING: "intake/mapping.html",
    State.PLANNING: "intake/working.html",
    State.PLANNED: "intake/plan.html",
    State.IMPORTING: "intake/working.html",
    State.IMPORTED: "intake/imported.html",
    State.DISCARDED: "intake/ended.html",
    State.EXPIRED: "intake/ended.html",
}


def render_upload(
    request: HttpRequest,
    upload: Upload,
    *,
    answers: Answers | None = None,
    problem: TutorError | None = None,
) -> HttpResponse:
    """Return the page of an upload; `answers` are what a person has filled in and not sent off."""
    state = State(upload.state)
    context: dict[str, Any] = {
        "upload": upload,
        "problem": problem.message if problem else upload.problem,
        "twin": selectors.find_twin(upload=upload) if upload.is_open else None,
        "deleted_at": upload.moved_at + dt.timedelta(days=settings.UPLOAD_KEEP_DAYS),
    }
    if upload.is_work:
        context |= progress_of(upload)
    elif state == State.MAPPING:
        context |= mapping_context(upload, answers)
    elif state == State.PLANNED:
        context |= _planned(upload)
    elif state == State.IMPORTED:
        context |= _imported(request, upload)
    status = problem.status if problem else 200
    return render(request, _TEMPLATES[state], context, status=status)


def mapping_context(upload: Upload, answers: Answers | None) -> dict[str, Any]:
    """Return what the form of the columns and its preview need."""
    stored = mapping.from_dict(upload.mapping or {})
    context: dict[str, Any] = {
        "formats": kinds.LABELS,
        "is_table": upload.is_table,
        "delimiters": wording.DELIMITERS,
        "encodings": wording.ENCODINGS,
        "written": {
            "delimiter": "tab" if stored.delimiter == "\t" else stored.delimiter,
            "encoding": stored.encoding,
        },
    }
    if not upload.is_table:
        return context
    header = upload.look["header"]
    filled = answers or mapping_form.from_mapping(stored, header=header)
    used = {column for chosen in filled.columns.values() for column in chosen}
    return {
        **context,
        "rows": mapping_form.rows_of(filled),
        "options": filled.options,
        "problems": filled.problems,
        "header": header,
        "keepable": [column for column in header if column not in used],
        "any_seldom": any(name in filled.columns for name in mapping_form.SELDOM),
        "choices": mapping_form.OPTIONS,
        "zones": mapping_form.time_zones(),
        "preview": mapping_form.preview_of(filled, header=header),
        "options_named": [
            (name, filled.problems.get(name, ""))
            for name in ("full_score", "separator", "time_format", "time_zone")
        ],
        "sample": upload.look["sample"],
        "missing": [wording.FIELDS[name][0] for name in filled.problems if name in wording.FIELDS],
        "is_first": answers is None,
    }


def progress_of(upload: Upload) -> dict[str, Any]:
    """Return how far the worker is, as numbers and as words."""
    # Nothing done yet says that it has begun, not how fast it is: a bar that only moves.
    is_counted = upload.total and upload.done
    percent = min(100, upload.done * 100 // upload.total) if is_counted else None
    waits = upload.claim is None
    if waits:
        words = "Waiting for a worker"
    elif upload.state == State.LOOKING:
        words = "Looking at the file"
    else:
        words = wording.STAGES.get(upload.stage, "Starting")
    # Said aloud in steps of ten, not at every change.
    spoken = words if percent is None else f"{words}: {percent // 10 * 10} %"
    can_cancel = upload.state != State.IMPORTING or upload.writing_at is None
    return {
        "percent": percent,
        "words": words,
        "spoken": spoken,
        "can_cancel": can_cancel,
        "stages": _stages_of(upload) if upload.state == State.IMPORTING else [],
    }


def _stages_of(upload: Upload) -> list[tuple[str, str]]:
    """Return (name, "past", "now" or "") of every stage of an import."""
    codes = list(wording.STAGES)
    now = codes.index(upload.stage) if upload.stage in codes else -1
    return [
        (wording.STAGES[code], "past" if place < now else "now" if place == now else "")
        for place, code in enumerate(codes)
    ]


def _imported(request: HttpRequest, upload: Upload) -> dict[str, Any]:
    classes = class_selectors.list_visible_classes(actor=request.user)
    return {
        "classes": classes.filter(course=upload.course_id),
        "accounts": selectors.list_accounts(organisation=upload.organisation),
        "known": max(0, upload.plan["answers"] - upload.rows_added),
    }


def _planned(upload: Upload) -> dict[str, Any]:
    plan = upload.plan
    return {
        "running": selectors.find_running(organisation=upload.organisation),
        "mean_percent": round(plan["mean_correct"] * 100),
        "new_answers": plan["answers"] - plan["answers_known"],
        "stages": list(wording.STAGES.values()),
        "seconds": selectors.estimate_seconds(answers=plan["answers"]),
    }
