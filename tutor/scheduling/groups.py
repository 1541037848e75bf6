"""Whether the tutor does as well by every group of a course's learners: counted at night.

Groups are those of an imported log, or the classes of the course. Nothing is decided by what comes
out; it is for people to look at.
"""

import datetime as dt
import logging
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from django.db.models import QuerySet

from curriculum.scheduler.monitoring import find_group_gaps
from tutor.content.models import Course
from tutor.responses import grouping
from tutor.responses import selectors as response_selectors
from tutor.scheduling import conduct
from tutor.scheduling.models import Decision, GroupComparison, PolicyVersion
from tutor.scheduling.plans import RULES

logger = logging.getLogger(__name__)

LOOKS_BACK = dt.timedelta(days=30)
# What is compared, and the gap that raises no alarm.
MASTERY_A_MINUTE = "mastery a minute"
AT_RANDOM = "share at random"
CREDIT_BEYOND = "credit beyond what was expected"
TOLERATED: Mapping[str, float] = {MASTERY_A_MINUTE: 0.01, AT_RANDOM: 0.02, CREDIT_BEYOND: 0.05}

Rows = dict[str, tuple[list[int], list[float]]]


def compare_all(*, at: dt.datetime) -> int:
    """Compare the groups of every course; return how many courses have some.

    A course that fails is told of and does not hold up the others.
    """
    compared = 0
    for course in Course.objects.order_by("pk"):
        try:
            compared += compare_course(course=course, at=at) is not None
        except Exception:
            logger.exception("Groups of course %s could not be compared.", course.slug)
    return compared


def compare_course(*, course: Course, at: dt.datetime) -> GroupComparison | None:
    """Store how each group fared in the last thirty days; None where there are no two groups."""
    found = grouping.find_groups(course=course)
    if found is None:
        return None
    groups = {int(learner): name for learner, name in found.groups.items()}
    body = {
        measure: _compare(learners, values, groups, TOLERATED[measure])
        for measure, (learners, values) in read_rows(course=course, at=at).items()
    }
    return GroupComparison.objects.create(course=course, at=at, by=found.by.value, body=body)


def read_rows(*, course: Course, at: dt.datetime) -> Rows:
    """Return for each measure whose row it is, and its value, from the last thirty days.

    Mastery a minute is what an answer moved the probabilities of its concepts by, for each minute
    that its item was expected to take when it was chosen, as in a reward: by the time that it took
    a quick learner's group would gain more with nothing more learnt, and right answers, which come
    quicker, would earn more than wrong ones cost. Credit beyond is a first answer's credit less the
    chance that was stated.
    """
    since = at - LOOKS_BACK
    rows: Rows = {measure: ([], []) for measure in TOLERATED}
    decisions = Decision.objects.filter(course=course, at__gt=since, at__lte=at)
    usual = _minutes_by_version(decisions)
    # Presentation -> the chance that was stated, the minutes that were expected.
    shown: dict[object, tuple[float | None, float]] = {}
    for public_id, learner, reason, expected, item_version, version in decisions.filter(
        item_version__isnull=False
    ).values_list("public_id", "learner", "reason", "expected", "item_version", "policy_version"):
        minutes = usual.get(version, {}).get(item_version, RULES.minutes_per_item)
        shown[public_id] = (expected, minutes)
        _add(rows, AT_RANDOM, learner, float(reason == "explore"))
    answered = set()
    answers = response_selectors.list_standing(course_id=course.pk).filter(
        presentation__isnull=False, attempt=1, answered_at__gt=since, answered_at__lte=at
    )
    for presentation, learner, credit, hints in answers.values_list(
        "presentation", "learner", "credit", "hints_seen"
    ):
        answered.add(presentation)
        expected, _ = shown.get(presentation, (None, 0.0))
        if expected is not None and not hints:
            _add(rows, CREDIT_BEYOND, learner, credit - expected)
    for follows, learner, shifts in decisions.filter(follows__isnull=False).values_list(
        "follows", "learner", "shifts"
    ):
        # What was chosen before the window has no minutes here.
        if follows in answered and follows in shown and shifts:
            gain = sum(after - before for before, _, after, _ in shifts.values())
            _add(rows, MASTERY_A_MINUTE, learner, gain / shown[follows][1])
    return rows


def _minutes_by_version(decisions: QuerySet[Decision]) -> dict[int, dict[int, float]]:
    """Return policy version -> item version -> the minutes that it expected, of those in use."""
    versions = PolicyVersion.objects.filter(pk__in=decisions.values("policy_version").distinct())
    return {row.pk: conduct.minutes_of(row.body) for row in versions}


def _add(rows: Rows, measure: str, learner: int, value: float) -> None:
    rows[measure][0].append(learner)
    rows[measure][1].append(value)


def _compare(
    learners: list[int], values: list[float], groups: Mapping[int, str], tolerated: float
) -> list[dict[str, Any]]:
    own = [place for place, learner in enumerate(learners) if learner in groups]
    if not own:
        return []
    gaps = find_group_gaps(
        np.array([learners[place] for place in own], dtype=np.int64),
        np.array([groups[learners[place]] for place in own]),
        np.array([values[place] for place in own], dtype=np.float64),
        tolerated=tolerated,
    )
    return [asdict(gap) for gap in gaps]
