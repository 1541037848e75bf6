"""The live tracer for one course: kt_models' streaming filter over the course's bank. Numpy only.

Everything here is data in and data out; what is stored where stands in services and selectors.
"""

import dataclasses
import math
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from kt_models.streaming import psi_filter, psi_survey
from kt_models.streaming.pool import shrunk_prob
from kt_models.streaming.psi_reading import (
    LOWER_QUANTILE,
    ConceptEstimate,
    ability_var_at,
    concept_estimate,
)
from tutor.content.selectors import CourseBank
from tutor.responses.selectors import FoldRow
from tutor.tracing import deep as deep_estimates
from tutor.tracing.bands import MASTERED_EVIDENCE, MASTERED_LOWER_PROB, Band, Floor, band_of
from tutor.tracing.deep import DeepPart, Rung

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
ConceptEstimates = psi_filter.ConceptEstimates

# The newest answers kept beside the filter's state: what cool-downs and streaks look at.
RECENT_ANSWERS = 256
# `again`: a further try at the showing that an answer before was about. A new showing is none,
# even of the same item.
RECENT_ROW = np.dtype([("item", "<i4"), ("at", "<f8"), ("credit", "<f4"), ("again", "?")])
_RECENT_PACKED = struct.Struct("<idf?")
_HEADER = struct.Struct("<4sII")
_MAGIC = b"TLS3"
# States of before `again` was kept are read until they are folded again.
_MAGIC_BEFORE = b"TLS2"
_ROW_BEFORE = np.dtype(RECENT_ROW.descr[:3])
# No item is shown anew sooner than that after it was answered.
_SHOWN_ANEW_S = 600.0
_MASTERED_LOWER_LOGIT = math.log(MASTERED_LOWER_PROB / (1.0 - MASTERED_LOWER_PROB))


@dataclass(frozen=True, slots=True)
class CourseTracer:
    """A tracer version laid over a course's bank of N items and K concepts.

    Attributes:
        item_offsets: (N,) logit offset of each item: fitted, inherited from an earlier version
            of the item, or the intercept minus the author's difficulty.
        reference_offsets: (K,) offset of each concept's reference item, its median one.
        offset_of_version: the same as `item_offsets` for every version there ever was.
        var_of_version: variance of the offset of every version if the tracer pins a calibration,
            logits squared; inf for one whose answers do not count. Empty without a calibration:
            offsets then count as known.
        layout: the bank as the filter surveys it.
        item_slopes: (N,) discrimination of each item over the common one at the pinned calibration,
            1 where it says none; None without. What an answer tells goes by it, success does not.
        deep: the deep tracer that is pooled with the filter, if the version has one.
    """

    tracer_id: int
    number: int
    parameters: psi_filter.FilterParameters
    bank: CourseBank
    item_offsets: Floats
    reference_offsets: Floats
    offset_of_version: dict[int, float]
    reference_of_concept: dict[int, float]
    var_of_version: dict[int, float]
    layout: psi_survey.Layout
    deep: DeepPart | None = None
    item_slopes: Floats | None = None


@dataclass(frozen=True, slots=True)
class TracedLearner:
    """A learner's state.

    Attributes:
        filter: the psi-filter's part.
        recent: the newest answers, oldest first, rows of `RECENT_ROW`.
        mastered: ids of the concepts that were mastered at some moment, ascending; one that is
            forgotten since stays here and comes up for review.
        floors: concept id -> what is shown of it at least. Not of the fold: kept beside its bytes.
    """

    filter: psi_filter.FilterState
    recent: npt.NDArray[np.void]
    mastered: Ints
    floors: Mapping[int, Floor] = field(default_factory=dict)

    def floor_of(self, concept_id: int, *, at: float) -> Band:
        """Return what is shown of a concept at least at `at`, epoch seconds."""
        floor = self.floors.get(concept_id)
        if floor is None or not floor.holds(at):
            return Band.NOT_ENOUGH_EVIDENCE
        return floor.band

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
        if magic not in {_MAGIC, _MAGIC_BEFORE}:
            message = "Not a learner state of this version: run manage.py rebuild_states."
            raise ValueError(message)
        row = RECENT_ROW if magic == _MAGIC else _ROW_BEFORE
        recent = np.frombuffer(raw, row, size, _HEADER.size)
        start = _HEADER.size + recent.nbytes
        if magic == _MAGIC_BEFORE:
            recent = _with_again(recent)
        mastered = np.frombuffer(raw, "<i8", n_mastered, start)
        return cls(
            psi_filter.FilterState.from_bytes(raw[start + mastered.nbytes :]), recent, mastered
        )


def _with_again(before: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """Return answers of an earlier form with `again` as well as it can be told: by the time.

    The same item after a wrong answer, and sooner than it could have been shown anew.
    """
    found = np.zeros(len(before), dtype=RECENT_ROW)
    for name in _ROW_BEFORE.names or ():
        found[name] = before[name]
    found["again"][1:] = (
        (before["item"][1:] == before["item"][:-1])
        & (before["credit"][:-1] < 1.0)
        & (np.diff(before["at"]) < _SHOWN_ANEW_S)
    )
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A learner's state, and what is estimated of every item and concept at a moment.

    Attributes:
        state: of the filter.
        survey: what the scheduler and the pages go by: the filter's, pooled with the deep
            prediction if there is one that counts.
        live: the filter's own.
        at: the moment, epoch seconds.
        deep: how the prediction counts.
        by_difficulty: (K,) concepts whose items, by their main concept, are chosen by difficulty
            alone: `survey` has for these what holds where a learner is not known. None: none.
    """

    state: TracedLearner
    survey: psi_survey.Survey
    live: psi_survey.Survey
    at: float
    deep: deep_estimates.Use | None = None
    by_difficulty: Bools | None = None

    @property
    def rung(self) -> Rung:
        """What the estimates stand on."""
        if self.by_difficulty is not None and self.by_difficulty.all():
            return Rung.DIFFICULTY
        return self._without_evidence(Rung.LIVE if self.deep is None else self.deep.rung)

    def rung_of(self, bank: CourseBank, row: int) -> Rung:
        """What the estimate of the bank's item in that row stands on."""
        if self.by_difficulty is not None and self.by_difficulty[bank.concepts[row, 0]]:
            return Rung.DIFFICULTY
        deep = self.deep
        return self._without_evidence(Rung.LIVE if deep is None else deep.rung_of(bank, row))

    def _without_evidence(self, rung: Rung) -> Rung:
        return Rung.DIFFICULTY if rung is Rung.LIVE and not self.state.filter.n else rung


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
    var_of_version = _variances(
        bank, body.get("item_vars", {}), otherwise=body.get("unknown_item_var")
    )
    parameters = psi_filter.FilterParameters.from_dict(body["parameters"])
    item_vars = np.array([var_of_version.get(pk, 0.0) for pk in bank.version_ids.tolist()], float)
    item_offsets = np.array([offset_of_version[pk] for pk in bank.version_ids.tolist()], float)
    of_concept = {pk: reference.get(pk, intercept) for pk in bank.concept_ids.tolist()}
    reference_offsets = np.array(list(of_concept.values()), float)
    return CourseTracer(
        tracer_id=tracer_id,
        number=number,
        parameters=parameters,
        bank=bank,
        item_offsets=item_offsets,
        reference_offsets=reference_offsets,
        offset_of_version=offset_of_version,
        reference_of_concept=of_concept,
        var_of_version=var_of_version,
        layout=psi_survey.lay_out(
            parameters,
            concepts=bank.concept_pks,
            item_offsets=item_offsets,
            concept_ids=bank.concept_ids,
            concept_offsets=reference_offsets,
            # What is not counted is not given either; its estimate only has to be a number.
            item_vars=np.where(np.isfinite(item_vars), item_vars, 0.0),
        ),
        deep=deep_estimates.part_of(body),
        item_slopes=_slopes(bank, (body.get("calibration") or {}).get("slopes", {})),
    )


def _slopes(bank: CourseBank, told: Mapping[str, float]) -> Floats | None:
    """Return the slope of each item: its version's, or that of the newest one before it."""
    if not told:
        return None
    lines = (bank.lineage[version] for version in bank.version_ids.tolist())
    known = [next((told[str(pk)] for pk in line if str(pk) in told), 1.0) for line in lines]
    return np.array(known, dtype=np.float64)


def _variances(
    bank: CourseBank, told: dict[str, float | None], *, otherwise: float | None
) -> dict[int, float]:
    """Return the variances told, each for its version and the later ones that inherit from it.

    A tracer that pins a calibration says what holds for all others; without one, or under one from
    before there was such a figure, offsets count as known. What was excluded (null) is not
    inherited: a new version may well be what mends an item.
    """
    known = {int(pk): math.inf if var is None else float(var) for pk, var in told.items()}
    found = {}
    for version, line in bank.lineage.items():
        own = next((pk for pk in line if pk in known), None)
        if own is not None and (own == version or known[own] < math.inf):
            found[version] = known[own]
        elif otherwise is not None:
            found[version] = float(otherwise)
    return found


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
        np.empty(0, dtype=RECENT_ROW),
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
    Of an answer that does not count, because the item was being tried out or is excluded, only
    that it was given is kept.
    """
    at = row.answered_at.timestamp()
    kept = state.recent[-(RECENT_ANSWERS - 1) :].tobytes()
    newest = _RECENT_PACKED.pack(row.item_id, at, row.credit, row.attempt > 1)
    recent = np.frombuffer(kept + newest, RECENT_ROW)
    item_var = tracer.var_of_version.get(row.version_id, 0.0)
    if row.is_pilot or item_var == math.inf:
        return TracedLearner(state.filter, recent, state.mastered)
    after = psi_filter.update(
        state.filter,
        tracer.parameters,
        concept_ids=concept_ids,
        item_offset=tracer.offset_of_version[row.version_id],
        correct=row.credit,
        at=at,
        assisted=row.hints_seen > 0 or row.attempt > 1,
        item_var=item_var,
    )
    return TracedLearner(after, recent, _mastered(tracer, state.mastered, after, concept_ids, at))


def _mastered(
    tracer: CourseTracer,
    before: Ints,
    state: psi_filter.FilterState,
    concept_ids: tuple[int, ...],
    at: float,
) -> Ints:
    # Most concepts have too few answers to be mastered, or lie far below; asking for their
    # estimates would be more than half of a fold.
    rows = np.searchsorted(state.concept_ids, concept_ids).tolist()
    ability_var = ability_var_at(state, tracer.parameters, at)
    open_ids = [
        pk
        for pk, row in zip(concept_ids, rows, strict=True)
        if state.evidence_counts[row] >= MASTERED_EVIDENCE
        and pk not in before
        and _may_be_mastered(
            state.ability_mean + float(state.values[row, 0]) + tracer.reference_of_concept[pk],
            ability_var + float(state.values[row, 1]),
        )
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


def _may_be_mastered(logit_mean: float, logit_var: float) -> bool:
    """Test, with room for rounding, whether the lower bound of a concept just practised suffices.

    Nothing has faded since the answer, so mean and variance are those of the state.
    """
    lower = logit_mean + LOWER_QUANTILE * math.sqrt(logit_var)
    return lower > _MASTERED_LOWER_LOGIT - 1e-6


def fold(
    tracer: CourseTracer,
    state: TracedLearner,
    rows: Iterable[tuple[FoldRow, tuple[int, ...]]],
) -> TracedLearner:
    """Return the state after many answers, given in fold order with their concepts."""
    for row, concept_ids in rows:
        state = fold_one(tracer, state, row=row, concept_ids=concept_ids)
    return state


def see(
    tracer: CourseTracer,
    state: TracedLearner,
    *,
    at: float,
    prediction: deep_estimates.Prediction | None = None,
    n_responses: int = 0,
    distrusted: Bools | None = None,
    by_difficulty: Bools | None = None,
) -> Seen:
    """Return the state with what is to be said of the whole bank at `at`, epoch seconds.

    Args:
        tracer: the tracer.
        state: of the filter.
        at: the moment.
        prediction: the deep tracer's newest; pooled as far as the tracer's weights let it count.
        n_responses: answers that the state has seen; the prediction may have seen fewer.
        distrusted: (K,) concepts of which it does not count.
        by_difficulty: (K,) concepts whose items are chosen by difficulty alone. What is said of the
            concepts themselves stays: what was mastered has to come to an end.
    """
    live = psi_survey.survey(state.filter, tracer.parameters, tracer.layout, at=at)
    if prediction is None or tracer.deep is None:
        survey = _by_difficulty(tracer, live, by_difficulty, at)
        return Seen(state=state, survey=survey, live=live, at=at, by_difficulty=by_difficulty)
    found = deep_estimates.use(
        prediction,
        tracer.deep.weights,
        bank=tracer.bank,
        n_responses=n_responses,
        at=at,
        distrusted=distrusted,
    )
    pooled = live
    if found.weight:
        pooled = deep_estimates.pool_survey(live, tracer.parameters, found, tracer.bank)
    survey = _by_difficulty(tracer, pooled, by_difficulty, at)
    return Seen(
        state=state, survey=survey, live=live, at=at, deep=found, by_difficulty=by_difficulty
    )


def _by_difficulty(
    tracer: CourseTracer, survey: psi_survey.Survey, concepts: Bools | None, at: float
) -> psi_survey.Survey:
    """Return the survey with a new learner's chances of the items of some concepts."""
    if concepts is None:
        return survey
    new = psi_survey.survey(
        psi_filter.init(tracer.parameters), tracer.parameters, tracer.layout, at=at
    )
    main = concepts[tracer.bank.concepts[:, 0]]
    items = psi_filter.Prediction(
        logit_mean=np.where(main, new.items.logit_mean, survey.items.logit_mean),
        logit_var=np.where(main, new.items.logit_var, survey.items.logit_var),
        prob=np.where(main, new.items.prob, survey.items.prob),
    )
    gains = np.where(main, new.gains, survey.gains)
    return dataclasses.replace(survey, items=items, gains=gains)


def predict_rows(tracer: CourseTracer, state: TracedLearner, *, rows: Ints, at: float) -> Floats:
    """Return (P,) the filter's chances on some items of the bank, as `see` gives them."""
    found = psi_filter.predict(
        state.filter,
        tracer.parameters,
        concepts=tracer.bank.concept_pks[rows],
        item_offsets=tracer.item_offsets[rows],
        at=at,
    )
    return shrunk_prob(found.logit_mean, found.logit_var + tracer.layout.offset_vars[rows])


def predict_new(tracer: CourseTracer, *, row: int, at: float) -> float:
    """Return the chance on the bank's item in that row where nothing is known of the learner."""
    return float(predict_rows(tracer, start(tracer), rows=np.array([row]), at=at)[0])


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


def estimate_concept(
    tracer: CourseTracer, state: TracedLearner, *, concept_id: int, at: float
) -> ConceptEstimate:
    """Return the mastery of one concept of the course."""
    return concept_estimate(
        state.filter,
        tracer.parameters,
        concept_id=concept_id,
        concept_offset=tracer.reference_of_concept[concept_id],
        at=at,
    )


def pool_concepts(
    tracer: CourseTracer,
    estimates: psi_filter.ConceptEstimates,
    *,
    prediction: deep_estimates.Prediction | None,
    n_responses: int,
    at: float,
    distrusted: Bools | None = None,
) -> psi_filter.ConceptEstimates:
    """Return the filter's estimates of the course's concepts pooled as in `see`."""
    if prediction is None or tracer.deep is None:
        return estimates
    found = deep_estimates.use(
        prediction,
        tracer.deep.weights,
        bank=tracer.bank,
        n_responses=n_responses,
        at=at,
        distrusted=distrusted,
    )
    return deep_estimates.pool_concepts(estimates, found)
