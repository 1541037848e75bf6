"""How it went over time: answers by week, and days against the goal."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from tutor.accounts.models import Learner
from tutor.classes import selectors as class_selectors
from tutor.classes.models import Classroom
from tutor.responses.models import Response

WEEKS = 10


@dataclass(frozen=True, slots=True)
class Week:
    """A week of first tries; it begins on a Monday."""

    begins: dt.date
    answers: int
    right: int
    days: int


@dataclass(frozen=True, slots=True)
class ThisWeek:
    """Days practised against the goal; `marks` are the seven days: (day, practised, is past)."""

    goal: int
    days: int
    marks: tuple[tuple[dt.date, bool, bool], ...]

    @property
    def left(self) -> int:
        """Days to go to the goal."""
        return max(0, self.goal - self.days)


def _answers(learner: Learner, only: Classroom | None) -> QuerySet[Response]:
    rows = Response.objects.filter(learner=learner)
    return rows if only is None else rows.filter(course=only.course_id)


def list_weeks(*, learner: Learner, at: dt.datetime, only: Classroom | None = None) -> list[Week]:
    """Return the latest weeks up to this one, the oldest first; weeks without answers too.

    `only`: of the course of this class.
    """
    monday = _monday(timezone.localdate(at))
    first = monday - dt.timedelta(weeks=WEEKS - 1)
    rows = (
        _answers(learner, only)
        .filter(attempt=1, corrects__isnull=True, answered_at__gte=_midnight(first))
        .annotate(day=TruncDate("answered_at"))
        .values("day")
        .annotate(answers=Count("pk"), right=Count("pk", filter=Q(is_correct=True)))
    )
    by_week: dict[dt.date, list[tuple[int, int]]] = {}
    for row in rows:
        by_week.setdefault(_monday(row["day"]), []).append((row["answers"], row["right"]))
    begins = [first + dt.timedelta(weeks=number) for number in range(WEEKS)]
    return [
        Week(
            begins=begin,
            answers=sum(answers for answers, _ in by_week.get(begin, [])),
            right=sum(right for _, right in by_week.get(begin, [])),
            days=len(by_week.get(begin, [])),
        )
        for begin in begins
    ]


def get_this_week(*, learner: Learner, at: dt.datetime, only: Classroom | None = None) -> ThisWeek:
    """Return the days of this week on which the learner practised, in the course of `only`."""
    today = timezone.localdate(at)
    monday = _monday(today)
    rows = _answers(learner, only).filter(answered_at__gte=_midnight(monday))
    practised = set(
        rows.annotate(day=TruncDate("answered_at")).values_list("day", flat=True).distinct()
    )
    days = [monday + dt.timedelta(days=number) for number in range(7)]
    return ThisWeek(
        goal=class_selectors.get_weekly_goal(learner=learner),
        days=len(practised),
        marks=tuple((day, day in practised, day <= today) for day in days),
    )


def _monday(day: dt.date) -> dt.date:
    return day - dt.timedelta(days=day.weekday())


def _midnight(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))
