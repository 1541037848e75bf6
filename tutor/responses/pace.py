"""How fast questions are answered, from one answer to the next: what a sitting will take."""

import datetime as dt
import math
import statistics
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tutor.accounts.models import Learner
from tutor.common.cache import new_cache
from tutor.content.models import Course
from tutor.responses.models import Response

# Reading the feedback is part of it, so the gap from answer to answer counts; longer is a break.
LONGEST_GAP = dt.timedelta(minutes=10)
LATEST_OWN, LATEST_OF_COURSE = 120, 1500
FEWEST_GAPS = 8
# Where nothing is known: what teachers plan for a short question, seconds.
USUAL_S, USUAL_SPREAD_S = 60.0, 35.0
# 10 % and 90 % quantiles of the standard normal.
TENTH = 1.2816

_of_course = new_cache(capacity=64)


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds a question takes, from one to the next.

    Attributes:
        median_s: the middle one.
        spread_s: standard deviation, by the quartiles: a few very long ones do not widen it.
        source: "own", "course", or "usual" where nobody has answered yet.
    """

    median_s: float
    spread_s: float
    source: str

    def minutes(self, items: int) -> tuple[int, int]:
        """Return the whole minutes that so many questions take, in 8 sittings of 10 between."""
        middle, around = items * self.median_s, TENTH * self.spread_s * math.sqrt(items)
        low = max(1, math.floor((middle - around) / 60.0))
        return low, max(low, math.ceil((middle + around) / 60.0))


def get_pace(*, learner: Learner, course: Course, at: dt.datetime) -> Pace:
    """Return the learner's own pace of the latest sittings, else the course's, else the usual."""
    own = Response.objects.filter(learner=learner, course=course, attempt=1)
    times = own.order_by("-answered_at", "-pk").values_list("answered_at", flat=True)
    found = _measure(_gaps(list(times[:LATEST_OWN])[::-1]), "own")
    if found is not None:
        return found
    # A day is soon enough to notice that a course has become quicker.
    of_course = _of_course.get((course.pk, at.date()), lambda: _measure_course(course))
    return of_course or Pace(USUAL_S, USUAL_SPREAD_S, "usual")


def sum_minutes(times: Sequence[dt.datetime], *, breaks: Collection[dt.datetime] = ()) -> float:
    """Return the minutes from the first to the last of some moments, breaks left out.

    Args:
        times: ascending moments at which somebody was there.
        breaks: those of them at which they left: nothing counts from there to the next.
    """
    pairs = [pair for pair in pairwise(times) if pair[0] not in breaks]
    return sum(sum(_gaps(pair)) for pair in pairs) / 60.0


def _measure_course(course: Course) -> Pace | None:
    rows = Response.objects.filter(course=course, attempt=1).order_by("-pk")
    by_learner: dict[int, list[dt.datetime]] = {}
    for learner_id, at in rows.values_list("learner", "answered_at")[:LATEST_OF_COURSE]:
        by_learner.setdefault(learner_id, []).append(at)
    gaps = [gap for times in by_learner.values() for gap in _gaps(sorted(times))]
    return _measure(gaps, "course")


def _gaps(times: Sequence[dt.datetime]) -> list[float]:
    """Return the seconds between answers of one sitting; `times` ascend."""
    pairs = pairwise(times)
    return [(b - a).total_seconds() for a, b in pairs if dt.timedelta(0) < b - a <= LONGEST_GAP]


def _measure(gaps: Sequence[float], source: str) -> Pace | None:
    if len(gaps) < FEWEST_GAPS:
        return None
    low, middle, high = statistics.quantiles(gaps, n=4)
    # The quartiles of a normal lie 1.349 standard deviations apart.
    return Pace(middle, (high - low) / 1.349, source)
