"""What a bulk fold tells beside a learner's state: the concepts that were passed on the way."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kt_models.streaming.psi_state import FilterState

# Of two computations of one logit none is off by more than a few 1e-16 of it; a learner whose
# quantile comes nearer than this to the bound is left to whoever decides by the streaming filter.
PASSING_MARGIN = 1e-9


@dataclass(frozen=True, slots=True)
class PassingRule:
    """When a concept counts as passed: measured often enough, and its low quantile high enough.

    Attributes:
        reference_offsets: concept id -> logit offset of the concept's reference item.
        evidence: fewest answers that measured the concept.
        lower_prob: what P(right) on the reference item has to reach at the 5 % quantile of its
            logit, `ConceptEstimates.lower_prob`; above 0, below 1.
    """

    reference_offsets: Mapping[int, float]
    evidence: int
    lower_prob: float


@dataclass(frozen=True, slots=True)
class FoldedLearner:
    """One learner's fold.

    Attributes:
        state: equal to the streaming filter's to the last bit.
        passed: ids of the concepts passed right after one of their answers at least, ascending.
        is_decided: whether `passed` is certain; if not, some quantile fell within
            `PASSING_MARGIN` of the bound, and only the streaming filter can tell.
    """

    state: FilterState
    passed: NDArray[np.int64]
    is_decided: bool
