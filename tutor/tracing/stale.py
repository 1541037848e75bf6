"""The list of filter states that wait for a refold: a late answer, a correction, an import.

The mark is `LearnerState.stale_since`; only a refold takes it away.
"""

import datetime as dt
from collections.abc import Collection, Sequence

from django.db import transaction

from tutor.registry import selectors as registry_selectors
from tutor.registry.models import TracerVersion
from tutor.tracing.models import LearnerState


def find_oldest(
    *, passing_over: Collection[int], size: int, versions_passed_over: Collection[int] = ()
) -> tuple[TracerVersion, list[int]] | None:
    """Return a live version and up to `size` learners of it, those that wait longest first.

    The version is that of whoever waits longest of all; None if nobody does.

    Args:
        passing_over: learners who are left alone for now.
        size: learners.
        versions_passed_over: versions that are.
    """
    waiting = LearnerState.objects.filter(stale_since__isnull=False)
    rows = waiting.exclude(learner__in=passing_over).order_by("stale_since", "pk")
    # Looked at every few seconds, and nearly always empty.
    if not rows.exists():
        return None
    # Marks of versions out of use stay, for a way back: those are not joined every time.
    live = set(registry_selectors.list_live_tracers().values_list("pk", flat=True))
    live.difference_update(versions_passed_over)
    first = rows.filter(tracer__in=live).select_related("tracer__course").first()
    if first is None:
        return None
    own = rows.filter(tracer=first.tracer_id).values_list("learner", flat=True)
    return first.tracer, list(own[:size])


def put_last(*, tracer_id: int, learner_ids: Sequence[int], at: dt.datetime) -> list[int]:
    """Let these wait as if they had been marked at `at`, the present; return who still waits.

    Without those whose state somebody is writing: two who wait for each other's rows would both
    be stuck.
    """
    rows = LearnerState.objects.filter(
        tracer=tracer_id, learner__in=learner_ids, stale_since__isnull=False
    ).order_by("learner")
    with transaction.atomic():
        free = rows.select_for_update(skip_locked=True, no_key=True)
        waiting = list(free.values_list("learner", flat=True))
        own = LearnerState.objects.filter(tracer=tracer_id, learner__in=waiting)
        own.update(stale_since=at)
    return waiting
