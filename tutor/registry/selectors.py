"""Reads of tracer versions."""

from tutor.registry.models import Promotion, TracerVersion


def get_live_tracer(*, course_id: int) -> TracerVersion | None:
    """Return the version that the course's estimates come from, if one was ever promoted."""
    newest = (
        Promotion.objects.filter(course=course_id).select_related("tracer").order_by("-pk").first()
    )
    return newest.tracer if newest else None
