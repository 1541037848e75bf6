"""Reads of decisions."""

import datetime as dt
import uuid
from collections.abc import Sequence

from django.db.models import QuerySet

from tutor.accounts.models import Learner
from tutor.common.prepared import Prepared, slot
from tutor.content.models import Course
from tutor.scheduling import engine
from tutor.scheduling.models import Decision, DelayedProbe, StuckRelease


def get_follower(*, learner_id: int, follows: uuid.UUID) -> Decision | None:
    """Return what was decided after the answer to a presentation."""
    found = _FOLLOWER.all(follows=follows)
    return next((decision for decision in found if decision.learner_id == learner_id), None)


# Without the learner: SQLite would read all decisions of theirs.
_FOLLOWER = Prepared(
    lambda: (
        Decision.objects.filter(follows=slot("follows", Decision)).defer("receipt").order_by("pk")
    )
)


def list_decisions(*, learner: Learner, course: Course) -> QuerySet[Decision]:
    """Return the learner's decisions of a course, newest first, with their items."""
    return (
        Decision.objects.filter(learner=learner, course=course)
        .select_related("course", "item_version__item", "assignment", "tracer")
        .defer("item_version__body", "tracer__body")
        .order_by("-at", "-pk")
    )


def list_decisions_in(*, learner: Learner, courses: QuerySet[Course]) -> QuerySet[Decision]:
    """Return the learner's decisions of these courses, with all that describes them."""
    return (
        Decision.objects.filter(learner=learner, course__in=courses)
        .select_related("course", "item_version__item", "assignment", "tracer")
        .defer("item_version__body", "tracer__body")
    )


def list_telling(*, course_id: int) -> QuerySet[Decision]:
    """Return the decisions of a course that say who is stuck: all but those after an error."""
    return Decision.objects.filter(course=course_id).exclude(fallback="error")


def list_recent_modes(*, learner_id: int, course_id: int) -> tuple[tuple[int, str], ...]:
    """Return (item id, mode) of the learner's latest decisions of a course, the newest first."""
    found = _MODES.all(learner=learner_id, course=course_id)
    return tuple((row.item_version.item_id, row.mode) for row in found)


_MODES = Prepared(
    lambda: (
        Decision.objects.filter(
            learner=slot("learner", Decision),
            course=slot("course", Decision),
            item_version__isnull=False,
        )
        .select_related("item_version")
        .only("mode", "item_version__item")
        .order_by("-at", "-pk")[: engine.MODES_LOOKED_AT]
    )
)


def get_last_reason(*, learner_id: int, course_id: int) -> str:
    """Return why the learner was last given an item of the course; "" for a first one."""
    rows = Decision.objects.filter(learner=learner_id, course=course_id, item_version__isnull=False)
    return rows.order_by("-pk").values_list("reason", flat=True).first() or ""


def count_explored(*, learner_id: int, course_id: int, since: dt.datetime) -> int:
    """Return how many items were drawn at random for the learner since then."""
    return len(_EXPLORED.all(learner=learner_id, course=course_id, at=since))


_EXPLORED = Prepared(
    lambda: Decision.objects.filter(
        learner=slot("learner", Decision),
        course=slot("course", Decision),
        at__gte=slot("at", Decision),
        reason="explore",
    ).only("pk")
)


def list_due_probes(*, learner_id: int, course_id: int, at: dt.datetime) -> Sequence[DelayedProbe]:
    """Return the learner's probes that are due and have not expired, the longest due first."""
    return _DUE.all(learner=learner_id, course=course_id, due_at=at, expires_at=at)


_DUE = Prepared(
    lambda: DelayedProbe.objects.filter(
        learner=slot("learner", DelayedProbe),
        course=slot("course", DelayedProbe),
        asked__isnull=True,
        due_at__lte=slot("due_at", DelayedProbe),
        expires_at__gt=slot("expires_at", DelayedProbe),
    ).order_by("due_at", "pk")
)


def list_releases(*, learner_id: int, concept_ids: Sequence[int]) -> dict[int, float]:
    """Return concept id -> when a teacher last released the learner from it, epoch seconds."""
    rows = _RELEASES.all(learner=learner_id)
    return {row.concept_id: row.at.timestamp() for row in rows if row.concept_id in concept_ids}


_RELEASES = Prepared(
    lambda: (
        StuckRelease.objects.filter(learner=slot("learner", StuckRelease))
        .only("concept", "at")
        .order_by("pk")
    )
)
