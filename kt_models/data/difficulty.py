"""How hard the items of a training log were, and which of them stand for their concepts."""

import numpy as np
from numpy.typing import NDArray

from kt_models.data.log import ResponseLog

# Pseudo-answers of the overall mean added to every item's share of right answers.
HOLD = 5.0


def shrunken_logits(
    right: NDArray[np.float64], counts: NDArray[np.int64], *, mean: float
) -> NDArray[np.float64]:
    """Return logit of the share right, shrunk to the mean, less the mean's own logit.

    Args:
        right: [I] sums of `correct`.
        counts: [I] answers.
        mean: the overall share of right answers, strictly between 0 and 1.

    Returns:
        [I]; higher is easier, 0 where there is no answer.
    """
    share = (right + HOLD * mean) / (counts + HOLD)
    return np.asarray(np.log(share / (1.0 - share)) - np.log(mean / (1.0 - mean)))


def reference_items(
    log: ResponseLog,
    sets: NDArray[np.int64],
    counts: NDArray[np.int64],
    right: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Return [K] the item of median share right of each concept; -1 for a concept without any.

    Args:
        log: the answers.
        sets: [I] row of the log's `concept_sets` of each item.
        counts: [I] answers.
        right: [I] sums of `correct`.
    """
    chosen = np.full(len(log.concept_keys), -1, dtype=np.int64)
    answered = np.flatnonzero(counts > 0)
    share = right / np.maximum(counts, 1)
    ranked = answered[np.lexsort((answered, share[answered]))]
    concepts = log.concept_sets[sets[ranked]]
    rows, columns = np.nonzero(concepts >= 0)
    met = concepts[rows, columns]
    order = np.argsort(met, kind="stable")
    named, first, many = np.unique(met[order], return_index=True, return_counts=True)
    chosen[named] = ranked[rows[order][first + (many - 1) // 2]]
    return chosen
