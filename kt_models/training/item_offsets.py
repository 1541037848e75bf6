"""How easy items and concepts are, given what the filter already expects of the learners."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kt_models.data.log import ResponseLog
from kt_models.streaming.psi_parameters import FilterParameters
from kt_models.training import psi_fold

FloatArray = NDArray[np.float64]

# Pseudo-answers that hold a concept's mean to the intercept, and a start value to the log's mean.
CONCEPT_HOLD = 5.0
ITEM_HOLD = 8.0
# A Newton step on a rare item must not throw it out of the logistic's useful range.
LARGEST_STEP = 1.0


@dataclass(frozen=True, slots=True)
class Offsets:
    """Logits: I items, K concepts.

    Attributes:
        item: [I], the intercept included.
        concept: [K] mean offset of the concept's items.
        intercept: mean over all items.
        item_var: variance of items around their concepts' mean.
        item_n: [I] scored answers behind each item.
    """

    item: FloatArray
    concept: FloatArray
    intercept: float
    item_var: float
    item_n: NDArray[np.int64]


def first_offsets(log: ResponseLog, scored: NDArray[np.bool_]) -> Offsets:
    """Return the shrunken logit of each item's share of right answers, learners ignored.

    Args:
        log: the answers.
        scored: [R] those that count, at least one.
    """
    item, correct = log.item[scored], log.correct[scored]
    count = np.bincount(item, minlength=len(log.item_keys))
    right = np.bincount(item, weights=correct, minlength=len(log.item_keys))
    mean = np.clip(correct.mean(), 0.01, 0.99)
    share = np.clip((right + ITEM_HOLD * mean) / (count + ITEM_HOLD), 0.001, 0.999)
    logit = np.log(share / (1.0 - share))
    pairs = _item_concepts(log)
    weight = np.asarray(count, dtype=float)
    return _with_concepts(log, pairs, logit, weight=weight, count=count, item_var=1.0)


def refine_offsets(
    log: ResponseLog,
    parameters: FilterParameters,
    offsets: Offsets,
    scored: NDArray[np.bool_],
    *,
    sweeps: int,
) -> Offsets:
    """Return offsets at which the filter's prequential errors cancel, item by item.

    Each sweep folds the log and takes one Newton step per item on log loss plus a Gaussian prior
    around the mean of the item's concepts, whose variance is estimated along (empirical Bayes). So
    an item met only by strong learners is not taken for an easy one, and a rare item stays near
    the others of its concepts.

    Args:
        log: the answers, all of which are folded.
        parameters: the filter's scalars.
        offsets: to begin from.
        scored: [R] answers whose errors are to cancel.
        sweeps: how many.
    """
    pairs, size, asked = _item_concepts(log), len(log.item_keys), log.item[scored]
    for _ in range(sweeps):
        forecasts = psi_fold.forecast_log(log, parameters, offsets=offsets.item[log.item])
        prob = forecasts.prob[scored]
        shrink = 1.0 / np.sqrt(1.0 + np.pi / 8.0 * forecasts.logit_var[scored])
        slope = np.bincount(asked, shrink * (log.correct[scored] - prob), minlength=size)
        curvature = shrink**2 * prob * (1.0 - prob)
        information = np.asarray(np.bincount(asked, curvature, minlength=size), dtype=float)
        prior = _prior_of_items(pairs, offsets)
        precision = information + 1.0 / offsets.item_var
        step = (slope - (offsets.item - prior) / offsets.item_var) / precision
        item = offsets.item + np.clip(step, -LARGEST_STEP, LARGEST_STEP)
        item = np.where(offsets.item_n > 0, item, prior)
        met = offsets.item_n > 0
        spread = np.mean((item - prior)[met] ** 2 + 1.0 / precision[met])
        offsets = _with_concepts(
            log, pairs, item, weight=information, count=offsets.item_n, item_var=float(spread)
        )
    return offsets


def _with_concepts(
    log: ResponseLog,
    pairs: NDArray[np.int64],
    item: FloatArray,
    *,
    weight: FloatArray,
    count: NDArray[np.int64],
    item_var: float,
) -> Offsets:
    """Return offsets with concept means made of their items', weighted by what is known of each."""
    # An item's own mean is known no better than items differ, so no item counts more than so.
    weight = weight / (1.0 + weight * item_var)
    total = weight.sum()
    intercept = float(weight @ item / total) if total else 0.0
    size = len(log.concept_keys)
    known = np.bincount(pairs[:, 1], weight[pairs[:, 0]], minlength=size)
    summed = np.bincount(pairs[:, 1], (weight * item)[pairs[:, 0]], minlength=size)
    hold = CONCEPT_HOLD / (1.0 + CONCEPT_HOLD * item_var)
    concept = (summed + hold * intercept) / (known + hold)
    return Offsets(item, concept, intercept, item_var, count)


def _prior_of_items(pairs: NDArray[np.int64], offsets: Offsets) -> FloatArray:
    """Return [I] the mean offset of each item's concepts; the intercept for an item not met."""
    size = len(offsets.item)
    summed = np.bincount(pairs[:, 0], offsets.concept[pairs[:, 1]], minlength=size)
    count = np.bincount(pairs[:, 0], minlength=size)
    return np.where(count > 0, summed / np.maximum(count, 1), offsets.intercept)


def _item_concepts(log: ResponseLog) -> NDArray[np.int64]:
    """Return the distinct (item, concept) pairs of the log, [P, 2]."""
    combined = np.unique(log.item * len(log.concept_sets) + log.concept_set)
    item, concept_set = np.divmod(combined, len(log.concept_sets))
    concepts = log.concept_sets[concept_set]
    rows, columns = np.nonzero(concepts >= 0)
    size = len(log.concept_keys)
    distinct = np.unique(item[rows] * size + concepts[rows, columns])
    return np.stack(np.divmod(distinct, size), axis=1)
