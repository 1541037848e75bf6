"""Writes of tracer versions: store, promote."""

import datetime as dt
import hashlib
import json
from typing import Any

from django.db import transaction
from django.db.models import Max

from tutor.content import services as content_services
from tutor.content.models import Course
from tutor.registry.errors import TracerOfAnotherCourse
from tutor.registry.models import Promotion, TracerVersion


@transaction.atomic
def store_tracer(
    *, course: Course, body: dict[str, Any], provenance: dict[str, Any]
) -> TracerVersion:
    """Store a tracer version; it never changes afterwards.

    `body` holds `parameters` (the filter's scalars), `intercept` (logit), `item_offsets` (item
    version id as text -> logit) and `reference_offsets` (concept id as text -> logit of the
    concept's reference item); with a calibration also what `pinning.pin` adds. Equal bodies give
    the version that is there already.
    """
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    # Keeps two trainings from taking the same number.
    content_services.lock_course(course=course)
    known = TracerVersion.objects.filter(course=course, sha256=digest).first()
    if known is not None:
        return known
    newest = TracerVersion.objects.filter(course=course).aggregate(Max("number"))["number__max"]
    return TracerVersion.objects.create(
        course=course,
        number=(newest or 0) + 1,
        body=body,
        sha256=digest,
        provenance=provenance,
    )


@transaction.atomic
def promote(*, course: Course, tracer: TracerVersion, at: dt.datetime, reason: str) -> None:
    """Make the version the one that the course's estimates come from.

    The caller has folded the learners under it before, so that nobody meets an empty state.

    Raises:
        TracerOfAnotherCourse: the version was fitted on another course.
    """
    if tracer.course_id != course.pk:
        raise TracerOfAnotherCourse("This tracer is of another course.", tracer=tracer.pk)
    Promotion.objects.create(course=course, tracer=tracer, at=at, reason=reason)
    content_services.raise_revision(course=course)
