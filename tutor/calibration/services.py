"""Writes of calibrations and of items' lives. Light: what computes is in `running`."""

import contextlib
import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Max

from tutor.accounts import services as account_services
from tutor.accounts.models import User
from tutor.calibration import life, queue, selectors
from tutor.calibration.errors import CalibrationBusy, RunRefused, StatusRefused
from tutor.calibration.models import (
    CalibrationJob,
    CalibrationRun,
    CrowdAnswer,
    ItemCalibration,
)
from tutor.common import clock
from tutor.content import services as content_services
from tutor.content import statuses
from tutor.content.models import Course, Item, ItemVersion, StatusChange

Status = Item.Status
NIGHT = dt.timedelta(hours=24)


@transaction.atomic
def store_run(
    *, course: Course, fields: Mapping[str, Any], items: list[dict[str, Any]]
) -> CalibrationRun:
    """Store a run with what it says of every item version: all of it, or nothing."""
    # Keeps two runs from taking the same number.
    content_services.lock_course(course=course)
    newest = CalibrationRun.objects.filter(course=course).aggregate(Max("number"))["number__max"]
    run = CalibrationRun.objects.create(course=course, number=(newest or 0) + 1, **fields)
    ItemCalibration.objects.bulk_create(
        [ItemCalibration(run=run, **row) for row in items], batch_size=200
    )
    return run


def ask_for(
    *,
    course: Course,
    at: dt.datetime,
    kind: str = CalibrationJob.Kind.CALIBRATE,
    run: CalibrationRun | None = None,
    actor: User | None = None,
) -> CalibrationJob:
    """Put a calibration of the course, a promotion or the way back on the list of work.

    Raises:
        CalibrationBusy: something is on the list for the course already.
        RunRefused: no run, or another course's, is to be used.
    """
    if kind == CalibrationJob.Kind.PROMOTE and (run is None or run.course_id != course.pk):
        raise RunRefused("Choose a calibration of this course.", course=course.pk)
    try:
        with transaction.atomic():
            job = CalibrationJob.objects.create(
                course=course, kind=kind, asked_at=at, asked_by=actor, run=run
            )
    except IntegrityError as error:
        raise CalibrationBusy(
            "This course is being calibrated or promoted already.", course=course.pk
        ) from error
    account_services.record_audit(
        at=at,
        action=f"calibration.{kind}",
        organisation=course.organisation,
        actor=actor,
        subject=course.slug,
        facts={} if run is None else {"calibration": run.number},
    )
    transaction.on_commit(queue.nudge)
    return job


def ask_for_all(*, at: dt.datetime) -> int:
    """Put every course with answers of the last day on the list; return how many are new there."""
    count = 0
    for course in selectors.list_courses_with_new_answers(since=at - NIGHT):
        try:
            ask_for(course=course, at=at)
        except CalibrationBusy:
            continue
        count += 1
    return count


def store_crowd_answer(
    *, version: ItemVersion, respondent: str, answer: dict[str, Any], is_correct: bool
) -> None:
    """Store a respondent's answer; the first one stands."""
    CrowdAnswer.objects.bulk_create(
        [CrowdAnswer(version=version, respondent=respondent, answer=answer, is_correct=is_correct)],
        ignore_conflicts=True,
    )


def begin_job(*, job: CalibrationJob, at: dt.datetime) -> None:
    """Note that a worker has begun, and that this is one try more."""
    own = CalibrationJob.objects.filter(pk=job.pk)
    own.update(state=CalibrationJob.State.RUNNING, started_at=at, tries=F("tries") + 1)


def note_run(*, job: CalibrationJob, run: CalibrationRun) -> None:
    """Note the run that the job has made, so that the next worker goes on from it."""
    CalibrationJob.objects.filter(pk=job.pk).update(run=run)


def show_progress(*, job: CalibrationJob, stage: str, hundredths: int) -> None:
    """Note how far the job is."""
    CalibrationJob.objects.filter(pk=job.pk).update(stage=stage[:60], hundredths=hundredths)


def end_job(*, job: CalibrationJob, at: dt.datetime, problem: str = "", **outcome: Any) -> None:
    """Note what came of the job: `difference`, or why it was refused; what has ended stays so."""
    state = CalibrationJob.State.REFUSED if problem else CalibrationJob.State.DONE
    CalibrationJob.objects.filter(pk=job.pk, finished_at__isnull=True).update(
        state=state, finished_at=at, problem=problem, stage="", hundredths=100, **outcome
    )


@transaction.atomic
def set_status(*, item: Item, status: str, actor: User, reason: str) -> StatusChange | None:
    """Move an item on in its life by hand, or confirm where it was moved to.

    Where an item is counted again, the calibration in use is put on the list of work, so that
    everybody's estimates take its answers in.

    Returns:
        The row that says so; None where nothing is new.

    Raises:
        StatusRefused: no reason is given, or the item is to be called operational without the
            answers for it.
    """
    if not reason.strip():
        raise StatusRefused("Say why: others have to understand it later.", item=item.slug)
    if status not in Status.values:
        raise StatusRefused(f"There is no status {status!r}.", item=item.slug)
    # First the course, then its items, like everybody who changes both.
    content_services.lock_course(course=item.course)
    if status == Status.OPERATIONAL and not _is_known(item):
        raise StatusRefused(
            f"An item is operational after {life.OPERATIONAL_ANSWERS} answers with a standard "
            f"error below {life.OPERATIONAL_SE}; a class may use it as provisional until then.",
            item=item.slug,
        )
    changed = statuses.change_statuses(changes={item.pk: status}, reason=reason, actor=actor)
    if not changed:
        return statuses.confirm_status(item=item, reason=reason, actor=actor)
    content_services.raise_revision(course=item.course)
    _count_again(changed[0], actor)
    return changed[0]


def _count_again(change: StatusChange, actor: User) -> None:
    """Ask for the calibration in use once more, where it leaves out an item no longer excluded."""
    if change.before == Status.EXCLUDED:
        ask_again(course=change.item.course, actor=actor)


def ask_again(*, course: Course, actor: User | None) -> None:
    """Ask for the calibration in use, if there is one, to be put to use as things are now.

    A promotion that is under way takes up what has changed by itself.
    """
    run = selectors.get_pinned_run(course_id=course.pk)
    if run is None:
        return
    # With something on the list already, it waits for the next promotion.
    with contextlib.suppress(CalibrationBusy):
        ask_for(
            course=course,
            at=clock.now(),
            kind=CalibrationJob.Kind.PROMOTE,
            run=run,
            actor=actor,
        )


def _is_known(item: Item) -> bool:
    newest = selectors.get_newest_run(course_id=item.course_id)
    row = newest and newest.items.filter(version=item.current_id).first()
    return bool(row) and life.Figures(row.n, row.difficulty_se, row.flags).is_known


@transaction.atomic
def take_back(*, change: StatusChange, actor: User, reason: str) -> StatusChange:
    """Take a change of status back.

    Raises:
        StatusRefused: the item has moved on since, or the change was taken back before.
    """
    content_services.lock_course(course=change.item.course)
    done = statuses.revert_change(change=change, reason=reason or "taken back", actor=actor)
    if done is None:
        raise StatusRefused("The item has moved on since.", item=change.item.slug)
    content_services.raise_revision(course=change.item.course)
    _count_again(done, actor)
    return done


@transaction.atomic
def apply_moves(*, run: CalibrationRun, moves: Mapping[int, tuple[str, str]]) -> None:
    """Move items as a promoted run says, id -> (status, why); the switch raises the revision."""
    for reason in sorted({reason for _, reason in moves.values()}):
        statuses.change_statuses(
            changes={pk: status for pk, (status, why) in moves.items() if why == reason},
            reason=reason[:300],
            calibration=run.number,
        )


@transaction.atomic
def take_moves_back(*, course: Course, number: int, reason: str) -> int:
    """Take back what a run moved and nobody has moved since; return how many items."""
    rows = StatusChange.objects.filter(
        item__course=course, calibration=number, reverted_by__isnull=True, reverts__isnull=True
    ).select_related("item")
    done = [
        statuses.revert_change(change=change, reason=reason, actor=None)
        for change in rows.order_by("-pk")
    ]
    return sum(one is not None for one in done)


@transaction.atomic
def set_pilot_share(*, course: Course, share: float) -> None:
    """Set the share of choices, 0 to 0.2, in which items are tried out.

    Raises:
        StatusRefused: it is outside that range.
    """
    if not 0.0 <= share <= 0.2:
        raise StatusRefused(f"A pilot share of {share} is outside 0 to 0.2.", share=share)
    Course.objects.filter(pk=course.pk).update(pilot_share=share)
    content_services.raise_revision(course=course)
