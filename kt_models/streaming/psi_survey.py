"""All that a scheduler asks of the filter at one moment, over a bank laid out once.

Equal to the last bit to `predict`, `expected_gain` and `concept_estimates` of `psi_filter`, which
each look the concepts up and fade them anew.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kt_models.errors import ShapeMismatch
from kt_models.streaming import psi_core
from kt_models.streaming.psi_filter import ConceptEstimates, Prediction
from kt_models.streaming.psi_parameters import FilterParameters
from kt_models.streaming.psi_reading import (
    LOWER_QUANTILE,
    ability_var_at,
    faded,
    rows_of,
    sigmoid,
)
from kt_models.streaming.psi_state import FilterState

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """N items over K concepts under one set of parameters; build with `lay_out`.

    Items with the same concepts differ by their offsets alone: what the learner's concepts say is
    found once for each of the S different rows of concepts.

    Attributes:
        concept_ids: [K] distinct ids.
        sets: [S, M] the rows of concepts, as index into `concept_ids`, K for padding.
        set_of: [N] row in `sets` of each item.
        offsets: [N] logit offsets of the items.
        concept_offsets: [K] those of the concepts' reference items.
        offset_vars: [N] variances of the items' offsets.
        has_vars: any of them is not 0.
        shares: [S] weight of each concept of an item.
        counts: [N] concepts of each item, at least 1.
    """

    concept_ids: IntArray
    sets: IntArray
    set_of: IntArray
    offsets: FloatArray
    concept_offsets: FloatArray
    offset_vars: FloatArray
    has_vars: bool
    shares: FloatArray
    counts: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """A learner at one moment. N items and K concepts as in the layout.

    Attributes:
        items: [N] the chances of the items.
        gains: [N] what practising each is expected to teach, in logits.
        concepts: [K] mastery of the concepts.
        last_at: [K] epoch seconds when each concept was last practised; -inf for never.
    """

    items: Prediction
    gains: FloatArray
    concepts: ConceptEstimates
    last_at: FloatArray


def lay_out(
    parameters: FilterParameters,
    *,
    concepts: IntArray,
    item_offsets: FloatArray,
    concept_ids: IntArray,
    concept_offsets: FloatArray,
    item_vars: FloatArray | None = None,
) -> Layout:
    """Return the bank with everything precomputed that no learner changes.

    Args:
        parameters: the global scalars that the states are folded with.
        concepts: [N, M] ids out of `concept_ids`, distinct in a row, padded with -1.
        item_offsets: [N] logit offsets of the items, the global intercept included.
        concept_ids: [K] distinct ids.
        concept_offsets: [K] logit offsets of the concepts' reference items.
        item_vars: [N] variances of the items' offsets, finite; 0 by default.

    Raises:
        ShapeMismatch: lengths do not fit, or an item has a concept that is not listed.
    """
    if concepts.ndim != 2 or item_offsets.shape != concepts.shape[:1]:
        shapes = f"{concepts.shape} and {item_offsets.shape}"
        raise ShapeMismatch(f"concepts and item_offsets are {shapes}: give [N, M] and [N].")
    if concept_ids.ndim != 1 or concept_ids.shape != concept_offsets.shape:
        shapes = f"{concept_ids.shape} and {concept_offsets.shape}"
        raise ShapeMismatch(f"concept_ids and concept_offsets are {shapes}: give [K] and [K].")
    place_of = {pk: place for place, pk in enumerate(concept_ids.tolist())} | {-1: len(concept_ids)}
    missing = set(concepts.ravel().tolist()) - place_of.keys()
    if missing:
        raise ShapeMismatch(f"Concepts of items that are not listed: {sorted(missing)}.")
    # The order within a row stays: sums depend on it in their last bits.
    rows, set_of = np.unique(concepts, axis=0, return_inverse=True)
    sets = [[place_of[pk] for pk in row] for row in rows.tolist()]
    counts = np.count_nonzero(rows >= 0, axis=1)
    offset_vars = np.zeros(len(item_offsets)) if item_vars is None else item_vars
    return Layout(
        concept_ids=concept_ids,
        sets=np.array(sets, dtype=np.int64).reshape(rows.shape),
        set_of=set_of.ravel(),
        offsets=item_offsets,
        concept_offsets=concept_offsets,
        offset_vars=offset_vars,
        has_vars=bool(offset_vars.any()),
        shares=parameters.shares(counts),
        counts=np.maximum(counts, 1).astype(np.float64)[set_of.ravel()],
    )


def survey(
    state: FilterState, parameters: FilterParameters, layout: Layout, *, at: float
) -> Survey:
    """Return what the filter says of every item and concept of the layout at time `at`.

    Args:
        state: the learner.
        parameters: those of the layout.
        layout: the bank.
        at: epoch seconds.
    """
    # By concept first, then by set of concepts, and from there to the items: a bank has more items.
    rows = rows_of(state, np.append(layout.concept_ids, -1))
    means, variances = (values[rows] for values in faded(state, parameters, at))
    left = (1.0 + np.append(state.practice_counts, (0.0, 0.0))) ** -parameters.gain_rho
    left[-1] = 0.0
    mean, var, damped = np.stack([means, variances, left[rows]])[:, layout.sets].sum(axis=2)

    ability_var, set_of = ability_var_at(state, parameters, at), layout.set_of
    item_mean = (layout.shares * mean + state.ability_mean).take(set_of)
    item_mean += layout.offsets
    set_var = layout.shares * layout.shares * var
    if layout.has_vars:
        item_var = set_var.take(set_of)
        item_var += layout.offset_vars
        item_var += ability_var
        widened = np.sqrt(1.0 + psi_core.LOGIT_SHRINK * item_var)
    else:
        set_var += ability_var
        item_var = set_var.take(set_of)
        widened = np.sqrt(1.0 + psi_core.LOGIT_SHRINK * set_var).take(set_of)
    item_prob = sigmoid(item_mean / widened)
    gain = item_prob * parameters.gain_right + (1.0 - item_prob) * parameters.gain_wrong

    concept_mean = means[:-1] + state.ability_mean
    concept_mean += layout.concept_offsets
    concept_var = variances[:-1] + ability_var
    evidence = np.append(state.evidence_counts, (0.0, 0.0))[rows[:-1]]
    shrunk = concept_mean / np.sqrt(1.0 + psi_core.LOGIT_SHRINK * concept_var)
    return Survey(
        items=Prediction(item_mean, item_var, item_prob),
        gains=gain * damped.take(set_of) / layout.counts,
        concepts=ConceptEstimates(
            logit_mean=concept_mean,
            logit_var=concept_var,
            prob=sigmoid(shrunk),
            lower_prob=sigmoid(concept_mean + LOWER_QUANTILE * np.sqrt(concept_var)),
            evidence_n=evidence.astype(np.int64),
        ),
        last_at=np.append(state.values[:, 2], (-np.inf, -np.inf))[rows[:-1]],
    )
