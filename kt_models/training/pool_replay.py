"""A log as it would have been served: deep predictions that have not seen the newest answers.

A deep prediction is made right after an answer, for the moment of that answer, and serves until the
next one is made. By then the learner may have answered again; so many answers are its lag.
"""

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kt_models.data.log import ResponseLog
from kt_models.errors import ShapeMismatch
from kt_models.models.base import AbstractModel
from kt_models.streaming.pool import shift_of
from kt_models.streaming.psi_parameters import FilterParameters
from kt_models.training import psi_fold
from kt_models.training.psi_fold import Forecasts

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

LAGS = 4
KEPT = ("item", "concept_set", "correct", "assisted")
# Shifts are stored in steps of 1/32 logit, at most 127 of them.
STEPS_PER_LOGIT, LARGEST = 32.0, 127.0


@dataclass(frozen=True, slots=True)
class Replay:
    """R answers of learners whom no model has learnt from; L lags.

    Attributes:
        learner: [R] index of the learner.
        correct: [R] 0 to 1.
        filter_prob: [R] of the filter when the item was shown, after all earlier answers.
        deep_prob: [R] of the deep tracer at the same moment and after the same answers.
        shifts: [R, L] in column l: by how many logits the deep chance of the item lay above the
            filter's right after the answer that l others followed before this one; nan where the
            learner had not answered yet.
        ages: [R, L] seconds from that answer until the item was shown; nan as above.
        concept_shifts: [R] mean of the shifts of other items that share a concept with the item and
            that the learner had not answered either, at lag 0; nan where there was no answer yet,
            or no such item. (Of items answered before, a network remembers the very answer.)
    """

    learner: IntArray
    correct: FloatArray
    filter_prob: FloatArray
    deep_prob: FloatArray
    shifts: FloatArray
    ages: FloatArray
    concept_shifts: FloatArray

    def rows(self, chosen: NDArray[np.bool_]) -> "Replay":
        """Return some of the answers."""
        fields = {f.name: getattr(self, f.name)[chosen] for f in dataclasses.fields(self)}
        return Replay(**fields)


@dataclass(frozen=True, slots=True)
class _Questions:
    """Q questions, each asked right after an answer; in the order of those answers.

    Attributes:
        after: [Q] row of the answer.
        like: [Q] row of an answer to the item that is asked.
        of: [Q] row of the answer that the prediction is for.
        lag: [Q] answers between them.
        own: [Q] whether it asks the very item that `of` answers, or one beside it.
    """

    after: IntArray
    like: IntArray
    of: IntArray
    lag: IntArray
    own: NDArray[np.bool_]


def replay(
    log: ResponseLog,
    deep: AbstractModel,
    parameters: FilterParameters,
    *,
    offsets: FloatArray,
    offset_vars: FloatArray | None = None,
    lags: int = LAGS,
    siblings: int = 8,
    seed: int = 0,
) -> Replay:
    """Return what would have been served of every answer of a log.

    Args:
        log: of learners whom neither `deep` nor the filter has learnt from; only answers that
            count.
        deep: fitted.
        parameters: the filter's scalars.
        offsets: [R] logit offset of each answer's item.
        offset_vars: [R] variances of the offsets, finite; 0 by default.
        lags: L, how many answers a prediction may have missed, and one.
        siblings: items that stand for an item's concepts, at most; drawn once per item among those
            that the log has.
        seed: of that draw.

    Raises:
        ShapeMismatch: the arrays differ in length.
    """
    variances = np.zeros(len(log)) if offset_vars is None else offset_vars
    if not len(log) == len(offsets) == len(variances):
        raise ShapeMismatch("offsets and offset_vars: give one per answer.")
    aligned = deep.vocabulary.align(log)
    asked = _questions(aligned, lags=lags, siblings=_siblings(aligned, siblings, seed))
    ahead = shift_of(
        _deep_ahead(aligned, deep, asked),
        _filter_ahead(aligned, parameters, asked, offsets, variances),
    )
    steps = _stored(ahead)
    shifts = np.full((len(log), lags), np.nan)
    ages = np.full((len(log), lags), np.nan)
    mine = np.flatnonzero(asked.own)
    place = (asked.of[mine], asked.lag[mine])
    shifts[place] = steps[mine]
    ages[place] = log.shown_at[asked.of[mine]] - log.answered_at[asked.after[mine]]
    beside = ~asked.own
    total = np.bincount(asked.of[beside], steps[beside], minlength=len(log))
    count = np.bincount(asked.of[beside], minlength=len(log))
    with np.errstate(invalid="ignore"):
        means = np.where(count > 0, total / count, np.nan)
    return Replay(
        learner=log.learner,
        correct=log.correct,
        filter_prob=psi_fold.forecast_log(
            aligned, parameters, offsets=offsets, offset_vars=variances
        ).prob,
        deep_prob=deep.predict(aligned),
        shifts=shifts,
        ages=np.maximum(ages, 0.0),
        concept_shifts=_stored(means),
    )


def _stored(shifts: FloatArray) -> FloatArray:
    steps = np.clip(np.round(shifts * STEPS_PER_LOGIT), -LARGEST, LARGEST)
    return np.asarray(steps / STEPS_PER_LOGIT)


def _questions(log: ResponseLog, *, lags: int, siblings: IntArray) -> _Questions:
    """Return the item of every answer asked after each of the `lags` answers before it.

    Args:
        log: the answers.
        lags: L.
        siblings: [I, S] rows of answers to other items of the item's concepts, -1 for none.
    """
    position = log.position
    own = [np.flatnonzero(position > lag) for lag in range(lags)]
    beside = siblings[log.item]
    beside[position == 0] = -1
    other, column = np.nonzero(beside >= 0)
    new = ~_answered_before(log, other, log.item[beside[other, column]])
    other, column = other[new], column[new]
    sizes = [len(rows) for rows in own]
    of = np.concatenate([*own, other])
    like = np.concatenate([*own, beside[other, column]])
    lag = np.repeat([*range(lags), 0], [*sizes, len(other)])
    order = np.argsort(of - lag - 1, kind="stable")
    return _Questions(
        after=(of - lag - 1)[order],
        like=like[order],
        of=of[order],
        lag=lag[order],
        own=(np.arange(len(of)) < sum(sizes))[order],
    )


def _answered_before(log: ResponseLog, rows: IntArray, items: IntArray) -> NDArray[np.bool_]:
    """Return whether the learner of each row had answered another item before it."""
    size = len(log.item_keys)
    pairs, first = np.unique(log.learner * size + log.item, return_index=True)
    asked = log.learner[rows] * size + items
    place = np.minimum(np.searchsorted(pairs, asked), len(pairs) - 1)
    return np.asarray((pairs[place] == asked) & (first[place] < rows))


def _siblings(log: ResponseLog, many: int, seed: int) -> IntArray:
    """Return [I, S] rows of answers to other items that share a concept; -1 for none."""
    rng = np.random.default_rng(seed)
    found = np.full((len(log.item_keys), many), -1, dtype=np.int64)
    items, example = np.unique(log.item, return_index=True)
    sets = log.concepts[example]
    place, column = np.nonzero(sets >= 0)
    concept = sets[place, column]
    order = np.argsort(concept, kind="stable")
    bounds = np.searchsorted(concept[order], np.arange(len(log.concept_keys) + 1))
    for k, item in enumerate(items.tolist()):
        named = sets[k][sets[k] >= 0].tolist()
        near = [place[order[bounds[c] : bounds[c + 1]]] for c in named]
        others = np.setdiff1d(np.concatenate(near), [k])
        drawn = others if len(others) <= many else rng.choice(others, many, replace=False)
        found[item, : len(drawn)] = example[drawn]
    return found


def _filter_ahead(
    log: ResponseLog,
    parameters: FilterParameters,
    asked: _Questions,
    offsets: FloatArray,
    offset_vars: FloatArray,
) -> FloatArray:
    """Return [Q] the filter's chances: one fold of a log in which questions follow answers."""
    # Questions are answers that are not counted: forecast and passed over.
    source = np.concatenate([np.arange(len(log)), asked.like])
    moment = np.concatenate([np.arange(len(log)), asked.after])
    order = np.argsort(moment, kind="stable")
    rows, is_question = source[order], order >= len(log)
    at = log.answered_at[moment[order]]
    whole = dataclasses.replace(
        log,
        starts=log.starts + np.searchsorted(asked.after, log.starts),
        shown_at=at,
        answered_at=at,
        **{name: getattr(log, name)[rows] for name in KEPT},
    )
    told = psi_fold.forecast_log(
        whole,
        parameters,
        offsets=offsets[rows],
        offset_vars=np.where(is_question, np.inf, offset_vars[rows]),
    )
    var = told.logit_var + np.where(is_question, offset_vars[rows], 0.0)
    return Forecasts(told.logit_mean, var).prob[is_question]


def _deep_ahead(log: ResponseLog, deep: AbstractModel, asked: _Questions) -> FloatArray:
    """Return [Q] the deep tracer's chances: all learners go on together, answer by answer."""
    lengths = np.diff(log.starts)
    order = np.argsort(-lengths, kind="stable")
    bounds = np.searchsorted(asked.after, np.arange(len(log) + 1))
    prob = np.empty(len(asked.after))
    states = deep.init(len(order))
    for step in range(int(lengths.max(initial=0))):
        active = int(np.count_nonzero(lengths > step))
        rows = log.starts[order[:active]] + step
        answered, shown = log.answered_at[rows], log.shown_at[rows]
        given = _part(log, rows, starts=np.arange(active + 1), at=answered, shown_at=shown)
        states = deep.advance({name: array[:active] for name, array in states.items()}, given)
        many = bounds[rows + 1] - bounds[rows]
        starts = np.concatenate([[0], np.cumsum(many)])
        mine = np.repeat(bounds[rows] - starts[:-1], many) + np.arange(starts[-1])
        at = np.repeat(answered, many)
        questions = _part(log, asked.like[mine], starts=starts, at=at, shown_at=at)
        prob[mine] = deep.ask(states, questions)
    return prob


def _part(
    log: ResponseLog,
    rows: IntArray,
    *,
    starts: IntArray,
    at: FloatArray,
    shown_at: FloatArray,
) -> ResponseLog:
    """Return answers to the items of some rows, given at other times."""
    return dataclasses.replace(
        log,
        learner_keys=("",) * (len(starts) - 1),
        starts=starts,
        shown_at=shown_at,
        answered_at=at,
        **{name: getattr(log, name)[rows] for name in KEPT},
    )
