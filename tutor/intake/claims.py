"""What a worker does to an upload's row: take it, show that it lives, hand in what came out.

Each is one conditional UPDATE under the worker's claim. Whoever has lost the claim, because a
person cancelled or because it was thought dead, changes nothing any more. Signs of life are by the
database's clock: workers whose own clocks differ by more than a minute would take living imports
from each other.
"""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q

from tutor.common import clock
from tutor.intake.models import WORK, State, Upload
from tutor.intake.selectors import silent

# A worker shows a sign of life every two seconds; after so long without one it is dead.
DEAD_AFTER = dt.timedelta(seconds=60)
MOST_TRIES = 3


@dataclass(frozen=True, slots=True)
class Claim:
    """One worker's right to take one step with an upload."""

    upload: Upload
    token: uuid.UUID

    @property
    def step(self) -> State:
        """The step that was claimed."""
        return State(self.upload.state)

    def is_held(self) -> bool:
        """Test whether the step is still this worker's."""
        return self._rows().exists()

    def show_life(self, *, at: dt.datetime, stage: str, done: int, total: int) -> bool:  # noqa: ARG002 - by another clock
        """Note that the worker is alive and how far it is; return whether the claim holds."""
        told = {"stage": stage, "done": done, "total": total}
        return bool(self._rows().update(beat_at=clock.of_database(), **told))

    def note(self, **entries: Any) -> bool:
        """Write something down and stay at the step; return whether the claim holds."""
        return bool(self._rows().update(**entries))

    def finish(self, *, to: State, at: dt.datetime, **entries: Any) -> bool:
        """Move the upload on and let go of it; return whether the claim held."""
        ended = {"claim": None, "beat_at": None, "tries": 0, "stage": "", "done": 0, "total": 0}
        return bool(self._rows().update(state=to, moved_at=at, **{**ended, **entries}))

    def _rows(self) -> Any:
        return Upload.objects.filter(pk=self.upload.pk, state=self.step, claim=self.token)


def take(*, upload_id: int, token: uuid.UUID) -> Claim | None:
    """Take the upload's next step; None where there is none or another worker is at it."""
    now = clock.of_database()
    nobody = Q(claim__isnull=True) | silent(now=now, dead_after=DEAD_AFTER)
    rows = Upload.objects.filter(nobody, pk=upload_id, state__in=WORK)
    if not rows.update(claim=token, beat_at=now, tries=F("tries") + 1):
        return None
    upload = Upload.objects.select_related("organisation", "course", "uploaded_by").get(
        pk=upload_id
    )
    # Between the two statements a person may have cancelled.
    return Claim(upload=upload, token=token) if upload.claim == token else None


def void_all() -> int:
    """Let go of every step, and return how many that was: whoever was at it is dead.

    For a starting worker that is known to be the only one, so that nobody waits `DEAD_AFTER`.
    """
    return Upload.objects.filter(state__in=WORK, claim__isnull=False).update(claim=None)
