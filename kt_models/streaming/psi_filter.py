"""The closed-form PSI-KT filter: what a learner knows, after every answer, without gradients.

The logit of a right answer is  x = ability + share * sum_k deviation_k + item offset.  Ability and
the deviations of the concepts that a learner has touched are Gaussians. Deviations fade to 0 by a
power law of time and their variances back to the prior; an answer moves ability and its concepts
by assumed-density moment matching; practice then adds a fitted gain. Untouched concepts cost
nothing, so a state is as large as the number of concepts touched and no larger.

After Zhou, Bamler, Wu, Tejero-Cantero (ICLR 2024, arXiv:2403.13179), whose Ornstein-Uhlenbeck
knowledge states are filtered here in closed form instead of by a recognition network; the
power-law decay follows Wixted & Ebbesen (1991).

Concept ids are any non-negative ints; times are epoch seconds (UTC).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kt_models.errors import ImpossibleAnswer, ShapeMismatch
from kt_models.streaming import psi_core
from kt_models.streaming.psi_parameters import FilterParameters
from kt_models.streaming.psi_reading import (
    LOWER_QUANTILE,
    ability_var_at,
    faded,
    rows_of,
    sigmoid,
)
from kt_models.streaming.psi_state import FilterState

__all__ = [
    "ConceptEstimates",
    "FilterParameters",
    "FilterState",
    "Prediction",
    "concept_estimates",
    "expected_gain",
    "init",
    "predict",
    "update",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the filter expects of N items.

    `prob` is P(unassisted right answer | this learner's answers so far), the logit's uncertainty
    taken into account, so it is nearer to 1/2 than sigmoid(logit_mean).
    """

    logit_mean: FloatArray
    logit_var: FloatArray
    prob: FloatArray


@dataclass(frozen=True, slots=True)
class ConceptEstimates:
    """What the filter believes of K concepts, each by its reference item.

    `lower_prob` is the success probability at the 5 % quantile of the logit. `evidence_n` counts
    the answers on the concept that measured something: all but the assisted right ones.
    """

    logit_mean: FloatArray
    logit_var: FloatArray
    prob: FloatArray
    lower_prob: FloatArray
    evidence_n: IntArray


def init(parameters: FilterParameters) -> FilterState:
    """Return the state of a learner with no answers."""
    return FilterState(
        ability_mean=parameters.ability_prior_mean,
        ability_var=parameters.ability_prior_var,
        t_last=-math.inf,
        n=0,
        concept_ids=np.empty(0, dtype=np.int64),
        values=np.empty((0, 6)),
    )


def predict(
    state: FilterState,
    parameters: FilterParameters,
    *,
    concepts: IntArray,
    item_offsets: FloatArray,
    at: float,
) -> Prediction:
    """Return the chances of N items at time `at`.

    Args:
        state: the learner.
        parameters: the global scalars the state was folded with.
        concepts: [N, M] concept ids of each item, distinct in a row, padded with -1.
        item_offsets: [N] logit offsets of the items, the global intercept included.
        at: epoch seconds.

    Raises:
        ShapeMismatch: `concepts` is not [N, M] with N = len(item_offsets).
    """
    _require_rows(concepts, item_offsets)
    rows = rows_of(state, concepts)
    means, variances = faded(state, parameters, at)
    share = parameters.shares(np.count_nonzero(concepts >= 0, axis=1))
    logit_mean = state.ability_mean + share * means[rows].sum(axis=1) + item_offsets
    ability_var = ability_var_at(state, parameters, at)
    logit_var = ability_var + share * share * variances[rows].sum(axis=1)
    shrunk = logit_mean / np.sqrt(1.0 + psi_core.LOGIT_SHRINK * logit_var)
    return Prediction(logit_mean, logit_var, sigmoid(shrunk))


def concept_estimates(
    state: FilterState,
    parameters: FilterParameters,
    *,
    concept_ids: IntArray,
    concept_offsets: FloatArray,
    at: float,
) -> ConceptEstimates:
    """Return mastery of K concepts at time `at`.

    Args:
        state: the learner.
        parameters: the global scalars the state was folded with.
        concept_ids: [K].
        concept_offsets: [K] logit offsets of the concepts' reference items.
        at: epoch seconds.

    Raises:
        ShapeMismatch: the two arrays differ in length.
    """
    if concept_ids.shape != concept_offsets.shape or concept_ids.ndim != 1:
        shapes = f"{concept_ids.shape} and {concept_offsets.shape}"
        raise ShapeMismatch(f"concept_ids and concept_offsets are {shapes}: give [K] and [K].")
    columns = concept_ids[:, None]
    found = predict(state, parameters, concepts=columns, item_offsets=concept_offsets, at=at)
    lower = found.logit_mean + LOWER_QUANTILE * np.sqrt(found.logit_var)
    measured = np.append(state.evidence_counts, (0.0, 0.0))[rows_of(state, columns)[:, 0]]
    return ConceptEstimates(
        logit_mean=found.logit_mean,
        logit_var=found.logit_var,
        prob=found.prob,
        lower_prob=sigmoid(lower),
        evidence_n=measured.astype(np.int64),
    )


def expected_gain(
    state: FilterState,
    parameters: FilterParameters,
    *,
    concepts: IntArray,
    item_offsets: FloatArray,
    at: float,
) -> FloatArray:
    """Return [N] how much practising each item is expected to raise its concepts' mean logit.

    The gain is what practice teaches: P(right) * gain_right + P(wrong) * gain_wrong, damped by the
    times practised and averaged over the item's concepts. What the answer would reveal has mean 0
    and is no part of it.

    Raises:
        ShapeMismatch: see `predict`.
    """
    found = predict(state, parameters, concepts=concepts, item_offsets=item_offsets, at=at)
    left = (1.0 + np.append(state.practice_counts, (0.0, 0.0))) ** -parameters.gain_rho
    left[-1] = 0.0
    damped = left[rows_of(state, concepts)].sum(axis=1)
    count = np.maximum(np.count_nonzero(concepts >= 0, axis=1), 1)
    gain = found.prob * parameters.gain_right + (1.0 - found.prob) * parameters.gain_wrong
    return np.asarray(gain * damped / count)


def update(
    state: FilterState,
    parameters: FilterParameters,
    *,
    concept_ids: tuple[int, ...],
    item_offset: float,
    correct: float,
    at: float,
    assisted: bool = False,
    item_var: float = 0.0,
) -> FilterState:
    """Return the state after one answer; the given state is left alone.

    A right answer after help is explained by the help: it adds the practice gain and measures
    nothing. A wrong one measures as any other.

    Args:
        state: the learner before the answer.
        parameters: the global scalars the state was folded with.
        concept_ids: the item's concepts, at least one; order and repeats do not matter.
        item_offset: the item's logit offset, the global intercept included.
        correct: 0 to 1; between them is partial credit.
        at: epoch seconds; earlier than the last answer counts as the same moment.
        assisted: whether hints were seen before the answer.
        item_var: variance of the offset, logits squared: the less is known of an item, the less
            its answer says. inf for an item whose answers are not counted: nothing changes.

    Raises:
        ImpossibleAnswer: no concept, a negative concept id, `correct` outside 0..1, a time or an
            offset that is not finite, or a variance below 0.
    """
    _require_possible(concept_ids, item_offset, correct, at)
    if not item_var >= 0.0:
        raise ImpossibleAnswer(f"item_var {item_var}: give a variance, or inf.")
    if item_var == math.inf:
        return state
    touched = sorted(set(concept_ids))
    ids, values, places = state.with_room_for(touched, prior_var=parameters.concept_prior_var)
    p = parameters
    share = p.share(len(touched))
    faded = [_faded_row(values[place].tolist(), p, at) for place in places]
    ability_var = ability_var_at(state, p, at)
    logit_mean, logit_var = state.ability_mean + item_offset, ability_var + item_var
    for row in faded:
        logit_mean += share * row[0]
        logit_var += share * share * row[1]
    slope = curvature = 0.0
    measures = not (assisted and correct > 0.5)
    if measures:
        slope, curvature = psi_core.evidence(logit_mean, logit_var, correct)
    gain = psi_core.practice_gain(correct, p.gain_right, p.gain_wrong)
    for place, (m, v, t, times, measured, right) in zip(places, faded, strict=True):
        damped = gain * psi_core.damping(times, p.gain_rho)
        new_mean = psi_core.moved_mean(m, v, share, slope, damped)
        new_var = psi_core.narrowed_var(v, share, curvature, p.concept_drift_var)
        counts = (times + 1.0, measured + measures, right + correct)
        values[place] = (new_mean, new_var, max(t, at), *counts)
    return FilterState(
        ability_mean=psi_core.moved_mean(state.ability_mean, ability_var, 1.0, slope, 0.0),
        ability_var=psi_core.narrowed_var(ability_var, 1.0, curvature, p.ability_drift_var),
        t_last=max(state.t_last, at),
        n=state.n + 1,
        concept_ids=ids,
        values=values,
    )


def _require_possible(
    concept_ids: tuple[int, ...], item_offset: float, correct: float, at: float
) -> None:
    if not concept_ids or min(concept_ids) < 0 or not 0.0 <= correct <= 1.0:
        msg = f"concept_ids {concept_ids}, correct {correct}: give ids >= 0 and correct in 0..1."
        raise ImpossibleAnswer(msg)
    if not math.isfinite(at + item_offset):
        raise ImpossibleAnswer(f"at {at}, item_offset {item_offset}: give finite numbers.")


def _faded_row(row: list[float], parameters: FilterParameters, at: float) -> list[float]:
    """Return a concept's row with its mean and variance brought to `at`."""
    days = psi_core.elapsed_days(row[2], at)
    kept = psi_core.retained(days, parameters.decay_tau_days, parameters.decay_power)
    row[0] *= kept
    row[1] = psi_core.faded_var(row[1], kept, parameters.concept_prior_var)
    return row


def _require_rows(concepts: IntArray, item_offsets: FloatArray) -> None:
    if concepts.ndim != 2 or item_offsets.shape != concepts.shape[:1]:
        shapes = f"{concepts.shape} and {item_offsets.shape}"
        raise ShapeMismatch(f"concepts and item_offsets are {shapes}: give [N, M] and [N].")
