"""Reads of decisions."""

import uuid

from django.db.models import QuerySet

from tutor.accounts.models import Learner
from tutor.common.prepared import Prepared, slot
from tutor.content.models import Course
from tutor.scheduling.models import Decision


def get_follower(*, learner_id: int, follows: uuid.UUID) -> Decision | None:
    """Return what was decided after the answer to a presentation."""
    return _FOLLOWER.first(learner=learner_id, follows=follows)


_FOLLOWER = Prepared(
    lambda: (
        Decision.objects.filter(
            learner=slot("learner", Decision), follows=slot("follows", Decision)
        )
        .defer("receipt")
        .order_by("pk")[:1]
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
