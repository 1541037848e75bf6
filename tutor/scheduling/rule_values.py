"""What a teacher asks for, checked field by field before a rule is made of it."""

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from tutor.accounts.models import Learner
from tutor.classes import selectors as class_selectors
from tutor.classes.models import Assignment, Classroom
from tutor.content.item_spec import NEEDS
from tutor.content.models import Concept, Item
from tutor.scheduling.errors import InvalidRule
from tutor.scheduling.models import SteeringRule

Kind = SteeringRule.Kind
RANGES: dict[str, tuple[int, int]] = {
    Kind.QUOTA: (1, 1000),
    Kind.MINUTES: (1, 600),
    Kind.LENGTH: (1, 200),
}
LONGEST_FACTOR = 4.0


@dataclass(frozen=True, slots=True)
class Order:
    """What a teacher asks for; which fields count depends on the kind.

    Attributes:
        kind: as in `SteeringRule.Kind`.
        item, concept: pin and ban want one of them, quota a concept.
        value: quota, minutes, length: a whole number; order: ids of concepts; exam: a date and
            time with its zone; bar: names of `NEEDS`; time: the factor.
        assignment: only while it is worked on.
        learners: only these; empty: everybody in the class.
        reason: for the record.
    """

    kind: str
    item: Item | None = None
    concept: Concept | None = None
    value: Any = None
    assignment: Assignment | None = None
    learners: Collection[Learner] = field(default=())
    reason: str = ""


def check(order: Order, *, classroom: Classroom, at: dt.datetime) -> Any:
    """Return the value as it is stored.

    Raises:
        InvalidRule: a field is missing, wrong, or of another course or class.
    """
    _check_kind(order)
    _check_scope(order, classroom)
    if order.kind in RANGES:
        return _number(order)
    checks: dict[str, Callable[[], Any]] = {
        Kind.ORDER: lambda: _concepts_in_order(order.value, classroom),
        Kind.EXAM: lambda: _date(order.value, at),
        Kind.BAR: lambda: _needs(order.value),
        Kind.TIME: lambda: _factor(order.value),
    }
    return checks.get(order.kind, lambda: None)()


def _check_kind(order: Order) -> None:
    """Test that what the kind is about is there."""
    kind = order.kind
    if kind not in Kind.values:
        raise InvalidRule(f"There is no rule {kind!r}.", field="kind")
    if kind in {Kind.PIN, Kind.BAN} and (order.item is None) == (order.concept is None):
        raise InvalidRule("Choose a topic, or name one question of the course.", field="concept")
    if kind == Kind.QUOTA and order.concept is None:
        raise InvalidRule("Choose the topic that is to have at most so many.", field="concept")
    if kind in SteeringRule.ACCOMMODATIONS and not order.learners:
        raise InvalidRule("Choose the learners that this is for.", field="learners")
    if kind == Kind.TEST and order.assignment is None:
        raise InvalidRule("Choose the assignment that is a test.", field="assignment")


def _check_scope(order: Order, classroom: Classroom) -> None:
    """Test that everything named belongs to the class and its course."""
    for target in (order.item, order.concept):
        if target is not None and target.course_id != classroom.course_id:
            raise InvalidRule("That is of another course.", field="concept")
    if order.assignment is not None and order.assignment.classroom_id != classroom.pk:
        raise InvalidRule("That is an assignment of another class.", field="assignment")
    ids = {learner.pk for learner in order.learners}
    members = class_selectors.list_learners_of(classroom=classroom).filter(pk__in=ids)
    if members.count() < len(ids):
        raise InvalidRule("Somebody chosen is not in this class.", field="learners")


def _number(order: Order) -> int:
    low, high = RANGES[order.kind]
    if not isinstance(order.value, int) or not low <= order.value <= high:
        raise InvalidRule(f"Give a whole number from {low} to {high}.", field="value")
    return order.value


def _concepts_in_order(value: Any, classroom: Classroom) -> list[int]:
    ids = [pk for pk in value or () if isinstance(pk, int)]
    known = Concept.objects.filter(course=classroom.course_id, pk__in=ids).count()
    if len(ids) < 2 or known != len(ids):
        raise InvalidRule("Number at least two topics, each once.", field="value")
    return ids


def _date(value: Any, at: dt.datetime) -> str:
    if not isinstance(value, dt.datetime) or value <= at:
        raise InvalidRule("Give a date and time that is still to come.", field="value")
    return value.isoformat()


def _needs(value: Any) -> list[str]:
    if not value or not set(value) <= set(NEEDS):
        raise InvalidRule(f"Choose from {', '.join(NEEDS)}.", field="value")
    return [name for name in NEEDS if name in value]


def _factor(value: Any) -> float:
    if not isinstance(value, int | float) or not 1.0 < value <= LONGEST_FACTOR:
        raise InvalidRule(
            f"Give a factor above 1, at most {LONGEST_FACTOR:g}: 1.5 is half as long again.",
            field="value",
        )
    return float(value)
