"""What a worker does to a training's row: take it, show that it lives, hand in what came out.

Each is one conditional UPDATE under the worker's claim. Whoever has lost the claim, because a
person called the training off or because it was thought dead, changes nothing any more. Signs of
life are by the database's clock: machines whose own clocks differ by more than a minute would take
a living training from each other.
"""

import datetime as dt
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q

from tutor.common import clock
from tutor.registry.models import TrainingJob

State = TrainingJob.State
OPEN = (State.WAITING, State.RUNNING)
# A worker shows a sign of life every two seconds, in the midst of an epoch too.
DEAD_AFTER = dt.timedelta(seconds=60)
# Five of them: what a starting worker waits for, where whoever held a training was likely killed.
SILENT_S = 10.0


@dataclass(frozen=True, slots=True)
class Claim:
    """One worker's right to carry a training out."""

    job: TrainingJob
    token: uuid.UUID

    def show_life(self, *, at: dt.datetime, stage: str, done: int, total: int) -> bool:  # noqa: ARG002 - by another clock
        """Note that the worker is alive and how far it is; return whether the claim holds."""
        told = {"stage": stage[:60], "done": done, "total": total}
        return bool(self._rows().update(beat_at=clock.of_database(), **told))

    def note(self, **entries: Any) -> bool:
        """Write something down and go on; return whether the claim holds."""
        return bool(self._rows().update(**entries))

    def finish(self, *, state: State, at: dt.datetime, **entries: Any) -> bool:
        """Note what came of it and let go; return whether the claim held."""
        ended = {"claim": None, "beat_at": None, "stage": "", "finished_at": at}
        return bool(self._rows().update(state=state, **{**ended, **entries}))

    def let_go(self) -> bool:
        """Leave the training to the next worker; return whether the claim held."""
        return bool(self._rows().update(claim=None, beat_at=None))

    def _rows(self) -> Any:
        return TrainingJob.objects.filter(pk=self.job.pk, state=State.RUNNING, claim=self.token)


def is_free(*, now: dt.datetime) -> Q:
    """Return the condition of trainings that no living worker is at; `now` is the database's."""
    # A sign of life from the future is that of a clock which has been set back since.
    dead = Q(beat_at__lt=now - DEAD_AFTER) | Q(beat_at__gt=now + DEAD_AFTER)
    return Q(claim__isnull=True) | dead


def take(*, job_id: int, at: dt.datetime, token: uuid.UUID) -> Claim | None:
    """Take the training; None where it has ended or another worker is at it.

    `at` is when it began, if it had not yet.
    """
    now = clock.of_database()
    rows = TrainingJob.objects.filter(is_free(now=now), pk=job_id, state__in=OPEN)
    taken = {"state": State.RUNNING, "claim": token, "beat_at": now, "tries": F("tries") + 1}
    if not rows.update(**taken):
        return None
    TrainingJob.objects.filter(pk=job_id, started_at__isnull=True).update(started_at=at)
    job = TrainingJob.objects.select_related("course__organisation", "asked_by").get(pk=job_id)
    # Between the statements a person may have called it off.
    return Claim(job=job, token=token) if job.claim == token else None


def void_silent(*, wait: Callable[[float], object] = time.sleep) -> int:
    """Let go of trainings that show no sign of life for a while; return how many.

    For a starting worker that is the only one, so that a killed worker's training need not wait
    `DEAD_AFTER`. A command in another process may be training too: it goes on to beat, and is
    left alone.
    """
    held = TrainingJob.objects.filter(state__in=OPEN, claim__isnull=False)
    before = list(held.values_list("pk", "claim", "beat_at"))
    if not before:
        return 0
    wait(SILENT_S)
    return sum(
        held.filter(pk=pk, claim=claim, beat_at=beat_at).update(claim=None)
        for pk, claim, beat_at in before
    )
