"""The live tracer for one course: kt_models' streaming filter over the course's bank. Numpy only.

Everything here is data in and data out; what is stored where stands in services and selectors.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kt_models.streaming import psi_filter
from tutor.content.selectors import CourseBank
from tutor.responses.selectors import FoldRow

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# The newest answers kept beside the filter's state: what cool-downs and streaks look at.
RECENT_ANSWERS = 48
_RECENT_ROW = np.dtype([("item", "<i8"), ("at", "<f8"), ("credit", "<f8")])
_HEADER = struct.Struct("<4sI")
_MAGIC = b"TLS1"


@dataclass(frozen=True, slots=True)
class CourseTracer:
    """A tracer version laid over a course's bank of N items and K concepts.

    Attributes:
        item_offsets: (N,) logit offset of each item: fitted, inherited from an earlier version
            of the item, or the intercept minus the author's difficulty.
        fitted: (N,) whether the offset comes from answers.
        reference_offsets: (K,) offset of each concept's reference item, its median one.
    """

    tracer_id: int
    number: int
    parameters: psi_filter.FilterParameters
    bank: CourseBank
    item_offsets: Floats
    fitted: npt.NDArray[np.bool_]
    reference_offsets: Floats
    offset_of_version: dict[int, float]
    intercept: float


@dataclass(frozen=True, slots=True)
class TracedLearner:
    """A learner's state: the filter's part and the newest answers, oldest first."""

    filter: psi_filter.FilterState
    recent: npt.NDArray[np.void]

    def to_bytes(self) -> bytes:
        """Return the state as stored; a few KB, whatever the length of the history."""
        recent = self.recent.tobytes()
        return _HEADER.pack(_MAGIC, len(self.recent)) + recent + self.filter.to_bytes()

    @classmethod
    def from_bytes(cls, raw: bytes) -> "TracedLearner":
        """Return the state that `to_bytes` wrote.

        Raises:
            ValueError: the bytes are not of this form; fold the log again.
        """
        magic, size = _HEADER.unpack_from(raw)
        if magic != _MAGIC:
            message = "Not a learner state of this version: run manage.py rebuild_states."
            raise ValueError(message)
        recent = np.frombuffer(raw, _RECENT_ROW, size, _HEADER.size)
        start = _HEADER.size + recent.nbytes
        return cls(psi_filter.FilterState.from_bytes(raw[start:]), recent)


def lay_over(*, bank: CourseBank, tracer_id: int, number: int, body: dict[str, Any]) -> CourseTracer:
    """Return the tracer version with an offset for every item of the bank."""
    fitted_offsets = {int(key): float(value) for key, value in body["item_offsets"].items()}
    intercept = float(body["intercept"])
    offsets = intercept - bank.difficulty
    fitted = np.zeros(len(offsets), dtype=bool)
    for index, versions in enumerate(bank.ancestry):
        for version in versions:
            if version in fitted_offsets:
                offsets[index] = fitted_offsets[version]
                fitted[index] = True
                break
    offset_of_version = dict(zip(bank.version_ids.tolist(), offsets.tolist(), strict=True))
    return CourseTracer(
        tracer_id=tracer_id,
        number=number,
        parameters=psi_filter.FilterParameters.from_dict(body["parameters"]),
        bank=bank,
        item_offsets=offsets,
        fitted=fitted,
        reference_offsets=_reference_offsets(bank, offsets, intercept),
        # An answer to an older version counts with that version's own offset.
        offset_of_version=offset_of_version | fitted_offsets,
        intercept=intercept,
    )


def _reference_offsets(bank: CourseBank, offsets: Floats, intercept: float) -> Floats:
    reference = np.full(len(bank.concept_ids), intercept)
    for concept in range(len(reference)):
        own = offsets[(bank.concepts == concept).any(axis=1)]
        if own.size:
            # The lower of the two middle values, so that it is a real item's.
            reference[concept] = np.sort(own)[(own.size - 1) // 2]
    return reference


def start(tracer: CourseTracer) -> TracedLearner:
    """Return the state of a learner with no answers."""
    return TracedLearner(psi_filter.init(tracer.parameters), np.empty(0, dtype=_RECENT_ROW))


def fold_one(
    tracer: CourseTracer,
    state: TracedLearner,
    *,
    row: FoldRow,
    concept_ids: tuple[int, ...],
) -> TracedLearner:
    """Return the state after one answer.

    Help (a hint, or a second try after feedback) explains a right answer, so it is no evidence.
    """
    at = row.answered_at.timestamp()
    after = psi_filter.update(
        state.filter,
        tracer.parameters,
        concept_ids=concept_ids,
        item_offset=tracer.offset_of_version.get(row.version_id, tracer.intercept),
        correct=row.credit,
        at=at,
        assisted=row.hints_seen > 0 or row.attempt > 1,
    )
    newest = np.array([(row.item_id, at, row.credit)], dtype=_RECENT_ROW)
    recent = np.concatenate([state.recent[-(RECENT_ANSWERS - 1) :], newest])
    return TracedLearner(after, recent)


def fold(
    tracer: CourseTracer,
    state: TracedLearner,
    rows: Iterable[tuple[FoldRow, tuple[int, ...]]],
) -> TracedLearner:
    """Return the state after many answers, given in fold order with their concepts."""
    for row, concept_ids in rows:
        state = fold_one(tracer, state, row=row, concept_ids=concept_ids)
    return state


def predict_items(
    tracer: CourseTracer, state: TracedLearner, *, at: float
) -> psi_filter.Prediction:
    """Return P(right) with its uncertainty for every item of the bank, (N,)."""
    return psi_filter.predict(
        state.filter,
        tracer.parameters,
        concepts=tracer.bank.concept_pks,
        item_offsets=tracer.item_offsets,
        at=at,
    )


def expected_gain(tracer: CourseTracer, state: TracedLearner, *, at: float) -> Floats:
    """Return what practising each item is expected to teach, in logits, (N,)."""
    return psi_filter.expected_gain(
        state.filter,
        tracer.parameters,
        concepts=tracer.bank.concept_pks,
        item_offsets=tracer.item_offsets,
        at=at,
    )


def estimate_concepts(
    tracer: CourseTracer, state: TracedLearner, *, at: float
) -> psi_filter.ConceptEstimates:
    """Return the mastery of every concept of the course, (K,)."""
    return psi_filter.concept_estimates(
        state.filter,
        tracer.parameters,
        concept_ids=tracer.bank.concept_ids,
        concept_offsets=tracer.reference_offsets,
        at=at,
    )


def last_practised(tracer: CourseTracer, state: TracedLearner) -> Floats:
    """Return when each concept of the course was last practised, epoch seconds, -inf if never."""
    found = np.full(len(tracer.bank.concept_ids), -np.inf)
    places = np.searchsorted(state.filter.concept_ids, tracer.bank.concept_ids)
    places = np.minimum(places, max(len(state.filter.concept_ids) - 1, 0))
    if len(state.filter.concept_ids):
        known = state.filter.concept_ids[places] == tracer.bank.concept_ids
        found[known] = state.filter.values[places[known], 2]
    return found
