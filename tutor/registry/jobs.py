"""Writes of the lists of work: trainings, and switches from one tracer version to another.

Light: what trains is in `working`, what switches in tutor.tracing.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F

from tutor.accounts import services as account_services
from tutor.accounts.models import User
from tutor.content.models import Course
from tutor.registry import queue, selectors
from tutor.registry.claims import OPEN
from tutor.registry.errors import (
    GatesFailed,
    SwitchUnderWay,
    TracerOfAnotherCourse,
    TrainingUnderWay,
)
from tutor.registry.models import SwitchJob, TracerVersion, TrainingJob

Kind = SwitchJob.Kind


def ask_for_training(
    *,
    course: Course,
    at: dt.datetime,
    model: str = "cakt-item",
    settings: Mapping[str, Any] | None = None,
    seed: int = 0,
    is_to_be_used: bool = False,
    tells_workers: bool = True,
    actor: User | None = None,
) -> TrainingJob:
    """Put the training of a network on the list of work.

    Args:
        course: whose log it learns from.
        at: the present.
        model: kt_models' name of the model.
        settings: what differs from its usual ones.
        seed: of the learners kept aside, the first weights and the order of batches.
        is_to_be_used: whether it comes into use by itself where every gate is passed.
        tells_workers: whether a worker is nudged; not by whoever trains for themselves.
        actor: who asks.

    Raises:
        TrainingUnderWay: one is on the list for the course already.
    """
    try:
        with transaction.atomic():
            job = TrainingJob.objects.create(
                course=course,
                model=model,
                settings=dict(settings or {}),
                seed=seed,
                is_to_be_used=is_to_be_used,
                asked_by=actor,
                asked_at=at,
            )
    except IntegrityError as error:
        raise TrainingUnderWay(
            "A network is being trained for this course already.", course=course.pk
        ) from error
    _audit(course, "registry.train", at=at, actor=actor, facts={"model": model})
    if tells_workers:
        transaction.on_commit(queue.nudge_training)
    return job


def call_off(*, job: TrainingJob, at: dt.datetime, actor: User | None = None) -> bool:
    """End a training that waits or runs; return whether there was something to end.

    A worker that is at it stops within seconds.
    """
    ended = {"state": TrainingJob.State.CANCELLED, "finished_at": at, "claim": None, "stage": ""}
    rows = TrainingJob.objects.filter(pk=job.pk, state__in=OPEN)
    if not rows.update(**ended):
        return False
    _audit(job.course, "registry.call-off", at=at, actor=actor, facts={"training": job.pk})
    return True


def ask_for_switch(
    *,
    course: Course,
    kind: str,
    at: dt.datetime,
    tracer: TracerVersion | None = None,
    forced_because: str = "",
    actor: User | None = None,
) -> SwitchJob:
    """Put on the list of work that a tracer version is compared, used, or left again.

    Args:
        course: whose tracer.
        kind: of `SwitchJob.Kind`.
        at: the present.
        tracer: the version; none for the way back.
        forced_because: why it is to be used though a gate failed.
        actor: who asks.

    Raises:
        SwitchUnderWay: a switch is on the list for the course already.
        GatesFailed: a gate of the version failed, and nobody says why it is to be used all the
            same.
        TracerOfAnotherCourse: no version, or another course's, is to be used.
    """
    if kind != Kind.ROLL_BACK:
        require_promotable(course=course, tracer=tracer, forced_because=forced_because, kind=kind)
    try:
        with transaction.atomic():
            job = SwitchJob.objects.create(
                course=course,
                kind=kind,
                tracer=tracer,
                forced_because=forced_because[:150],
                asked_by=actor,
                asked_at=at,
            )
    except IntegrityError as error:
        raise SwitchUnderWay(
            "This course's tracer is being switched already.", course=course.pk
        ) from error
    if kind != Kind.COMPARE:
        facts = {"tracer": None if tracer is None else tracer.number}
        if forced_because:
            facts["forced_because"] = forced_because
        _audit(course, f"registry.{kind}", at=at, actor=actor, facts=facts)
    transaction.on_commit(queue.nudge_switch)
    return job


def require_promotable(
    *, course: Course, tracer: TracerVersion | None, forced_because: str, kind: str = Kind.PROMOTE
) -> None:
    """Refuse a version that must not be used: raises as `ask_for_switch`."""
    if tracer is None or tracer.course_id != course.pk:
        raise TracerOfAnotherCourse("Choose a tracer version of this course.", course=course.pk)
    failed = selectors.list_failed_gates(tracer=tracer)
    if failed and kind == Kind.PROMOTE and not forced_because.strip():
        raise GatesFailed(
            f"v{tracer.number} did not pass: {', '.join(failed)}. To use it all the same, say why.",
            gates=failed,
        )


def begin_switch(*, job: SwitchJob, at: dt.datetime) -> None:
    """Note that a worker has begun, and that this is one try more."""
    own = SwitchJob.objects.filter(pk=job.pk)
    own.update(state=SwitchJob.State.RUNNING, started_at=at, tries=F("tries") + 1)


def show_switch(*, job: SwitchJob, stage: str, hundredths: int, **noted: Any) -> None:
    """Note how far the switch is, and what else is known of it by now."""
    own = SwitchJob.objects.filter(pk=job.pk)
    own.update(stage=stage[:60], hundredths=hundredths, **noted)


def end_switch(*, job: SwitchJob, at: dt.datetime, problem: str = "", **outcome: Any) -> None:
    """Note what came of the job: `difference`, or why it was refused; what has ended stays so."""
    state = SwitchJob.State.REFUSED if problem else SwitchJob.State.DONE
    SwitchJob.objects.filter(pk=job.pk, finished_at__isnull=True).update(
        state=state, finished_at=at, problem=problem, stage="", hundredths=100, **outcome
    )


def _audit(
    course: Course, action: str, *, at: dt.datetime, actor: User | None, facts: dict[str, Any]
) -> None:
    account_services.record_audit(
        at=at,
        action=action,
        organisation=course.organisation,
        actor=actor,
        subject=course.slug,
        facts=facts,
    )
