"""Three models that ignore the learner: the means that every tracer has to beat."""

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from kt_models.data.log import ResponseLog
from kt_models.models.plain import PlainModel

# Pseudo-answers of the overall mean added to every item and concept.
HOLD = 5.0


class GlobalMean(PlainModel):
    """Everybody's share of right answers, whatever the item."""

    mean: float

    @override
    def fit(self, log: ResponseLog) -> None:
        self.mean = float(log.correct.mean())

    @override
    def predict(self, log: ResponseLog) -> NDArray[np.float64]:
        return np.full(len(log), self.mean)


class ItemMean(PlainModel):
    """The item's share of right answers, shrunk to the overall mean."""

    means: NDArray[np.float64]

    @override
    def fit(self, log: ResponseLog) -> None:
        self.means = _shrunken(log.item, log.correct, len(log.item_keys), log.correct.mean())

    @override
    def predict(self, log: ResponseLog) -> NDArray[np.float64]:
        return self.means[log.item]


class ConceptMean(PlainModel):
    """The concept's share of right answers, shrunk; the mean of them for several concepts."""

    means: NDArray[np.float64]

    @override
    def fit(self, log: ResponseLog) -> None:
        concepts = log.concepts
        rows, columns = np.nonzero(concepts >= 0)
        met = concepts[rows, columns]
        size = len(log.concept_keys)
        self.means = _shrunken(met, log.correct[rows], size, log.correct.mean())

    @override
    def predict(self, log: ResponseLog) -> NDArray[np.float64]:
        present = log.concept_sets >= 0
        summed = np.where(present, self.means[log.concept_sets], 0.0).sum(axis=1)
        of_set: NDArray[np.float64] = summed / present.sum(axis=1)
        return of_set[log.concept_set]


def _shrunken(
    index: NDArray[np.int64], correct: NDArray[np.float64], size: int, mean: float
) -> NDArray[np.float64]:
    right = np.bincount(index, correct, minlength=size)
    count = np.bincount(index, minlength=size)
    return np.asarray((right + HOLD * mean) / (count + HOLD))
