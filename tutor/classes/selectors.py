"""Reads of classes; every class is reached through the person who asks."""

import datetime as dt
import uuid
from collections.abc import Collection, Sequence

from django.contrib.auth.models import AnonymousUser
from django.db.models import F, QuerySet
from django.utils.translation import gettext

from tutor.accounts.models import Learner, User
from tutor.classes.models import (
    Assignment,
    AwardRule,
    Classroom,
    Enrolment,
    LearnerNote,
    Teaching,
    WeeklyGoal,
)
from tutor.common.cache import new_cache
from tutor.common.errors import NotVisible
from tutor.common.prepared import Prepared, slot
from tutor.content.models import Course


def list_visible_classes(*, actor: User | AnonymousUser) -> QuerySet[Classroom]:
    """Return the classes that `actor` teaches or administers."""
    if not isinstance(actor, User) or not actor.is_active or actor.organisation_id is None:
        return Classroom.objects.none()
    rows = Classroom.objects.select_related("course").filter(organisation=actor.organisation_id)
    if actor.role == User.Role.ADMINISTRATOR:
        return rows.order_by("name")
    if actor.role == User.Role.TEACHER:
        return rows.filter(teachers=actor).order_by("name")
    return Classroom.objects.none()


def access_class(*, actor: User | AnonymousUser, public_id: uuid.UUID) -> Classroom:
    """Return the class, if `actor` teaches or administers it.

    Raises:
        NotVisible: there is no such class, or not for this person.
    """
    found = list_visible_classes(actor=actor).filter(public_id=public_id).first()
    if found is None:
        raise NotVisible("There is no such class.", class_id=str(public_id))
    return found


def list_assignments_of(*, learner: Learner, at: dt.datetime) -> QuerySet[Assignment]:
    """Return the assignments of the learner's classes that have opened, the nearest due first."""
    return (
        Assignment.objects.filter(classroom__learners=learner, opens_at__lte=at)
        .select_related("classroom__course")
        .order_by(F("due_at").asc(nulls_last=True), "opens_at", "pk")
    )


def access_assignment_of(*, learner: Learner, public_id: uuid.UUID, at: dt.datetime) -> Assignment:
    """Return an assignment of the learner that has opened.

    Raises:
        NotVisible: there is none such for this learner, or it has not opened yet.
    """
    found = list_assignments_of(learner=learner, at=at).filter(public_id=public_id).first()
    if found is None:
        raise NotVisible(gettext("There is no such assignment."), assignment_id=str(public_id))
    return found


def list_learners_of(*, classroom: Classroom) -> QuerySet[Learner]:
    """Return the learners of a class by name."""
    return (
        Learner.objects.filter(enrolments__classroom=classroom)
        .select_related("user")
        .order_by("user__first_name", "user__last_name", "pk")
    )


def list_classes_with_learners(*, course: Course) -> list[tuple[Classroom, list[int]]]:
    """Return a course's classes, the oldest first, each with the ids of its learners."""
    rows = Enrolment.objects.filter(classroom__course=course)
    members: dict[int, list[int]] = {}
    for class_id, learner_id in rows.values_list("classroom", "learner"):
        members.setdefault(class_id, []).append(learner_id)
    classes = Classroom.objects.filter(course=course).order_by("pk")
    return [(found, members.get(found.pk, [])) for found in classes]


def access_learner_of(*, classroom: Classroom, pseudonym: uuid.UUID) -> Learner:
    """Return a learner of the class; whoever asks has been let into the class before.

    Raises:
        NotVisible: the class has no such learner.
    """
    found = list_learners_of(classroom=classroom).filter(pseudonym=pseudonym).first()
    if found is None:
        raise NotVisible("There is no such learner in this class.", learner=str(pseudonym))
    return found


def does_teach(*, actor: User | AnonymousUser, classroom: Classroom) -> bool:
    """Test whether a person is one of the class's teachers; an administrator need not be."""
    if not isinstance(actor, User) or not actor.is_active:
        return False
    return Teaching.objects.filter(classroom=classroom, teacher=actor).exists()


def list_notes_about(
    *, actor: User | AnonymousUser, classroom: Classroom, learner: Learner, most: int = 50
) -> list[LearnerNote] | None:
    """Return what the class's teachers wrote about a learner, newest first.

    None for whoever does not teach the class: they are not told whether there is anything.
    """
    if not does_teach(actor=actor, classroom=classroom):
        return None
    rows = LearnerNote.objects.filter(classroom=classroom, learner=learner)
    return list(rows.select_related("author").order_by("-pk")[:most])


# Where a class has said nothing: where the band "mastered" begins.
DEFAULT_AWARD_PERCENT = 70
# What a learner is shown who has set no goal.
DEFAULT_GOAL_DAYS = 3

Rules = dict[int, tuple[tuple[dt.datetime, int], ...]]
_rules = new_cache(capacity=64)


def get_award_rules(*, course_id: int, revision: int) -> Rules:
    """Return class id -> its award rules as (from when, percent), the first one first.

    Every class of the course is in it; a new rule raises the course's revision.
    """
    return _rules.get((course_id, revision), lambda: _read_rules(course_id))


def _read_rules(course_id: int) -> Rules:
    classes = Classroom.objects.filter(course=course_id).values_list("pk", flat=True)
    found: dict[int, list[tuple[dt.datetime, int]]] = {pk: [] for pk in classes}
    rows = AwardRule.objects.filter(classroom__course=course_id).order_by("pk")
    for classroom, at, percent in rows.values_list("classroom", "at", "percent"):
        found.setdefault(classroom, []).append((at, percent))
    return {pk: tuple(rules) for pk, rules in found.items()}


def get_award_percents(*, course_id: int, revision: int) -> tuple[int, ...]:
    """Return the percentages that classes of the course award by now, ascending."""
    rules = get_award_rules(course_id=course_id, revision=revision).values()
    newest = {own[-1][1] if own else DEFAULT_AWARD_PERCENT for own in rules}
    return tuple(sorted(newest or {DEFAULT_AWARD_PERCENT}))


def find_percent_at(rules: Sequence[tuple[dt.datetime, int]], at: dt.datetime) -> int:
    """Return what one class awarded by at a moment; `rules` are its own, the first one first."""
    earlier = [percent for since, percent in rules if since <= at]
    return earlier[-1] if earlier else DEFAULT_AWARD_PERCENT


def is_awarded(rules: Rules, *, class_ids: Collection[int], percent: int, at: dt.datetime) -> bool:
    """Test whether one of a learner's classes awards a proof of then by this percentage or less.

    By the rule of that moment or by a milder one since: what was proved once need not be proved
    again. Whoever is in no class is awarded by whatever rule there is.
    """
    asked = [_find_least_since(rules.get(pk, ()), at) for pk in class_ids]
    return not asked or percent >= min(asked)


def _find_least_since(rules: Sequence[tuple[dt.datetime, int]], at: dt.datetime) -> int:
    later = [percent for since, percent in rules if since > at]
    return min([find_percent_at(rules, at), *later])


def get_weekly_goal(*, learner: Learner) -> int:
    """Return on how many days of a week the learner means to practise."""
    rows = WeeklyGoal.objects.filter(learner=learner).order_by("-pk")
    found = rows.values_list("days", flat=True).first()
    return DEFAULT_GOAL_DAYS if found is None else found


_goals = new_cache(capacity=1024)


def get_goal_concepts(*, assignment: Assignment, revision: int) -> tuple[int, ...]:
    """Return the concept ids that an assignment asks for; empty means the whole course.

    `revision` is the course's: changing an assignment raises it, so that a cached goal is not
    used any longer.
    """
    return _goals.get(
        (assignment.pk, revision),
        lambda: tuple(assignment.concepts.order_by("position").values_list("pk", flat=True)),
    )


def list_class_ids_of(*, learner_id: int, course_id: int) -> tuple[int, ...]:
    """Return the ids of the learner's classes of a course, the first one joined first."""
    found = _CLASSES.all(learner=learner_id, course=course_id)
    return tuple(enrolment.classroom_id for enrolment in found)


_CLASSES = Prepared(
    lambda: (
        Enrolment.objects.filter(
            learner=slot("learner", Enrolment), classroom__course=slot("course", Classroom)
        )
        .only("classroom")
        .order_by("pk")
    )
)


def list_members(
    *, class_ids: Collection[int], learner_ids: Collection[int]
) -> list[tuple[int, int]]:
    """Return (learner id, class id) for those of the learners who are in one of the classes."""
    rows = Enrolment.objects.filter(classroom__in=class_ids, learner__in=learner_ids)
    return list(rows.values_list("learner", "classroom"))


def list_members_of(*, class_ids: Collection[int]) -> list[tuple[int, int]]:
    """Return (learner id, class id) of all who are in one of the classes, by learner."""
    rows = Enrolment.objects.filter(classroom__in=class_ids)
    return list(rows.order_by("learner", "classroom").values_list("learner", "classroom"))


def list_courses_of(*, learner: Learner) -> QuerySet[Course]:
    """Return the courses of the learner's classes."""
    return Course.objects.filter(classes__learners=learner).distinct().order_by("pk")


def access_course_of(*, learner: Learner, slug: str) -> Course:
    """Return a course of one of the learner's classes.

    Raises:
        NotVisible: there is none such for this learner.
    """
    # PostgreSQL does not even compare with NUL.
    rows = list_courses_of(learner=learner).filter(slug=slug.replace("\x00", "\ufffd"))
    found = rows.first()
    if found is None:
        raise NotVisible(gettext("There is no such course for this learner."), course=slug)
    return found


def list_courses_seen(*, actor: User | AnonymousUser, learner: Learner) -> QuerySet[Course]:
    """Return the learner's courses as far as they concern `actor`, who may see the learner.

    A teacher sees those of the classes that they teach the learner in; others see all.
    """
    if isinstance(actor, User) and actor.role == User.Role.TEACHER:
        rows = Course.objects.filter(classes__learners=learner, classes__teachers=actor)
        return rows.distinct().order_by("pk")
    return list_courses_of(learner=learner)


def access_course_seen(*, actor: User | AnonymousUser, learner: Learner, slug: str) -> Course:
    """Return a course of the learner that concerns `actor`.

    Raises:
        NotVisible: there is none such.
    """
    found = list_courses_seen(actor=actor, learner=learner).filter(slug=slug).first()
    if found is None:
        raise NotVisible(gettext("There is no such course for this learner."), course=slug)
    return found


def list_classes_by_learner(
    *, actor: User | AnonymousUser, learner_ids: Sequence[int]
) -> dict[int, list[Classroom]]:
    """Return learner id -> their classes, by name; a teacher gets only those that they teach."""
    rows = Enrolment.objects.filter(learner__in=learner_ids).select_related("classroom__course")
    if isinstance(actor, User) and actor.role == User.Role.TEACHER:
        rows = rows.filter(classroom__teachers=actor)
    found: dict[int, list[Classroom]] = {}
    for row in rows.order_by("classroom__name", "pk"):
        found.setdefault(row.learner_id, []).append(row.classroom)
    return found
