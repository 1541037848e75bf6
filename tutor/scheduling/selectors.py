"""Reads of decisions."""

import uuid

from django.db.models import QuerySet

from tutor.accounts.models import Learner
from tutor.common.prepared import Prepared, slot
from tutor.content.models import Course
from tutor.scheduling.models import Decision


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
        .select_related("item_version__item", "assignment", "tracer")
        .order_by("-at", "-pk")
    )


def list_decisions_in(*, learner: Learner, courses: QuerySet[Course]) -> QuerySet[Decision]:
    """Return the learner's decisions of these courses, with all that describes them."""
    return (
        Decision.objects.filter(learner=learner, course__in=courses)
        .select_related("course", "item_version__item", "assignment", "tracer")
        .defer("item_version__body", "tracer__body")
    )
