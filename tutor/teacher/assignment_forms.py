"""The form by which a teacher sets an assignment, or changes one."""

import datetime as dt
from typing import Any

from django.db import transaction
from django.http import QueryDict

from tutor.accounts import services as account_services
from tutor.accounts.models import User
from tutor.classes.models import Assignment, Classroom
from tutor.classes.overriding import LAST_YEAR
from tutor.content.models import Concept
from tutor.scheduling import assigning
from tutor.scheduling.errors import InvalidRule
from tutor.teacher import rule_forms

MOST_ITEMS = 200


@transaction.atomic
def save(form: QueryDict, *, classroom: Classroom, actor: User, at: dt.datetime) -> Assignment:
    """Store what a form says: a new assignment, or changes of the one that it names.

    A new one with the title and dates of one that there is already is that one, sent twice.

    Raises:
        InvalidRule: a field is missing or cannot be read.
        DatesReversed, InfeasibleAssignment: as `assigning` has it; nothing is stored.
    """
    # Two clicks wait for each other.
    Classroom.objects.select_for_update().get(pk=classroom.pk)
    known = rule_forms.read_assignment(form, classroom)
    fields = _read(form, classroom)
    if known is None:
        same = {name: fields[name] for name in ("title", "opens_at", "due_at")}
        stored = Assignment.objects.filter(classroom=classroom, **same).first()
        if stored is not None:
            return stored
        found = assigning.create_assignment(classroom=classroom, at=at, **fields)
        action, before = "assignment.created", {}
    else:
        known.classroom = classroom
        before = _facts(known)
        found = assigning.change_assignment(assignment=known, at=at, **fields)
        action = "assignment.changed"
    account_services.record_audit(
        at=at,
        action=action,
        organisation=classroom.organisation,
        actor=actor,
        subject=f"class {classroom.public_id}",
        facts={"assignment": str(found.public_id), "before": before, "after": _facts(found)},
    )
    return found


def _read(form: QueryDict, classroom: Classroom) -> dict[str, Any]:
    title = form.get("title", "").replace("\x00", "").strip()
    if not title or len(title) > 200:
        raise InvalidRule("Give a title of at most 200 characters.", field="title")
    items = form.get("items", "").strip()
    if not items.isdecimal() or len(items) > 3 or not 1 <= int(items) <= MOST_ITEMS:
        raise InvalidRule(f"Give from 1 to {MOST_ITEMS} questions a sitting.", field="items")
    opens_at = _moment(form, "opens")
    if opens_at is None:
        raise InvalidRule("Give the date and time when it opens.", field="opens")
    wanted = set(form.getlist("concept"))
    rows = Concept.objects.filter(course=classroom.course_id).order_by("position", "pk")
    concepts = [row for row in rows if row.slug in wanted]
    if len(concepts) < len(wanted):
        raise InvalidRule("A topic chosen is not of this course.", field="concept")
    return {
        "title": title,
        "opens_at": opens_at,
        "due_at": _moment(form, "due"),
        "items_per_session": int(items),
        "concepts": concepts,
    }


def _moment(form: QueryDict, name: str) -> dt.datetime | None:
    if not form.get(name, "").strip():
        return None
    found = rule_forms.read_moment(form, name)
    if found is None or not 1970 <= found.year <= LAST_YEAR:
        raise InvalidRule("Write a date and time as 2026-06-30T18:00.", field=name)
    return found


def _facts(row: Assignment) -> dict[str, object]:
    return {
        "title": row.title,
        "opens_at": row.opens_at.isoformat(),
        "due_at": row.due_at.isoformat() if row.due_at else None,
        "items_per_session": row.items_per_session,
        "concepts": list(row.concepts.order_by("position").values_list("slug", flat=True)),
    }
