"""Files for teachers. What is filtered on the page is filtered in the file."""

import datetime as dt
import uuid

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from tutor.accounts import services as account_services
from tutor.classes import selectors as class_selectors
from tutor.classes.models import Classroom
from tutor.common import clock
from tutor.practice import progress_lines
from tutor.teacher import exports, filters, overview, sheets
from tutor.teacher.errors import ExportUnknown

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@login_required
@never_cache
@require_GET
def export_csv(request: HttpRequest, class_id: uuid.UUID, table: str) -> HttpResponse:
    """Give one table of the class as CSV."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    if table not in exports.TABLES:
        known = ", ".join(exports.TABLES)
        raise ExportUnknown(f"There is no such table. Known: {known}.", table=table[:80])
    at = clock.now()
    chosen = filters.read(request.GET, classroom=found, at=at)
    grid = overview.make_grid(classroom=found, at=at, filters=chosen)
    content = sheets.write_csv(exports.TABLES[table](exports.Source(found, grid)))
    _note(request, found, what=table, at=at)
    return _file(content, f"{found.name} {table}", "csv", at)


@login_required
@never_cache
@require_GET
def export_xlsx(request: HttpRequest, class_id: uuid.UUID) -> HttpResponse:
    """Give all tables of the class as one workbook."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    at = clock.now()
    chosen = filters.read(request.GET, classroom=found, at=at)
    grid = overview.make_grid(classroom=found, at=at, filters=chosen)
    source = exports.Source(found, grid)
    content = sheets.write_xlsx([make(source) for make in exports.TABLES.values()])
    _note(request, found, what="workbook", at=at)
    return _file(content, found.name, "xlsx", at)


@login_required
@never_cache
@require_GET
def export_learner(request: HttpRequest, class_id: uuid.UUID, pseudonym: uuid.UUID) -> HttpResponse:
    """Give one learner's concepts as CSV."""
    found = class_selectors.access_class(actor=request.user, public_id=class_id)
    person = class_selectors.access_learner_of(classroom=found, pseudonym=pseudonym)
    at = clock.now()
    lines = progress_lines.list_lines(
        learner=person, course=found.course, at=at, with_untouched=True
    )
    content = sheets.write_csv(exports.learner_table(tuple(lines)))
    _note(request, found, what=f"learner {person.pseudonym}", at=at)
    return _file(content, person.label, "csv", at)


def _note(request: HttpRequest, classroom: Classroom, *, what: str, at: dt.datetime) -> None:
    """Keep who took what out of the tutor."""
    account_services.record_audit(
        at=at,
        action="class.export",
        organisation=classroom.organisation,
        actor=request.user,  # type: ignore[arg-type]
        subject=str(classroom.public_id),
        facts={"what": what, "query": request.GET.urlencode()[:500]},
    )


def _file(content: bytes, name: str, suffix: str, at: dt.datetime) -> HttpResponse:
    kind = XLSX if suffix == "xlsx" else "text/csv; charset=utf-8"
    stem = slugify(f"{name} {timezone.localdate(at).isoformat()}") or "class"
    disposition = f'attachment; filename="{stem}.{suffix}"'
    return HttpResponse(content, kind, headers={"Content-Disposition": disposition})
