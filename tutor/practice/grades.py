"""Grades of assignments by the class's rule: the one source of pages, files and the API.

Made from awards and answers, which only grow, and from teachers' words; never from an estimate: no
grade falls by itself. In halves of a topic, so that the percentage is exact before it is rounded.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.db.models import Sum
from django.utils.translation import gettext, ngettext

from tutor.accounts.models import Learner
from tutor.classes import grade_rules, stated, terms
from tutor.classes.models import Assignment, Classroom, GradeRule
from tutor.content import selectors as content_selectors
from tutor.content.models import Course
from tutor.practice.models import PracticeSession
from tutor.tracing import awards

Kind = GradeRule.Kind
# Learner id and concept id -> since when it is awarded.
Days = dict[tuple[int, int], dt.datetime]


@dataclass(frozen=True, slots=True)
class Grade:
    """What a learner has in an assignment.

    Attributes:
        percent: whole, halves rounded upwards; None for who is excused, before it opens, and
            where it asks for nothing that can be practised.
        reached, whole: topics or answers that it is made from; late topics count for half.
        is_excused: nothing of it is asked of the learner.
    """

    percent: int | None
    reached: float = 0.0
    whole: int = 0
    is_excused: bool = False


def say(rule: GradeRule) -> str:
    """Return how grades are made, in one sentence for learners and teachers."""
    if rule.kind == Kind.ANSWERS:
        number = rule.number or 1
        return ngettext(
            "The grade is full with %(n)d question answered in the assignment, right or wrong.",
            "The grade is full with %(n)d questions answered in the assignment, right or wrong, "
            "and before that their share.",
            number,
        ) % {"n": number}
    sentences = {
        Kind.AWARDED: gettext(
            "The grade is the share of the assignment's topics that are awarded, whenever that was."
        ),
        Kind.BY_DATE: gettext(
            "The grade is the share of the assignment's topics that were awarded by the due date."
        ),
        Kind.LATE_HALF: gettext(
            "The grade is the share of the assignment's topics that are awarded; those awarded "
            "after the due date count for half."
        ),
    }
    return sentences[Kind(rule.kind)]


def list_class(
    *, classroom: Classroom, learners: Sequence[Learner], at: dt.datetime
) -> tuple[GradeRule | None, list[Assignment], dict[tuple[int, int], Grade]]:
    """Return the rule, the assignments, and (learner id, assignment id) -> grade.

    As many queries for any class; without a rule there are no grades.
    """
    rule = grade_rules.read(class_ids=[classroom.pk]).get(classroom.pk)
    rows = list(Assignment.objects.filter(classroom=classroom))
    if rule is None:
        return None, rows, {}
    pairs = [(learner.pk, row, rule) for row in rows for learner in learners]
    return rule, rows, _grade_all(pairs, course=classroom.course, at=at)


def list_own(
    *, learner: Learner, course: Course, at: dt.datetime
) -> list[tuple[Assignment, GradeRule, Grade]]:
    """Return a learner's grades in a course, of the assignments that have opened."""
    rows = list(
        Assignment.objects.filter(
            classroom__learners=learner, classroom__course=course, opens_at__lte=at
        ).select_related("classroom")
    )
    rules = grade_rules.read(class_ids={row.classroom_id for row in rows})
    graded = [row for row in rows if row.classroom_id in rules]
    pairs = [(learner.pk, row, rules[row.classroom_id]) for row in graded]
    found = _grade_all(pairs, course=course, at=at)
    return [(row, rule, found[learner.pk, row.pk]) for _, row, rule in pairs]


def _grade_all(
    pairs: Sequence[tuple[int, Assignment, GradeRule]], *, course: Course, at: dt.datetime
) -> dict[tuple[int, int], Grade]:
    ids = sorted({learner_id for learner_id, _, _ in pairs})
    kinds = {rule.kind for _, _, rule in pairs}
    days: Days = {}
    if kinds - {Kind.ANSWERS}:
        rows = awards.list_award_days(course_id=course.pk, learner_ids=ids)
        days = {(learner_id, concept): since for learner_id, concept, since in rows}
    counts: dict[tuple[int, int], int] = {}
    if Kind.ANSWERS in kinds:
        sittings = PracticeSession.objects.filter(
            assignment__in={row.pk for _, row, _ in pairs}, learner__in=ids
        )
        summed = sittings.order_by().values("learner", "assignment").annotate(n=Sum("n_answered"))
        counts = {(row["learner"], row["assignment"]): row["n"] for row in summed}
    there = _practicable(course)
    words = stated.read(course_id=course.pk, revision=course.revision)
    found = {}
    for learner_id, row, rule in pairs:
        own = terms.find(
            assignment=row,
            learner_id=learner_id,
            course_id=course.pk,
            revision=course.revision,
        )
        key = (learner_id, row.pk)
        if own.is_excused or own.opens_at > at:
            found[key] = Grade(None, is_excused=own.is_excused)
        elif rule.kind == Kind.ANSWERS:
            whole = rule.number or 1
            found[key] = _grade(2 * min(counts.get(key, 0), whole), whole)
        else:
            asked = there.intersection(own.goal) if own.goal else there
            said = words.get(learner_id, {})
            known = {pk for pk, one in said.items() if one.is_known}
            halves = sum(
                2 if pk in known else _halves(days.get((learner_id, pk)), rule, own) for pk in asked
            )
            found[key] = _grade(halves, len(asked))
    return found


def _halves(since: dt.datetime | None, rule: GradeRule, own: terms.Terms) -> int:
    """Return 2 for a topic awarded since then that counts, 1 for one that half does, else 0."""
    if since is None:
        return 0
    if rule.kind == Kind.AWARDED or own.due_at is None or since <= own.due_at:
        return 2
    return 1 if rule.kind == Kind.LATE_HALF else 0


def _grade(halves: int, whole: int) -> Grade:
    if not whole:
        return Grade(None)
    # 100 * halves / (2 * whole), halves upwards, in whole numbers.
    return Grade((100 * halves + whole) // (2 * whole), halves / 2, whole)


def _practicable(course: Course) -> frozenset[int]:
    """Return the ids of the concepts that have a question in use."""
    bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
    met = bank.concepts[bank.operational]
    return frozenset(bank.concept_ids[np.unique(met[met >= 0])].tolist())
