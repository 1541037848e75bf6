"""How a class's grades are made: which rule holds, and setting another one."""

from collections.abc import Collection, Sequence

from django.db import transaction
from django.db.models import Max

from tutor.accounts import services as account_services
from tutor.classes.errors import OverrideUnusable
from tutor.classes.models import Classroom, GradeRule
from tutor.classes.overriding import By, clean_reason

Kind = GradeRule.Kind
MOST_ANSWERS = 1000


def read(*, class_ids: Collection[int]) -> dict[int, GradeRule]:
    """Return class id -> the rule that holds, of the classes that have grades; two queries."""
    rows = GradeRule.objects.filter(classroom__in=class_ids).order_by()
    newest = rows.values("classroom").annotate(newest=Max("pk")).values("newest")
    found = GradeRule.objects.filter(pk__in=newest).exclude(kind=Kind.NONE)
    return {row.classroom_id: row for row in found}


def list_history(*, classroom: Classroom, most: int = 30) -> Sequence[GradeRule]:
    """Return the rules that a class has had, newest first."""
    rows = GradeRule.objects.filter(classroom=classroom).select_related("set_by")
    return list(rows.order_by("-pk")[:most])


@transaction.atomic
def set_rule(*, classroom: Classroom, kind: str, number: int | None, by: By) -> GradeRule:
    """Let a class's grades be made so from now on, those of earlier assignments too.

    What holds already is found and not stored again.

    Raises:
        OverrideUnusable: there is no such rule, or its number of answers is out of range.
    """
    Classroom.objects.select_for_update().get(pk=classroom.pk)
    if kind not in Kind.values:
        raise OverrideUnusable("There is no such rule for grades.", field="kind")
    if kind == Kind.ANSWERS and (number is None or not 1 <= number <= MOST_ANSWERS):
        message = f"Give how many answers make the full grade, from 1 to {MOST_ANSWERS}."
        raise OverrideUnusable(message, field="number")
    asked = number if kind == Kind.ANSWERS else None
    current = GradeRule.objects.filter(classroom=classroom).order_by("-pk").first()
    if current is not None and (current.kind, current.number) == (kind, asked):
        return current
    row = GradeRule.objects.create(
        classroom=classroom,
        kind=kind,
        number=asked,
        at=by.at,
        set_by=by.actor,
        reason=clean_reason(by.reason),
    )
    account_services.record_audit(
        at=by.at,
        action="grades.rule",
        organisation=classroom.organisation,
        actor=by.actor,
        subject=f"class {classroom.public_id}",
        facts={"rule": row.pk, "kind": kind},
    )
    return row
