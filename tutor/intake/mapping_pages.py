"""Naming the columns: a form with a preview, and the mapping as a file."""

import json
import uuid
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_POST

from tutor.accounts.models import User
from tutor.common import clock
from tutor.common.errors import NotVisible, TutorError
from tutor.intake import mapping_form, selectors, services, showing, storage
from tutor.intake.errors import FileRefused
from tutor.intake.models import State
from tutor.intake.pages import for_administrators
from tutor.responses.importing import kinds, mapping
from tutor.responses.importing.mapping import ColumnMapping


@for_administrators
@require_POST
def name_columns(request: HttpRequest, upload: uuid.UUID) -> HttpResponse:
    """Show what the answers mean, or have the plan made with them."""
    found = selectors.access_upload(actor=request.user, public_id=upload)
    if found.state != State.MAPPING:
        return redirect("intake:upload", found.public_id)
    answers = None
    if found.is_table:
        answers = mapping_form.from_post(
            request.POST,
            header=found.look["header"],
            base=mapping.from_dict(found.mapping or {}),
        )
    if request.htmx:
        context = showing.mapping_context(found, answers)
        return render(request, "intake/preview_changed.html", {**context, "upload": found})
    is_ready = answers is None or answers.mapping is not None
    if request.POST.get("do") != "plan" or not is_ready:
        return showing.render_upload(request, found, answers=answers)
    chosen = answers.mapping if answers else None
    try:
        services.plan(upload=found, actor=cast(User, request.user), mapping=chosen, at=clock.now())
    except TutorError as problem:
        found.refresh_from_db()
        return showing.render_upload(request, found, problem=problem)
    return redirect("intake:upload", found.public_id)


@for_administrators
@require_POST
def read_again(request: HttpRequest, upload: uuid.UUID) -> HttpResponse:
    """Have the file looked at as another format, or as text written in another way."""
    found = selectors.access_upload(actor=request.user, public_id=upload)
    try:
        kind = request.POST.get("format", "auto")
        if kind not in kinds.LABELS:
            raise FileRefused("There is no such format. Choose one of the list.")
        services.look_again(
            upload=found,
            kind=kind,
            mapping=_written_as(request) if kind in {kinds.AUTO, *kinds.MAPPED} else None,
            at=clock.now(),
        )
    except TutorError as problem:
        found.refresh_from_db()
        return showing.render_upload(request, found, problem=problem)
    return redirect("intake:upload", found.public_id)


def _written_as(request: HttpRequest) -> ColumnMapping | None:
    """Return a mapping that says only how the text is written; None to find that out too."""
    delimiter = request.POST.get("delimiter", "")
    encoding = request.POST.get("encoding", "").strip()
    if not delimiter and not encoding:
        return None
    delimiter = "\t" if delimiter == "tab" else delimiter
    return ColumnMapping(delimiter=delimiter, encoding=encoding or "utf-8")


@for_administrators
@require_GET
def mapping_file(request: HttpRequest, upload: uuid.UUID) -> HttpResponse:
    """Send the mapping as JSON, as the command takes it."""
    found = selectors.access_upload(actor=request.user, public_id=upload)
    if found.mapping is None:
        raise NotVisible("This upload has no mapping: its format says what the columns mean.")
    text = json.dumps(found.mapping, indent=2, ensure_ascii=False)
    response = HttpResponse(f"{text}\n", content_type="application/json; charset=utf-8")
    stem = found.file_name.removesuffix(storage.ending_of(found.file_name))
    response.headers["Content-Disposition"] = content_disposition_header(
        as_attachment=True, filename=f"{stem}.mapping.json"
    )
    return response
