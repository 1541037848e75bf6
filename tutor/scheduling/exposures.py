"""How many learners were given each item: counted at night, read once a day by each process."""

import datetime as dt
import logging

from django.db.models import Count

from tutor.common.cache import new_cache
from tutor.content.models import Course
from tutor.scheduling.models import Decision, ItemExposure
from tutor.scheduling.plans import RULES, Counts

logger = logging.getLogger(__name__)

# Older counts than that say nothing of now: nobody has counted since.
MOST_DAYS_OLD = 7
_counts = new_cache(capacity=64)


def find_counts(*, course_id: int, at: dt.datetime) -> Counts | None:
    """Return the count that holds for choices on the day of `at`, in UTC; None for none.

    One query a day and process: what holds on a day is stored before it begins.
    """
    day = at.astimezone(dt.UTC).date()
    return _counts.get((course_id, day), lambda: _read(course_id, day))


def _read(course_id: int, day: dt.date) -> Counts | None:
    rows = ItemExposure.objects.filter(
        course=course_id, day__lte=day, day__gt=day - dt.timedelta(days=MOST_DAYS_OLD)
    )
    row = rows.order_by("-day").first()
    if row is None:
        return None
    # What an earlier program counted may be more than the learners there were.
    given = {int(pk): min(n, row.learners) for pk, n in row.given.items()}
    return Counts(row.day, row.learners, given)


def count_all(*, at: dt.datetime) -> int:
    """Count in every course; return in how many there was something new to store.

    A course that fails is told of and does not hold up the others.
    """
    counted = 0
    for course in Course.objects.order_by("pk"):
        try:
            counted += count_course(course=course, at=at) is not None
        except Exception:
            logger.exception("Exposure in course %s could not be counted.", course.slug)
    return counted


def count_course(*, course: Course, at: dt.datetime) -> ItemExposure | None:
    """Store how many learners were given each item, from the next day on; None where it is stored.

    Nothing is stored where nobody was given anything: earlier counts end by themselves.
    """
    day = at.astimezone(dt.UTC).date() + dt.timedelta(days=1)
    if ItemExposure.objects.filter(course=course, day=day).exists():
        return None
    shown = Decision.objects.filter(
        course=course,
        at__gt=at - dt.timedelta(days=RULES.exposure_days),
        at__lte=at,
        item_version__isnull=False,
    )
    learners = shown.aggregate(n=Count("learner", distinct=True))["n"]
    if not learners:
        return None
    of_item = (
        shown.values("item_version__item")
        .annotate(n=Count("learner", distinct=True))
        .order_by("item_version__item")
    )
    # Two queries: somebody's first decision may come between.
    given = {str(row["item_version__item"]): min(row["n"], learners) for row in of_item}
    # Two workers may come at once: the second finds the first one's row.
    row, is_new = ItemExposure.objects.get_or_create(
        course=course, day=day, defaults={"learners": learners, "given": given}
    )
    return row if is_new else None
