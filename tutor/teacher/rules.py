"""Teachers' rules in words: what each says, for whom, and what it takes out."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import formats, timezone

from tutor.classes.models import Classroom
from tutor.content import selectors as content_selectors
from tutor.content.models import Concept
from tutor.content.selectors import CourseBank
from tutor.scheduling import conduct, feasibility, ruling
from tutor.scheduling.models import SteeringRule

Kind = SteeringRule.Kind
# What an item may need, in words.
NEEDS = {
    "sound": "sound",
    "picture": "a picture without a text that says the same",
    "drag": "dragging with a pointer",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A rule as the page shows it.

    Attributes:
        rule: the row.
        what, whom: in words.
        effect: what it takes out; "" where that is nothing that can be counted.
        problems: why it cannot be kept as the course is now.
    """

    rule: SteeringRule
    what: str
    whom: str
    effect: str = ""
    problems: tuple[str, ...] = ()


def list_lines(*, classroom: Classroom) -> list[Line]:
    """Return the class's rules in force, the oldest first."""
    course = classroom.course
    bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
    rules = conduct.list_rules(class_ids=[classroom.pk])
    problems = _find_problems(classroom, rules)
    names = _names(rules)
    return [
        Line(
            rule,
            what=describe(rule, names),
            whom=_whom(rule),
            effect=_effect(rule, bank),
            problems=tuple(problems.get(rule.pk, ())),
        )
        for rule in rules
    ]


def list_history(*, classroom: Classroom, most: int = 30) -> list[Line]:
    """Return what was set and taken back, newest first."""
    rows = list(
        SteeringRule.objects.filter(classroom=classroom)
        .select_related("set_by", "item", "concept", "assignment", "reverts")
        .prefetch_related("learners", "reverts__learners")
        .order_by("-pk")[:most]
    )
    names = _names(rows)
    return [
        Line(
            row,
            what=f"{'Taken back' if row.reverts_id else 'Set'}: {describe(row, names)}",
            whom=_whom(row.reverts or row),
        )
        for row in rows
    ]


ANOTHERS = "another class's rule"


def describe_all(*, rule_ids: Collection[int], classroom: Classroom) -> list[str]:
    """Return what these rules say to who teaches a class, in force or not.

    Of another class's rule only that there was one: what it says, and for whom, is its own
    teachers' business.
    """
    if not rule_ids:
        return []
    rows = list(
        SteeringRule.objects.filter(pk__in=rule_ids)
        .select_related("item", "concept")
        .order_by("pk")
    )
    names = _names(rows)
    return [describe(row, names) if row.classroom_id == classroom.pk else ANOTHERS for row in rows]


def accommodated_elsewhere(*, rule_ids: Collection[int], classroom: Classroom) -> bool:
    """Test whether an accommodation that another class has set is among these rules."""
    if not rule_ids:
        return False
    rows = SteeringRule.objects.filter(pk__in=rule_ids, kind__in=SteeringRule.ACCOMMODATIONS)
    return rows.exclude(classroom=classroom).exists()


def _names(rules: Collection[SteeringRule]) -> dict[int, str]:
    """Return the names of the concepts that orders list."""
    ids = {pk for rule in rules if rule.kind == Kind.ORDER for pk in rule.value}
    return dict(Concept.objects.filter(pk__in=ids).values_list("pk", "name"))


def describe_each(rows: Sequence[SteeringRule]) -> list[str]:
    """Return what each of some rules says, in words."""
    names = _names(rows)
    return [describe(row, names) for row in rows]


def describe(rule: SteeringRule, names: dict[int, str]) -> str:
    """Return what a rule says, in words."""
    value = rule.value
    target = f"the question “{rule.item.slug}”" if rule.item else ""
    if rule.concept:
        target = f"“{rule.concept.name}”"
    until = " until it is mastered" if rule.kind == Kind.PIN and rule.concept else ""
    words: dict[str, Any] = {
        Kind.PIN: lambda: f"First {target}{until}",
        Kind.BAN: lambda: f"Never {target}",
        Kind.QUOTA: lambda: f"At most {value} on {target}",
        Kind.ORDER: lambda: "In this order: " + ", ".join(names.get(pk, "–") for pk in value),
        Kind.EXAM: lambda: f"Exam on {_moment(value)}",
        Kind.MINUTES: lambda: f"{value} minutes a day until the date",
        Kind.LENGTH: lambda: f"At most {value} questions a sitting",
        Kind.TEST: lambda: "A test: nothing is drawn at random",
        Kind.BAR: lambda: f"No question that needs {' or '.join(NEEDS[name] for name in value)}",
        Kind.TIME: lambda: f"{value:g} times the usual time for a question",
        Kind.STEADY: lambda: "Nothing is drawn at random",
    }
    return str(words[rule.kind]())


def _moment(value: str) -> str:
    moment = timezone.localtime(dt.datetime.fromisoformat(value))
    return str(formats.date_format(moment, "j M Y, H:i"))


def _whom(rule: SteeringRule) -> str:
    learners = sorted(learner.label for learner in rule.learners.all())
    accommodates = rule.kind in SteeringRule.ACCOMMODATIONS
    nobody = "Everybody" if rule.for_everybody and not accommodates else "Nobody any more"
    whom = ", ".join(learners) or nobody
    return f"{whom}, in “{rule.assignment.title}”" if rule.assignment else whom


def _effect(rule: SteeringRule, bank: CourseBank) -> str:
    if rule.kind not in {Kind.BAN, Kind.BAR}:
        return ""
    left = feasibility.find_allowed([conduct.wish_of(rule)], bank=bank)
    whole, out = int(bank.operational.sum()), int((bank.operational & ~left).sum())
    return f"takes out {out} of {whole} question{'' if whole == 1 else 's'}"


def _find_problems(classroom: Classroom, rules: Sequence[SteeringRule]) -> dict[int, list[str]]:
    """Return rule -> what cannot be kept now: the course may have changed since it was set."""
    found: dict[int, list[str]] = {}
    for _, assignment, own in ruling.list_sets(classroom, conduct.list_wishes(rules)):
        for problem in ruling.find_problems(classroom, own, assignment):
            texts = found.setdefault(problem.rule, [])
            if problem.text not in texts:
                texts.append(problem.text)
    return found
