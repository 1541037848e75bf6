"""The course plans of OATutor: which skills a course teaches, in the order of its lessons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tutor.content.importing import names
from tutor.content.importing.errors import ContentUnreadable
from tutor.content.importing.oatutor_files import PLANS
from tutor.content.importing.wording import language_code


@dataclass(frozen=True, slots=True)
class Plan:
    """One course.

    Attributes:
        skills: skill -> the lesson in which it comes first, in the order of the lessons.
        source, licence: as the plan states them, or "".
    """

    slug: str
    title: str
    language: str
    lessons: int
    skills: Mapping[str, str]
    source: str
    licence: str


def read_plans(data: object) -> tuple[Plan, ...]:
    """Return the courses.

    Raises:
        ContentUnreadable: the file has another shape.
    """
    if not isinstance(data, list):
        raise ContentUnreadable(f"{PLANS} is no list of courses.")
    plans: dict[str, Plan] = {}
    for number, course in enumerate(data, start=1):
        plan = _plan(course, f"{PLANS}, course {number}")
        if plan.slug in plans:
            raise ContentUnreadable(f"{PLANS} names the course {plan.title!r} twice.")
        plans[plan.slug] = plan
    if not plans:
        raise ContentUnreadable(f"{PLANS} names no course.")
    return tuple(plans.values())


def _plan(course: object, where: str) -> Plan:
    fields = _mapping(course, where)
    title = _text(fields.get("courseName"))
    if not title:
        raise ContentUnreadable(f"{where}: `courseName` is missing.")
    lessons = fields.get("lessons", [])
    if not isinstance(lessons, list):
        raise ContentUnreadable(f"{where}: `lessons` is no list.")
    skills: dict[str, str] = {}
    for number, lesson in enumerate(lessons, start=1):
        content = _mapping(lesson, f"{where}, lesson {number}")
        name = ": ".join(
            part for part in (_text(content.get("name")), _text(content.get("topics"))) if part
        )
        aims = content.get("learningObjectives") or {}
        for skill in _mapping(aims, f"{where}, lesson {number}, learningObjectives"):
            skills.setdefault(skill, name)
    return Plan(
        slug=names.course_slug(title),
        title=title[: names.LONGEST_NAME],
        language=language_code(_text(fields.get("language")) or "en"),
        lessons=len(lessons),
        skills=skills,
        source=_text(fields.get("courseOER")),
        licence=_text(fields.get("courseLicense")),
    )


def choose(plans: Sequence[Plan], wanted: Sequence[str]) -> tuple[Plan, ...]:
    """Return the wanted courses, by slug or by title; all without a wish.

    Raises:
        ContentUnreadable: one is not there; the message names those that are.
    """
    if not wanted:
        return tuple(plans)
    found: dict[str, Plan] = {}
    for wish in wanted:
        matches = [
            plan for plan in plans if wish.strip().casefold() in (plan.slug, plan.title.casefold())
        ]
        if not matches:
            known = ", ".join(plan.slug for plan in plans)
            raise ContentUnreadable(f"There is no course {wish!r}. There are: {known}.")
        found |= {plan.slug: plan for plan in matches}
    return tuple(found.values())


def _mapping(data: object, where: str) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise ContentUnreadable(f"{where} is no mapping of fields.")
    return data


def _text(value: object) -> str:
    """Return a text on one line; what a spreadsheet made of an empty cell is empty."""
    return " ".join(value.replace("\x00", "").split()) if isinstance(value, str) else ""
