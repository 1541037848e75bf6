"""Deep states that nobody will ask for soon are removed; the log gives them again."""

import datetime as dt
from itertools import pairwise

from tutor.common import turns
from tutor.registry.models import Promotion, TracerVersion
from tutor.tracing.models import DeepState

# After this a way back to a version takes as long as any promotion: everybody is folded again.
STATES_KEPT = dt.timedelta(days=7)
# Rows removed in one transaction.
PIECE = 500


def prune_states(*, now: dt.datetime) -> int:
    """Remove the deep states of versions that have been out of use for a week; return how many.

    A version that was only looked at, and never used, is out of use since it was made.
    """
    held = DeepState.objects.order_by().values_list("tracer", flat=True).distinct()
    removed = 0
    for version in TracerVersion.objects.filter(pk__in=held):
        since = _out_of_use_since(version)
        if since is not None and since < now - STATES_KEPT:
            removed += _remove(version)
    return removed


def _out_of_use_since(version: TracerVersion) -> dt.datetime | None:
    """Return since when a version is out of use; None: it is in use."""
    uses = list(Promotion.objects.filter(course=version.course_id).order_by("pk"))
    if uses and uses[-1].tracer_id == version.pk:
        return None
    ends = [after.at for use, after in pairwise(uses) if use.tracer_id == version.pk]
    return ends[-1] if ends else version.created_at


def _remove(version: TracerVersion) -> int:
    ids = list(DeepState.objects.filter(tracer=version).values_list("pk", flat=True))
    removed = 0
    for first in range(0, len(ids), PIECE):
        with turns.atomic_turn():
            piece = DeepState.objects.filter(pk__in=ids[first : first + PIECE])
            removed += piece.delete()[0]
    return removed
