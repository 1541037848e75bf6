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
from tutor.tracing.bands import MASTERED_EVIDENCE, Band, band_of

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# The newest answers kept beside the filter's state: what cool-downs and streaks look at.
RECENT_ANSWERS = 256
_RECENT_ROW = np.dtype([("item", "<i4"), ("at", "<f8"), ("credit", "<f4")])
_HEADER = struct.Struct("<4sII")
_MAGIC = b"TLS2"


@dataclass(frozen=True, slots=True)
class CourseTracer:
    """A tracer version laid over a course's bank of N items and K concepts.

    Attributes:
        item_offsets: (N,) logit offset of each item: fitted, inherited from an earlier version
            of the item, or the intercept minus the author's difficulty.
        reference_offsets: (K,) offset of each concept's reference item, its median one.
        offset_of_version: the same as `item_offsets` for every version there ever was.
    """

    tracer_id: int
    number: int
    parameters: psi_filter.FilterParameters
    bank: CourseBank
    item_offsets: Floats
    reference_offsets: Floats
    offset_of_version: dict[int, float]
    reference_of_concept: dict[int, float]


@dataclass(frozen=True, slots=True)
class TracedLearner:
    """A learner's state.

    Attributes:
        filter: the psi-filter's part.
        recent: the newest answers, oldest first.
        mastered: ids of the concepts that were mastered at some moment, ascending; one that is
            forgotten since stays here and comes up for review.
    """

    filter: psi_filter.FilterState
    recent: npt.NDArray[np.void]
    mastered: Ints

    def to_bytes(self) -> bytes:
        """Return the state as stored; a few KB, whatever the length of the history."""
        head = _HEADER.pack(_MAGIC, len(self.recent), len(self.mastered))
        return head + self.recent.tobytes() + self.mastered.tobytes() + self.filter.to_bytes()

    @classmethod
    def from_bytes(cls, raw: bytes) -> "TracedLearner":
        """Return the state that `to_bytes` wrote.

        Raises:
            ValueError: the bytes are not of this form; fold the log again.
        """
        magic, size, n_mastered = _HEADER.unpack_from(raw)
        if magic != _MAGIC:
            message = "Not a learner state of this version: run manage.py rebuild_states."
            raise ValueError(message)
        recent = np.frombuffer(raw, _RECENT_ROW, size, _HEADER.size)
        start = _HEADER.size + recent.nbytes
        mastered = np.frombuffer(raw, "<i8", n_mastered, start)
        return cls(
            psi_filter.FilterState.from_bytes(raw[start + mastered.nbytes :]), recent, mastered
        )


def lay_over(
    *, bank: CourseBank, tracer_id: int, number: int, body: dict[str, Any]
) -> CourseTracer:
    """Return the tracer version with an offset for every item version of the course.

    Nothing here depends on which version is current, so folding the log again gives the same
    states after the course has changed.
    """
    fitted = {int(key): float(value) for key, value in body["item_offsets"].items()}
    reference = {int(key): float(value) for key, value in body["reference_offsets"].items()}
    intercept = float(body["intercept"])
    offset_of_version = {
        version: _offset(bank, version, fitted, intercept) for version in bank.lineage
    }
    return CourseTracer(
        tracer_id=tracer_id,
        number=number,
        parameters=psi_filter.FilterParameters.from_dict(body["parameters"]),
        bank=bank,
        item_offsets=np.array([offset_of_version[pk] for pk in bank.version_ids.tolist()], float),
        reference_offsets=np.array(
            [reference.get(pk, intercept) for pk in bank.concept_ids.tolist()], float
        ),
        offset_of_version=offset_of_version,
        reference_of_concept={pk: reference.get(pk, intercept) for pk in bank.concept_ids.tolist()},
    )


def _offset(bank: CourseBank, version: int, fitted: dict[int, float], intercept: float) -> float:
    for pk in bank.lineage[version]:
        if pk in fitted:
            return fitted[pk]
    return intercept - bank.difficulty_of_version[version]


def reference_offsets(
    *, bank: CourseBank, item_offsets: dict[int, float], intercept: float
) -> dict[int, float]:
    """Return concept id -> offset of its reference item, the median one of its items today.

    Stored with the tracer version, so that mastery keeps its meaning while the bank changes.
    """
    found: dict[int, float] = {}
    offsets = np.array(
        [_offset(bank, pk, item_offsets, intercept) for pk in bank.version_ids.tolist()], float
    )
    for index, concept in enumerate(bank.concept_ids.tolist()):
        own = offsets[(bank.concepts == index).any(axis=1) & bank.operational]
        if own.size:
            # The lower of the two middle values, so that it is a real item's.
            found[concept] = float(np.sort(own)[(own.size - 1) // 2])
    return found


def prior_parameters() -> dict[str, float]:
    """Return the filter's scalars for a course without answers."""
    return psi_filter.FilterParameters().to_dict()


def start(tracer: CourseTracer) -> TracedLearner:
    """Return the state of a learner with no answers."""
    return TracedLearner(
        psi_filter.init(tracer.parameters),
        np.empty(0, dtype=_RECENT_ROW),
        np.empty(0, dtype="<i8"),
    )


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
        item_offset=tracer.offset_of_version[row.version_id],
        correct=row.credit,
        at=at,
        assisted=row.hints_seen > 0 or row.attempt > 1,
    )
    newest = np.array([(row.item_id, at, row.credit)], dtype=_RECENT_ROW)
    recent = np.concatenate([state.recent[-(RECENT_ANSWERS - 1) :], newest])
    return TracedLearner(after, recent, _mastered(tracer, state.mastered, after, concept_ids, at))


def _mastered(
    tracer: CourseTracer,
    before: Ints,
    state: psi_filter.FilterState,
    concept_ids: tuple[int, ...],
    at: float,
) -> Ints:
    # Most concepts have too few answers to be mastered; asking for their estimates would be more
    # than half of a fold.
    rows = np.searchsorted(state.concept_ids, concept_ids).tolist()
    open_ids = [
        pk
        for pk, row in zip(concept_ids, rows, strict=True)
        if state.evidence_counts[row] >= MASTERED_EVIDENCE and pk not in before
    ]
    if not open_ids:
        return before
    found = psi_filter.concept_estimates(
        state,
        tracer.parameters,
        concept_ids=np.array(open_ids, dtype=np.int64),
        concept_offsets=np.array([tracer.reference_of_concept[pk] for pk in open_ids]),
        at=at,
    )
    new = [
        pk
        for index, pk in enumerate(open_ids)
        if band_of(
            prob=float(found.prob[index]),
            lower_prob=float(found.lower_prob[index]),
            evidence_n=int(found.evidence_n[index]),
        )
        is Band.MASTERED
    ]
    return np.union1d(before, np.array(new, dtype="<i8")) if new else before


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
    tracer: CourseTracer, state: TracedLearner, *, at: float, concept_ids: Ints | None = None
) -> psi_filter.ConceptEstimates:
    """Return the mastery of the given concepts, or of every concept of the course, (K,)."""
    ids, offsets = tracer.bank.concept_ids, tracer.reference_offsets
    if concept_ids is not None and concept_ids is not ids:
        ids = concept_ids
        offsets = np.array([tracer.reference_of_concept[pk] for pk in ids.tolist()], dtype=float)
    return psi_filter.concept_estimates(
        state.filter, tracer.parameters, concept_ids=ids, concept_offsets=offsets, at=at
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
