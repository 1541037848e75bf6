"""Performance factors analysis: a logistic regression on counts of earlier right and wrong answers.

Pavlik, Cen & Koedinger (2009), with one difficulty per item as in Gervet, Koedinger, Schneider &
Mitchell (2020); counts enter as log(1 + n), as there.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from typing_extensions import override

from kt_models.data.log import ResponseLog
from kt_models.models.base import States
from kt_models.models.linear import LinearModel
from kt_models.settings import require_above_zero


@dataclass(frozen=True, slots=True)
class PfaConfig:
    """What PFA decides beforehand.

    Attributes:
        penalty: of the ridge, on every weight.
    """

    penalty: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what cannot be built.

        Raises:
            ImpossibleSetting: naming the setting.
        """
        require_above_zero(self, "penalty")


class Pfa(LinearModel):
    """Logit = item + sum over its concepts of a_k log(1 + right_k) + b_k log(1 + wrong_k).

    A state holds right [B, K] and wrong [B, K], the earlier answers on each concept.
    """

    name: ClassVar[str] = "pfa"
    config: PfaConfig

    def __init__(self, config: PfaConfig | None = None) -> None:
        """Create an unfitted model."""
        super().__init__(config or PfaConfig())

    @override
    def init(self, count: int) -> States:
        shape = (count, len(self.vocabulary.concept_keys))
        return {"right": np.zeros(shape), "wrong": np.zeros(shape)}

    @override
    def _features(self, log: ResponseLog, states: States, *, learning: bool) -> sparse.csr_array:
        size = len(self.vocabulary.concept_keys)
        concepts = log.concepts
        answer, column = np.nonzero((concepts >= 0) & (concepts < size))
        concept, learner = concepts[answer, column], log.learner[answer]
        blocks = []
        for name, outcome in (("right", log.correct), ("wrong", 1.0 - log.correct)):
            earlier = states[name][learner, concept]
            if learning:
                earlier = earlier + _earlier_sum(learner * size + concept, outcome[answer])
                np.add.at(states[name], (learner, concept), outcome[answer])
            entries = (np.log1p(earlier), (answer, concept))
            blocks.append(sparse.csr_array(entries, shape=(len(log), size)))
        return sparse.csr_array(sparse.hstack(blocks, format="csr"))


def _earlier_sum(group: NDArray[np.int64], value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each entry the sum of the earlier values of its group."""
    order = np.argsort(group, kind="stable")
    ranked = value[order]
    before = np.cumsum(ranked) - ranked
    starts = np.concatenate([[True], group[order][1:] != group[order][:-1]])[: len(group)]
    first = np.maximum.accumulate(np.where(starts, np.arange(len(group)), 0))
    earlier = np.empty(len(group))
    # Partial credits may leave -1e-17 behind, of which log1p is fine but a square root is not.
    earlier[order] = np.maximum(before - before[first], 0.0)
    return earlier
