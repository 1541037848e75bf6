"""Writes of how items are chosen: a class's settings, releases, what policies have learnt."""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Max

from tutor.accounts.models import Learner, User
from tutor.classes.models import Classroom
from tutor.content import services as content_services
from tutor.content.models import Course
from tutor.scheduling import engine
from tutor.scheduling.errors import NotStuck, UnknownPolicy
from tutor.scheduling.models import (
    ClassScheduling,
    PolicyPromotion,
    PolicyVersion,
    StuckRelease,
)
from tutor.tracing import selectors as tracing_selectors


@transaction.atomic
def set_class_scheduling(
    *,
    classroom: Classroom,
    actor: User | None,
    at: dt.datetime,
    policy: str,
    explores: bool,
    probes: bool,
    kill_switch: bool,
    reason: str = "",
) -> ClassScheduling:
    """Say how the class's items are chosen from now on; the next choice follows it.

    Raises:
        UnknownPolicy: there is no policy of this name.
    """
    if policy not in engine.POLICY_NAMES:
        raise UnknownPolicy(
            f"There is no policy {policy!r}: choose one of {', '.join(engine.POLICY_NAMES)}.",
            policy=policy,
        )
    row = ClassScheduling.objects.create(
        classroom=classroom,
        policy=policy,
        explores=explores,
        probes=probes,
        kill_switch=kill_switch,
        at=at,
        set_by=actor,
        reason=reason,
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
    # Two workers would count alike: the course's row makes the second wait.
    Course.objects.select_for_update().get(pk=course.pk)
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


def release_learner(
    *, learner: Learner, course: Course, concept_id: int, actor: User, at: dt.datetime, note: str
) -> StuckRelease:
    """Let a concept's items come again that a learner was stuck on.

    Raises:
        NotStuck: the learner has no answers on it, or it is no concept of the course.
    """
    tracer = tracing_selectors.get_tracer(course_id=course.pk, revision=course.revision)
    state = tracing_selectors.get_state(learner_id=learner.pk, tracer=tracer)
    known = dict(
        zip(state.filter.concept_ids.tolist(), state.filter.evidence_counts.tolist(), strict=True)
    )
    if concept_id not in known or concept_id not in tracer.bank.index_of_concept:
        raise NotStuck("The learner is not stuck on this concept.", concept=concept_id)
    return StuckRelease.objects.create(
        learner=learner,
        concept_id=concept_id,
        evidence_n=int(known[concept_id]),
        at=at,
        released_by=actor,
        note=note,
    )
