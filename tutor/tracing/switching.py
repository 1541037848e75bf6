"""The list of switches: compare, use or leave a tracer version, and note what came out."""

import datetime as dt
import logging
from functools import partial

from django.db import OperationalError

from tutor.common import clock
from tutor.common.errors import TutorError
from tutor.registry import jobs
from tutor.registry import selectors as registry_selectors
from tutor.registry.errors import SwitchUnderWay
from tutor.registry.models import SwitchJob, TracerVersion
from tutor.tracing import adoption, comparing, holding, promoting

logger = logging.getLogger(__name__)

# A job that has brought so many workers down is not tried again.
MOST_TRIES = 3
FOLDING, COMPARING = "folding learners", "comparing estimates"


def work(*, at: dt.datetime) -> int:
    """Do what is on the list, oldest first; return how many jobs came to an end.

    A course that another worker is at is left to it: its lock tells, and goes with the worker. So
    what a killed worker left is taken up by the next sweep.
    """
    now = clock.going_on_from(at)
    return sum(_take(job, now()) for job in registry_selectors.list_open_switches())


def _take(job: SwitchJob, at: dt.datetime) -> bool:
    try:
        with holding.hold(job.course):
            return _do(job, at)
    except SwitchUnderWay:
        return False


def _do(job: SwitchJob, at: dt.datetime) -> bool:
    # Only now that the lock is held it is certain that nobody else is at it, or has been.
    job.refresh_from_db()
    if job.finished_at is not None:
        return False
    if job.tries >= MOST_TRIES:
        problem = f"It was broken off {MOST_TRIES} times; ask the operator to look at the log."
        jobs.end_switch(job=job, at=at, problem=problem)
        return True
    jobs.begin_switch(job=job, at=at)
    try:
        _DO[job.kind](job, at)
    except OperationalError:
        # A database that is away or found a deadlock: the task is tried again, the job stays.
        raise
    except TutorError as error:
        jobs.end_switch(job=job, at=at, problem=error.message)
    except Exception:
        # Of one course's job, not of the sweep: the other courses' jobs are still to be done.
        logger.exception("Switch %s", job.pk)
        problem = "It failed unexpectedly; the operator finds why in the log."
        jobs.end_switch(job=job, at=at, problem=problem)
    return True


def _compare(job: SwitchJob, at: dt.datetime) -> None:
    assert job.tracer is not None  # noqa: S101 - `jobs.ask_for_switch` sees to it
    version = promoting.fold_in_shadow(
        course=job.course, tracer=job.tracer, at=at, progress=_folding(job)
    )
    difference = _difference(job, at, version)
    jobs.end_switch(job=job, at=at, difference=difference)


def _promote(job: SwitchJob, at: dt.datetime) -> None:
    assert job.tracer is not None  # noqa: S101 - `jobs.ask_for_switch` sees to it
    promoting.promote_held(
        course=job.course,
        tracer=job.tracer,
        at=at,
        forced_because=job.forced_because,
        progress=_folding(job),
        looking=partial(_look, job, at),
        switching=partial(_end, job, at, "is in use."),
    )


def _roll_back(job: SwitchJob, at: dt.datetime) -> None:
    # The job ends with the switch: done a second time, it would lead back again.
    promoting.roll_back_held(
        course=job.course,
        at=at,
        progress=_folding(job),
        looking=partial(_look, job, at),
        switching=partial(_end, job, at, "is in use again."),
    )


def _look(job: SwitchJob, at: dt.datetime, version: TracerVersion) -> None:
    jobs.show_switch(
        job=job, stage=COMPARING, hundredths=99, difference=_difference(job, at, version)
    )


def _difference(job: SwitchJob, at: dt.datetime, version: TracerVersion) -> list[str]:
    jobs.show_switch(job=job, stage=COMPARING, hundredths=99)
    return comparing.explain(course=job.course, version=version, at=at)


def _end(job: SwitchJob, at: dt.datetime, what: str, version: TracerVersion) -> None:
    job.refresh_from_db(fields=["difference"])
    lines = [f"v{version.number} {what}", *job.difference]
    jobs.end_switch(job=job, at=at, difference=lines)


def _folding(job: SwitchJob) -> promoting.Folded:
    total, done = max(adoption.count_learners(course=job.course), 1), 0

    def tell(learners: int) -> None:
        nonlocal done
        before, done = done * 100 // total, done + learners
        if done * 100 // total > before:
            share = min(done * 100 // total, 99)
            jobs.show_switch(job=job, stage=FOLDING, hundredths=share)

    return tell


_DO = {
    SwitchJob.Kind.COMPARE: _compare,
    SwitchJob.Kind.PROMOTE: _promote,
    SwitchJob.Kind.ROLL_BACK: _roll_back,
}
