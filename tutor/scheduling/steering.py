"""Writes of how items are chosen: a class's settings, releases, what policies have learnt."""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max

from tutor.accounts.models import Learner, User
from tutor.classes.models import Classroom
from tutor.content import services as content_services
from tutor.content.models import Course
from tutor.scheduling import conduct, engine, selectors
from tutor.scheduling.errors import NotStuck, UnknownPolicy
from tutor.scheduling.models import (
    ClassScheduling,
    PolicyNight,
    PolicyPromotion,
    PolicyVersion,
    StuckRelease,
)
from tutor.tracing import selectors as tracing_selectors


@transaction.atomic
def set_class_scheduling(  # noqa: PLR0913 - one setting each
    *,
    classroom: Classroom,
    actor: User | None,
    at: dt.datetime,
    policy: str | None = None,
    explores: bool | None = None,
    probes: bool | None = None,
    places: bool | None = None,
    kill_switch: bool | None = None,
    reason: str = "",
) -> ClassScheduling:
    """Change how the class's items are chosen from now on; the next choice follows it.

    What is left out stays as it is: two people who change different things at once do not undo
    each other's, and nobody's form brings back what the kill switch has stopped.

    Raises:
        UnknownPolicy: no policy of this name serves classes.
    """
    if policy is not None and policy not in engine.SERVING:
        raise UnknownPolicy(
            f"No policy {policy!r} serves classes: choose one of {', '.join(engine.SERVING)}.",
            policy=policy,
        )
    # The class's row makes the second of two changes wait and build on the first.
    Classroom.objects.select_for_update().get(pk=classroom.pk)
    current = conduct.get_settings(class_id=classroom.pk)
    changed = {
        name: value
        for name, value in (
            ("policy", policy),
            ("explores", explores),
            ("probes", probes),
            ("places", places),
            ("kill_switch", kill_switch),
        )
        if value is not None
    }
    names = ("policy", "explores", "probes", "places", "kill_switch")
    kept = {name: getattr(current, name) for name in names}
    row = ClassScheduling.objects.create(
        classroom=classroom, at=at, set_by=actor, reason=reason, **(kept | changed)
    )
    content_services.raise_revision(course=classroom.course)
    return row


@transaction.atomic
def store_policy_version(
    *,
    course: Course,
    policy: str,
    parameters: Mapping[str, Any],
    minutes: Mapping[int, float],
    provenance: Mapping[str, Any],
    at: dt.datetime,
) -> PolicyVersion:
    """Store what a policy has learnt; nobody is served by it until it is promoted."""
    body = {
        "parameters": dict(parameters),
        "minutes": {str(pk): value for pk, value in minutes.items()},
    }
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    # Two workers would count alike.
    content_services.lock_course(course=course)
    numbers = PolicyVersion.objects.filter(course=course, policy=policy)
    return PolicyVersion.objects.create(
        course=course,
        policy=policy,
        number=(numbers.aggregate(newest=Max("number"))["newest"] or 0) + 1,
        body=body,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        provenance=dict(provenance),
        created_at=at,
    )


@transaction.atomic
def promote_policy(*, version: PolicyVersion, at: dt.datetime, reason: str) -> PolicyPromotion:
    """Let the version serve the classes that have its policy; an earlier one: a rollback."""
    row = PolicyPromotion.objects.create(
        course=version.course, version=version, at=at, reason=reason
    )
    content_services.raise_revision(course=version.course)
    return row


def note_night(*, course: Course, at: dt.datetime, found: Sequence[Mapping[str, Any]]) -> None:
    """Keep what a night of learning came to; the course is not due again that day."""
    PolicyNight.objects.create(course=course, at=at, found=list(found))


def release_learner(
    *, learner: Learner, course: Course, concept_id: int, actor: User, at: dt.datetime, note: str
) -> StuckRelease:
    """Let a concept's items come again that a learner was stuck on.

    Raises:
        NotStuck: by their newest decision the learner is not.
    """
    telling = selectors.list_telling(course_id=course.pk).filter(learner=learner)
    newest = telling.order_by("-pk").first()
    if newest is None or concept_id not in newest.stuck_on:
        raise NotStuck("The learner is not stuck on this concept.", concept=concept_id)
    tracer = tracing_selectors.get_tracer(course_id=course.pk, revision=course.revision)
    state = tracing_selectors.get_state(learner_id=learner.pk, tracer=tracer).filter
    known = dict(zip(state.concept_ids.tolist(), state.evidence_counts.tolist(), strict=True))
    return StuckRelease.objects.create(
        learner=learner,
        concept_id=concept_id,
        evidence_n=int(known.get(concept_id, 0)),
        at=at,
        released_by=actor,
        note=note,
    )
