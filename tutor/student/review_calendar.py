"""What falls due for review when, as weeks and as a list."""

import datetime as dt
from dataclasses import dataclass

from django.utils import timezone

from tutor.accounts.models import Learner
from tutor.content import selectors as content_selectors
from tutor.content.models import Course
from tutor.scheduling import reviews
from tutor.scheduling.reviews import DAYS_AHEAD


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the calendar; `is_in` says whether it is one of the days looked at."""

    date: dt.date
    names: tuple[str, ...]
    is_today: bool
    is_in: bool


@dataclass(frozen=True, slots=True)
class ReviewCalendar:
    """Weeks from Monday to Sunday, the days with reviews, and what is not due yet."""

    course: Course
    weeks: tuple[tuple[Day, ...], ...]
    days: tuple[Day, ...]
    later: tuple[str, ...]
    n_due: int

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been mastered yet."""
        return not self.days and not self.later


def make(*, learner: Learner, course: Course, at: dt.datetime) -> ReviewCalendar:
    """Return the next two weeks of a learner in a course."""
    bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
    found = reviews.list_reviews(learner=learner, course=course, at=at)
    names: dict[dt.date, list[str]] = {}
    later = []
    for review in found:
        name = bank.concept_names[bank.index_of_concept[review.concept_id]]
        if review.due_on is None:
            later.append(name)
        else:
            names.setdefault(review.due_on, []).append(name)
    today = timezone.localdate(at)
    monday = today - dt.timedelta(days=today.weekday())
    last = today + dt.timedelta(days=DAYS_AHEAD - 1)
    n_weeks = (last - monday).days // 7 + 1
    days = [
        Day(
            date=monday + dt.timedelta(days=number),
            names=tuple(names.get(monday + dt.timedelta(days=number), ())),
            is_today=monday + dt.timedelta(days=number) == today,
            is_in=today <= monday + dt.timedelta(days=number) <= last,
        )
        for number in range(7 * n_weeks)
    ]
    return ReviewCalendar(
        course=course,
        weeks=tuple(tuple(days[start : start + 7]) for start in range(0, len(days), 7)),
        days=tuple(day for day in days if day.names),
        later=tuple(later),
        n_due=len(names.get(today, ())),
    )
