"""How long items take, from the log."""

from typing import NamedTuple

import numpy as np

from tutor.content.models import Course
from tutor.responses.models import Response

# Faster than this nobody reads a question.
LEAST_MINUTES = 5.0 / 60.0
# Minutes are medians of at least so many answers, drawn to the course's by as many.
MIN_TIMED, SHRUNK_BY = 200, 5.0
LATEST_TIMED = 100_000
LONGEST_MINUTES = 15.0


class Timed(NamedTuple):
    """How long an item takes, minutes, and of how many answers that was seen."""

    minutes: float
    answers: int


def find_minutes(*, course: Course) -> dict[int, Timed]:
    """Return item version id -> what a first try takes; empty for too few timed answers.

    The median of the newest answers, drawn to the course's median where there are few.
    """
    rows = Response.objects.filter(course=course, attempt=1, elapsed_ms__gt=0)
    newest = rows.order_by("-pk").values_list("item_version", "elapsed_ms")[:LATEST_TIMED]
    table = np.array(list(newest), dtype=np.int64).reshape(-1, 2)
    if len(table) < MIN_TIMED:
        return {}
    version, log_minutes = table[:, 0], np.log(table[:, 1] / 60_000.0)
    overall = float(np.median(log_minutes))
    order = np.argsort(version, kind="stable")
    ids, starts = np.unique(version[order], return_index=True)
    found = {}
    for pk, own in zip(ids.tolist(), np.split(log_minutes[order], starts[1:]), strict=True):
        mean = (len(own) * float(np.median(own)) + SHRUNK_BY * overall) / (len(own) + SHRUNK_BY)
        minutes = float(np.exp(mean))
        minutes = round(min(max(minutes, LEAST_MINUTES), LONGEST_MINUTES), 3)
        found[pk] = Timed(minutes, len(own))
    return found
