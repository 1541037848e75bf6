"""How easy items are, as networks are told: a centred logit of the share right."""

import numpy as np
from numpy.typing import NDArray

from kt_models.data.difficulty import shrunken_logits
from kt_models.data.log import ResponseLog
from kt_models.data.vocabulary import Vocabulary


def easiness(
    log: ResponseLog, vocabulary: Vocabulary, *, in_training: bool = False
) -> NDArray[np.float64]:
    """Return [R] each answer's item as a centred logit; unknown items get their concepts' mean."""
    right, counts = vocabulary.item_right, vocabulary.item_counts
    new = len(log.item_keys) - len(counts)
    if new > 0:
        right, counts = np.pad(right, (0, new)), np.pad(counts, (0, new))
    by_item = shrunken_logits(right, counts, mean=vocabulary.mean)
    answered = counts[log.item] > 0
    values = by_item[log.item]
    if in_training:
        own, own_right, own_count = _own(log)
        left = counts[log.item] - own_count[own]
        values = shrunken_logits(right[log.item] - own_right[own], left, mean=vocabulary.mean)
        answered = left > 0
    if answered.all():
        return values
    others = _concept_easiness(log, vocabulary, by_item, without_own=in_training)
    return np.where(answered, values, others)


def _own(log: ResponseLog) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Return each answer's (learner, item) pair, and the pair's sum of right and of answers."""
    pairs = log.learner * len(log.item_keys) + log.item
    _, own = np.unique(pairs, return_inverse=True)
    return own, np.bincount(own, log.correct).astype(float), np.bincount(own).astype(np.int64)


def _concept_easiness(
    log: ResponseLog,
    vocabulary: Vocabulary,
    by_item: NDArray[np.float64],
    *,
    without_own: bool,
) -> NDArray[np.float64]:
    """Return [R] the mean easiness, by answers, of the items of the answer's concepts.

    Args:
        log: the answers.
        vocabulary: whose items are averaged.
        by_item: [I] their easiness.
        without_own: leaves out the very item, which is to be told from the others alone.
    """
    size = len(log.concept_keys)
    items = np.flatnonzero(vocabulary.item_counts > 0)
    concepts = vocabulary.concept_sets[vocabulary.item_sets[items]]
    rows, columns = np.nonzero(concepts >= 0)
    weight = vocabulary.item_counts[items][rows].astype(float)
    met = concepts[rows, columns]
    total = np.bincount(met, weight * by_item[items][rows], minlength=size).astype(float)
    many = np.bincount(met, weight, minlength=size).astype(float)
    asked = log.concepts
    present = asked >= 0
    sums: NDArray[np.float64] = total[asked]
    counts: NDArray[np.float64] = many[asked]
    if without_own:
        # A row whose concepts are not those that its item is known by has nothing of it in them.
        there = vocabulary.item_sets[log.item] == log.concept_set
        own = np.where(there, vocabulary.item_counts[log.item], 0).astype(float)[:, None]
        sums, counts = sums - own * by_item[log.item][:, None], counts - own
    # Half an answer is less than any: what is left of a difference that should be none.
    means = np.where(present & (counts > 0.5), sums / np.maximum(counts, 1.0), 0.0)
    return np.asarray(means.sum(axis=1) / present.sum(axis=1))
