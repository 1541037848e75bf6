"""The list of work: take a job, do it, note what came out. For workers."""

import datetime as dt
import logging

from django.db import OperationalError

from tutor.calibration import comparing, promoting, running, selectors, services
from tutor.calibration.errors import CalibrationBusy, RunRefused
from tutor.calibration.models import CalibrationJob, CalibrationRun
from tutor.common.errors import TutorError
from tutor.content.models import Course
from tutor.tracing import adoption

logger = logging.getLogger(__name__)

# A job that has brought so many workers down is not tried again.
MOST_TRIES = 3


def work(*, at: dt.datetime) -> int:
    """Do what is on the list, oldest first; return how many jobs came to an end.

    A job that another worker is at is left to it: the course's lock tells, and goes with the
    worker. So what a killed worker left is taken up by the next sweep.
    """
    return sum(_take(job, at) for job in selectors.list_open_jobs())


def _take(job: CalibrationJob, at: dt.datetime) -> bool:
    """Do the job if no other worker is at its course; return whether it came to an end."""
    try:
        with running.hold(job.course):
            return _do(job, at)
    except CalibrationBusy:
        return False


def _do(job: CalibrationJob, at: dt.datetime) -> bool:
    # Only now that the lock is held it is certain that nobody else is at it, or has been.
    job.refresh_from_db()
    if job.finished_at is not None:
        return False
    if job.tries >= MOST_TRIES:
        problem = f"It was broken off {MOST_TRIES} times; ask the operator to look at the log."
        services.end_job(job=job, at=at, problem=problem)
        return True
    services.begin_job(job=job, at=at)
    try:
        _DO[job.kind](job, at)
    except (CalibrationBusy, OperationalError):
        # A database that is away or found a deadlock: the task is tried again, the job stays.
        raise
    except TutorError as error:
        services.end_job(job=job, at=at, problem=error.message)
    except Exception:
        # Of one course's job, not of the sweep: the other courses' jobs are still to be done.
        logger.exception("Calibration job %s", job.pk)
        problem = "It failed unexpectedly; the operator finds why in the log."
        services.end_job(job=job, at=at, problem=problem)
    return True


def _calibrate(job: CalibrationJob, at: dt.datetime) -> None:
    # A worker that was killed after it had stored the run leaves only the difference to be told.
    run = job.run or running.calibrate_held(
        course=job.course,
        at=at,
        progress=lambda stage, share: services.show_progress(
            job=job, stage=stage, hundredths=share
        ),
        stored=lambda run: services.note_run(job=job, run=run),
    )
    difference = difference_of(course=job.course, run=run, at=at)
    services.end_job(job=job, at=at, difference=difference)


def difference_of(*, course: Course, run: CalibrationRun, at: dt.datetime) -> list[str]:
    """Return in lines what using the run would change, or why it may not be used as it is."""
    try:
        ready = promoting.prepare(course=course, run=run)
    except RunRefused as error:
        return [error.message]
    return comparing.explain(course=course, ready=ready, at=at)


def _promote(job: CalibrationJob, at: dt.datetime) -> None:
    assert job.run is not None  # noqa: S101 - `services.ask_for` sees to it
    difference = difference_of(course=job.course, run=job.run, at=at)
    promoting.promote_held(
        course=job.course,
        run=job.run,
        at=at,
        progress=_folding(job),
        switching=lambda _: services.end_job(job=job, at=at, difference=difference),
    )


def _roll_back(job: CalibrationJob, at: dt.datetime) -> None:
    # The job ends with the switch: done a second time, it would lead back again.
    promoting.roll_back_held(
        course=job.course,
        at=at,
        progress=_folding(job),
        switching=lambda version: services.end_job(
            job=job, at=at, difference=[f"v{version.number} is live again."]
        ),
    )


def _folding(job: CalibrationJob) -> promoting.Folded:
    total, done = max(adoption.count_learners(course=job.course), 1), 0

    def tell(learners: int) -> None:
        nonlocal done
        before, done = done * 100 // total, done + learners
        if done * 100 // total > before:
            share = min(done * 100 // total, 99)
            services.show_progress(job=job, stage="folding learners", hundredths=share)

    return tell


_DO = {
    CalibrationJob.Kind.CALIBRATE: _calibrate,
    CalibrationJob.Kind.PROMOTE: _promote,
    CalibrationJob.Kind.ROLL_BACK: _roll_back,
}
