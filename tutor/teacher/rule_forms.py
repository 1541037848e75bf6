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
        Kind.EXAM: lambda: read_moment(form),
        Kind.BAR: lambda: form.getlist("needs"),
        Kind.TIME: lambda: read_factor(form),
    }
    return Order(
        kind=kind,
        item=_item(form, classroom),
        concept=read_concept(form, classroom),
        value=readers.get(kind, lambda: None)(),
        assignment=read_assignment(form, classroom),
        learners=read_learners(form, classroom),
        reason=clean(form.get("reason", ""))[:MOST_REASON],
    )


def clean(text: str) -> str:
    """Return a text as it can be looked up."""
    # PostgreSQL does not even compare with NUL.
    return text.replace("\x00", "\ufffd").strip()


def _item(form: QueryDict, classroom: Classroom) -> Item | None:
    slug = clean(form.get("question", ""))
    if not slug:
        return None
    found = Item.objects.filter(course=classroom.course_id, slug=slug).first()
    if found is None:
        raise InvalidRule(f"The course has no question “{slug}”.", field="question")
    return found


def read_concept(form: QueryDict, classroom: Classroom) -> Concept | None:
    """Return the topic that a form names; None for none.

    Raises:
        InvalidRule: the course has no such topic.
    """
    slug = clean(form.get("topic", ""))
    if not slug:
        return None
    found = Concept.objects.filter(course=classroom.course_id, slug=slug).first()
    if found is None:
        raise InvalidRule(f"The course has no topic “{slug}”.", field="topic")
    return found


def read_assignment(form: QueryDict, classroom: Classroom) -> Assignment | None:
    """Return the assignment that a form names; None for none.

    Raises:
        InvalidRule: the class has no such assignment.
    """
    chosen = form.get("assignment", "")
    if not chosen:
        return None
    rows = Assignment.objects.filter(classroom=classroom)
    found = next((row for row in rows if str(row.public_id) == chosen), None)
    if found is None:
        raise InvalidRule("The class has no such assignment.", field="assignment")
    return found


def read_learners(form: QueryDict, classroom: Classroom) -> list[Learner]:
    """Return the learners that are ticked.

    Raises:
        InvalidRule: one is not in the class.
    """
    wanted = set(form.getlist("learner"))
    rows = class_selectors.list_learners_of(classroom=classroom) if wanted else ()
    found = [row for row in rows if str(row.pseudonym) in wanted]
    if len(found) < len(wanted):
        raise InvalidRule("Somebody chosen is not in this class.", field="learner")
    return found


def _whole_number(form: QueryDict) -> int | None:
    text = form.get("number", "").strip()
    return int(text) if text.isdecimal() and len(text) < 10 else None


def read_factor(form: QueryDict) -> float | None:
    """Return how many times the usual time is given; None where that cannot be read."""
    try:
        return float(form.get("factor", "").strip().replace(",", "."))
    except ValueError:
        return None


def read_moment(form: QueryDict, name: str = "date") -> dt.datetime | None:
    """Return a date and time, where it stands of the place that the tutor is at; None if unread."""
    try:
        moment = dt.datetime.fromisoformat(form.get(name, "").strip())
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
