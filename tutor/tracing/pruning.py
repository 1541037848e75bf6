"""Deep states that nobody will ask for soon are removed; the log gives them again."""

import datetime as dt
from itertools import pairwise

from django.db.models import Max, QuerySet

from tutor.common import turns
from tutor.content.models import Course
from tutor.registry import selectors as registry_selectors
from tutor.registry.errors import SwitchUnderWay
from tutor.registry.models import Promotion, SwitchJob, TracerVersion
from tutor.tracing import holding
from tutor.tracing.models import DeepState

# After this a way back to a version takes as long as any promotion: everybody is folded again.
STATES_KEPT = dt.timedelta(days=7)
# Rows removed in one transaction.
PIECE = 500


def prune_states(*, now: dt.datetime) -> int:
    """Remove the deep states of versions that have been out of use for a week; return how many.

    A version that was only looked at, and never used, is out of use since that look. A course whose
    tracer is being switched, or is about to be, is passed over until the next time: what was folded
    for the switch is not in use yet.
    """
    held = DeepState.objects.order_by().values_list("tracer", flat=True).distinct()
    versions = TracerVersion.objects.filter(pk__in=held).defer("body")
    courses = Course.objects.filter(tracers__in=versions).distinct().order_by("pk")
    return sum(_prune_course(course, versions.filter(course=course), now) for course in courses)


def _prune_course(course: Course, versions: QuerySet[TracerVersion], now: dt.datetime) -> int:
    try:
        # Whoever begins a switch meanwhile is told to come again.
        with holding.hold(course):
            if registry_selectors.list_open_switches().filter(course=course).exists():
                return 0
            return sum(
                _remove(version)
                for version in versions
                if (since := _out_of_use_since(version)) and since < now - STATES_KEPT
            )
    except SwitchUnderWay:
        return 0


def _out_of_use_since(version: TracerVersion) -> dt.datetime | None:
    """Return since when a version is out of use; None: it is in use."""
    uses = list(Promotion.objects.filter(course=version.course_id).order_by("pk"))
    if uses and uses[-1].tracer_id == version.pk:
        return None
    ends = [after.at for use, after in pairwise(uses) if use.tracer_id == version.pk]
    ended = ends[-1] if ends else version.created_at
    looks = SwitchJob.objects.filter(tracer=version).aggregate(last=Max("finished_at"))
    return max(ended, looks["last"] or ended)


def _remove(version: TracerVersion) -> int:
    ids = list(DeepState.objects.filter(tracer=version).values_list("pk", flat=True))
    removed = 0
    for first in range(0, len(ids), PIECE):
        with turns.atomic_turn():
            piece = DeepState.objects.filter(pk__in=ids[first : first + PIECE])
            removed += piece.delete()[0]
    return removed
