"""The proof that what is stored of a network is what the whole log gives.

For workers and commands; the web process never loads it.
"""

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tutor.registry import networks
from tutor.responses import columns as response_columns
from tutor.tracing import deep_folding, engine, selectors
from tutor.tracing.deep_reading import Place
from tutor.tracing.models import DeepPrediction, DeepState
from tutor.tracing.shifts import Shifts

if TYPE_CHECKING:
    from tutor.tracing.forward import After

# Numbers of a state, see `Checked.apart`: in single precision (6e-8 of each) and summed in another
# order. Histories of 400 and 4,000 answers in pieces came to lie at most 3e-7 apart.
TOLERANCE = 1e-6
# And what is predicted from it, in steps of 1/32 logit: rounded to the other side now and then.
STEPS = 1


@dataclass(frozen=True, slots=True)
class Checked:
    """A learner's stored state and newest prediction beside the whole log folded at once.

    Attributes:
        apart: by how much numbers a (stored) and b of the state differ at most,
            |a - b| / max(1, |b|): absolute up to 1, relative above. Infinite where one of both is
            missing or they stand at another answer.
        steps: by how many steps of 1/32 logit the prediction differs at most, of the items that
            both tell of; None where the newest has not seen all answers, or the filter has not.
    """

    learner_id: int
    apart: float
    steps: int | None

    @property
    def is_same(self) -> bool:
        """Whether the state is what the log gives."""
        return self.apart <= TOLERANCE

    @property
    def is_same_prediction(self) -> bool:
        """Whether the prediction is, or is not to be compared."""
        return self.steps is None or self.steps <= STEPS


def check_everybody(*, tracer: engine.CourseTracer, now: dt.datetime) -> Iterator[Checked]:
    """Fold every history anew and hold what is stored against it; yield learner after learner."""
    if tracer.deep is None:
        return
    # Loads torch, and is rarely needed.
    from tutor.tracing import forward  # noqa: PLC0415

    rows = DeepState.objects.filter(tracer=tracer.tracer_id)
    stored = {row.learner_id: row for row in rows}
    told = selectors.list_newest_predictions(tracer_id=tracer.tracer_id)
    learners = {*stored, *response_columns.list_learners(course_id=tracer.bank.course_id)}
    for chunk in deep_folding.chunks(tracer, sorted(learners)):
        # Predicted for the moment at which it was.
        asked_at = {pk: told[pk].made_at for pk in chunk if pk in told}
        again = forward.advance(
            tracer=tracer, learner_ids=chunk, anew=chunk, now=now, asked_at=asked_at
        )
        found = {one.learner_id: one for one in again}
        for pk in chunk:
            row, one = stored.get(pk), found.get(pk)
            if row is None or one is None:
                yield Checked(pk, 0.0 if row is one else math.inf, None)
                continue
            yield Checked(pk, _apart(tracer, row, one), _steps_apart(told.get(pk), one))


def find_differences(
    *, tracer: engine.CourseTracer, now: dt.datetime
) -> Iterator[tuple[int, bool]]:
    """Yield (learner id, whether the stored deep state is that of the whole log folded at once)."""
    yield from ((one.learner_id, one.is_same) for one in check_everybody(tracer=tracer, now=now))


def _apart(tracer: engine.CourseTracer, row: DeepState, one: "After") -> float:
    place = Place(row.last_answered_at, row.last_response_id, row.n_responses)
    raw = bytes(row.state)
    if place != one.place or len(raw) != len(one.packed):
        return math.inf
    assert tracer.deep is not None  # noqa: S101 - there are states
    model = networks.open_network(tracer.deep.network_id)
    largest = 0.0
    for array in model.unpack([raw, one.packed]).values():
        a, b = np.asarray(array, dtype=np.float64)
        is_same = (a == b) | (np.isnan(a) & np.isnan(b))
        with np.errstate(invalid="ignore"):
            apart = np.where(is_same, 0.0, np.abs(a - b) / np.maximum(1.0, np.abs(b)))
        largest = max(largest, float(np.nan_to_num(apart, nan=np.inf).max(initial=0.0)))
    return largest


def _steps_apart(row: DeepPrediction | None, one: "After") -> int | None:
    if row is None or one.shifts is None:
        return None
    if (row.last_response_id, row.n_responses) != (
        one.place.last_response_id,
        one.place.n_responses,
    ):
        return None
    told = Shifts.from_bytes(bytes(row.shifts))
    # Items come and go after a prediction.
    _, mine, its = np.intersect1d(told.version_ids, one.shifts.version_ids, return_indices=True)
    apart = np.abs(told.steps[mine].astype(int) - one.shifts.steps[its])
    return int(apart.max(initial=0))
