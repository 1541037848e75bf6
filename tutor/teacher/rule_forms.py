"""The forms of the teacher's page of rules, read into what the service takes."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.http import QueryDict
from django.utils import timezone

from tutor.accounts.models import Learner
from tutor.classes import selectors as class_selectors
from tutor.classes.models import Assignment, Classroom
from tutor.content.models import Concept, Item
from tutor.scheduling.errors import InvalidRule
from tutor.scheduling.models import SteeringRule
from tutor.scheduling.rule_values import Order

Kind = SteeringRule.Kind
MOST_REASON = 200


def read_order(form: QueryDict, *, classroom: Classroom) -> Order:
    """Return what a form asks for; what it names is looked up in the class and its course.

    Raises:
        InvalidRule: something named is not there, or a number or date cannot be read.
    """
    kind = form.get("kind", "")
    readers: dict[str, Callable[[], Any]] = {
        Kind.QUOTA: lambda: _whole_number(form),
        Kind.MINUTES: lambda: _whole_number(form),
        Kind.LENGTH: lambda: _whole_number(form),
        Kind.ORDER: lambda: _places(form, classroom),
        Kind.EXAM: lambda: _moment(form),
        Kind.BAR: lambda: form.getlist("needs"),
        Kind.TIME: lambda: _factor(form),
    }
    return Order(
        kind=kind,
        item=_item(form, classroom),
        concept=_concept(form, classroom),
        value=readers.get(kind, lambda: None)(),
        assignment=_assignment(form, classroom),
        learners=_learners(form, classroom),
        reason=_clean(form.get("reason", ""))[:MOST_REASON],
    )


def _clean(text: str) -> str:
    # PostgreSQL does not even compare with NUL.
    return text.replace("\x00", "\ufffd").strip()


def _item(form: QueryDict, classroom: Classroom) -> Item | None:
    slug = _clean(form.get("question", ""))
    if not slug:
        return None
    found = Item.objects.filter(course=classroom.course_id, slug=slug).first()
    if found is None:
        raise InvalidRule(f"The course has no question “{slug}”.", field="question")
    return found


def _concept(form: QueryDict, classroom: Classroom) -> Concept | None:
    slug = _clean(form.get("topic", ""))
    if not slug:
        return None
    found = Concept.objects.filter(course=classroom.course_id, slug=slug).first()
    if found is None:
        raise InvalidRule(f"The course has no topic “{slug}”.", field="topic")
    return found


def _assignment(form: QueryDict, classroom: Classroom) -> Assignment | None:
    chosen = form.get("assignment", "")
    if not chosen:
        return None
    rows = Assignment.objects.filter(classroom=classroom)
    found = next((row for row in rows if str(row.public_id) == chosen), None)
    if found is None:
        raise InvalidRule("The class has no such assignment.", field="assignment")
    return found


def _learners(form: QueryDict, classroom: Classroom) -> list[Learner]:
    wanted = set(form.getlist("learner"))
    rows = class_selectors.list_learners_of(classroom=classroom) if wanted else ()
    found = [row for row in rows if str(row.pseudonym) in wanted]
    if len(found) < len(wanted):
        raise InvalidRule("Somebody chosen is not in this class.", field="learner")
    return found


def _whole_number(form: QueryDict) -> int | None:
    text = form.get("number", "").strip()
    return int(text) if text.isdecimal() and len(text) < 10 else None


def _factor(form: QueryDict) -> float | None:
    try:
        return float(form.get("factor", "").strip().replace(",", "."))
    except ValueError:
        return None


def _moment(form: QueryDict) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(form.get("date", "").strip())
    except ValueError:
        return None
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)


def _places(form: QueryDict, classroom: Classroom) -> list[int]:
    """Return the concepts that were given a number, by it; of equal ones the course's order."""
    found = []
    for concept in Concept.objects.filter(course=classroom.course_id).order_by("position"):
        text = form.get(f"place-{concept.slug}", "").strip()
        if text:
            if not text.isdecimal() or len(text) > 6:
                raise InvalidRule(f"{text!r} is no place in an order.", field="place")
            found.append((int(text), concept.position, concept.pk))
    return [pk for _, _, pk in sorted(found)]
