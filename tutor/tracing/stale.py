"""The list of filter states that wait for a refold: a late answer, a correction, an import.

The mark is `LearnerState.stale_since`; only a refold takes it away.
"""

import datetime as dt
from collections.abc import Collection, Sequence

from tutor.registry import selectors as registry_selectors
from tutor.registry.models import TracerVersion
from tutor.tracing.models import LearnerState


def find_oldest(
    *, passing_over: Collection[int], size: int
) -> tuple[TracerVersion, list[int]] | None:
    """Return a live version and up to `size` learners of it, those that wait longest first.

    The version is that of whoever waits longest of all; None if nobody does.

    Args:
        passing_over: learners who are left alone for now.
        size: learners.
    """
    waiting = LearnerState.objects.filter(stale_since__isnull=False)
    rows = waiting.exclude(learner__in=passing_over).order_by("stale_since", "pk")
    # Looked at every few seconds, and nearly always empty.
    if not rows.exists():
        return None
    live = registry_selectors.list_live_tracers()
    first = rows.filter(tracer__in=live).select_related("tracer__course").first()
    if first is None:
        return None
    own = rows.filter(tracer=first.tracer_id).values_list("learner", flat=True)
    return first.tracer, list(own[:size])


def put_last(*, tracer_id: int, learner_ids: Sequence[int], at: dt.datetime) -> list[int]:
    """Let these wait as if they had been marked at `at`, the present; return who still waits."""
    rows = LearnerState.objects.filter(
        tracer=tracer_id, learner__in=learner_ids, stale_since__isnull=False
    )
    waiting = sorted(rows.values_list("learner", flat=True))
    rows.update(stale_since=at)
    return waiting
