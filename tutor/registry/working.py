"""The list of trainings: take one, do it, note what came out. For workers."""

import datetime as dt
import logging
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import OperationalError, transaction

from tutor.common.errors import TutorError
from tutor.common.heartbeat import ClaimLost, Heartbeat
from tutor.registry import claims, jobs, learning, selectors
from tutor.registry.claims import Claim, State
from tutor.registry.errors import SwitchUnderWay
from tutor.registry.models import SwitchJob, TrainingJob

logger = logging.getLogger(__name__)

# Workers that may end at a training before it has come an epoch further.
MOST_TRIES = 3
Clock = Callable[[], dt.datetime]


def work(*, now: Clock) -> int:
    """Do the trainings that no other worker is at, oldest first; return how many ended.

    A killed worker's is taken up after its last whole epoch, as soon as its signs of life are old
    enough.
    """
    count = 0
    for job in selectors.list_trainings_to_take():
        count += train(job_id=job.pk, now=now)
    follow_up(at=now())
    _remove_strays()
    return count


def train(*, job_id: int, now: Clock, tell: learning.Tell = lambda *_: None) -> bool:
    """Take the training and carry it out; return whether it came to an end here.

    Args:
        job_id: of the row.
        now: the clock.
        tell: called as the work goes on, beside what is noted in the row.
    """
    claim = claims.take(job_id=job_id, at=now(), token=uuid.uuid4())
    if claim is None:
        return False
    try:
        if claim.job.tries <= MOST_TRIES:
            return _carry_out(claim, now, tell)
        problem = (
            f"The worker ended {MOST_TRIES} times at the same epoch, most likely because the "
            "memory ran out. Train on a larger machine, or with smaller settings."
        )
    except ClaimLost:
        return False
    except OperationalError:
        # The database is away: the task is tried again, and goes on after the last whole epoch.
        claim.let_go()
        raise
    except TutorError as error:
        problem = error.message
    except Exception:
        # Of one course's training, not of the sweep: the other courses' are still to be done.
        logger.exception("Training %s", job_id)
        problem = "It failed unexpectedly; the operator finds why in the worker's log."
    return claim.finish(state=State.REFUSED, at=now(), problem=problem)


def _carry_out(claim: Claim, now: Clock, tell: learning.Tell) -> bool:
    job, folder = claim.job, folder_of(claim.job.pk)
    with Heartbeat(claim) as beat:

        def told(stage: str, done: int, total: int) -> None:
            beat.tell(stage, done, total)
            tell(stage, done, total)
            if stage.startswith(learning.TRAINING) and done:
                # An epoch is kept by now: this worker has come forward.
                claim.note(tries=1)

        trained = learning.learn(
            job=job,
            folder=folder,
            at=now(),
            tell=told,
            note=lambda snapshot: claim.note(snapshot=dict(snapshot)),
        )
    gates = learning.gates_of(trained)
    with transaction.atomic():
        network, candidate = learning.store(job=job, trained=trained)
        is_held = claim.finish(
            state=State.DONE,
            at=now(),
            scores=trained.verdict.scores,
            gates=gates,
            passed=all(gate["passed"] for gate in gates),
            network=network,
            candidate=candidate,
        )
        if not is_held:
            # Called off, or another worker's by now: nothing of it stays.
            transaction.set_rollback(True)
    if is_held:
        shutil.rmtree(folder, ignore_errors=True)
    return is_held


def follow_up(*, at: dt.datetime) -> int:
    """Ask for what comes after a training: its use, or a look at what that would change.

    What a killed worker did not come to ask for is asked for by the next.
    """
    asked = 0
    for job in selectors.list_trainings_to_follow_up():
        uses = job.is_to_be_used and bool(job.passed)
        kind = SwitchJob.Kind.PROMOTE if uses else SwitchJob.Kind.COMPARE
        try:
            # Not before its end, as another machine's clock may say: it would be asked for again.
            jobs.ask_for_switch(
                course=job.course,
                kind=kind,
                tracer=job.candidate,
                at=max(at, job.finished_at or at),
            )
        except SwitchUnderWay:
            continue
        asked += 1
    return asked


def folder_of(job_id: int) -> Path:
    """Return where a training keeps its state after every epoch."""
    return Path(settings.TRAINING_DIR) / f"training-{job_id}"


def _remove_strays() -> None:
    """Delete what trainings have left that ended without a worker: called off, for instance."""
    base = Path(settings.TRAINING_DIR)
    if not base.is_dir():
        return
    still_open = TrainingJob.objects.filter(state__in=claims.OPEN).values_list("pk", flat=True)
    is_open = {str(pk) for pk in still_open}
    for folder in base.glob("training-*"):
        if folder.name.removeprefix("training-") not in is_open:
            shutil.rmtree(folder, ignore_errors=True)
