"""Three models that ignore the learner: the means that every tracer has to beat."""

import abc
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from kt_models.data.log import ResponseLog
from kt_models.models.base import Fitting, States
from kt_models.models.folding import FoldingModel, looked_up, require_shapes
from kt_models.settings import require_above_zero


@dataclass(frozen=True, slots=True)
class MeanConfig:
    """What a mean decides beforehand.

    Attributes:
        hold: pseudo-answers of the overall mean that are added to every item or concept.
    """

    hold: float = 5.0

    def __post_init__(self) -> None:
        """Refuse what cannot be built.

        Raises:
            ImpossibleSetting: naming the setting.
        """
        require_above_zero(self, "hold")


class _Mean(FoldingModel):
    """A table of shares right; a learner's state holds no more than how many answers there were."""

    config: MeanConfig

    def __init__(self, config: MeanConfig | None = None) -> None:
        """Create an unfitted model."""
        super().__init__(config or MeanConfig())
        self.means = np.empty(0)

    @override
    def init(self, count: int) -> States:
        return {"answers": np.zeros(count, dtype=np.int64)}

    @override
    def _fold(self, log: ResponseLog, states: States, *, learning: bool) -> NDArray[np.float64]:
        if learning:
            states["answers"] += np.diff(log.starts)
        return self._means_of(log)

    @abc.abstractmethod
    def _means_of(self, log: ResponseLog) -> NDArray[np.float64]:
        """Return [R] the mean that stands for each answer."""

    @abc.abstractmethod
    def _size(self) -> int:
        """Return how many means there are."""

    @override
    def arrays(self) -> dict[str, NDArray[Any]]:
        return {"means": self.means}

    @override
    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        require_shapes(arrays, {"means": (self._size(),)})
        self.means = arrays["means"]

    def _shrunken(
        self, index: NDArray[np.int64], correct: NDArray[np.float64], size: int
    ) -> NDArray[np.float64]:
        right = np.bincount(index, correct, minlength=size)
        count = np.bincount(index, minlength=size)
        hold = self.config.hold
        return np.asarray((right + hold * self.vocabulary.mean) / (count + hold))


class Majority(_Mean):
    """Everybody's share of right answers, whatever the item: above 1/2 it says right to all."""

    name: ClassVar[str] = "majority"

    @override
    def _fit(self, train: ResponseLog, held_out: ResponseLog, fitting: Fitting) -> None:
        self.means = np.array([self.vocabulary.mean])

    @override
    def _means_of(self, log: ResponseLog) -> NDArray[np.float64]:
        return np.full(len(log), self.means[0])

    @override
    def _size(self) -> int:
        return 1


class ItemMean(_Mean):
    """The item's share of right answers, shrunk to the overall mean."""

    name: ClassVar[str] = "item-mean"

    @override
    def _fit(self, train: ResponseLog, held_out: ResponseLog, fitting: Fitting) -> None:
        self.means = self._shrunken(train.item, train.correct, len(train.item_keys))

    @override
    def _means_of(self, log: ResponseLog) -> NDArray[np.float64]:
        return looked_up(self.means, log.item, unknown=self.vocabulary.mean)

    @override
    def _size(self) -> int:
        return len(self.vocabulary.item_keys)


class ConceptMean(_Mean):
    """The concept's share of right answers, shrunk; the mean of them for several concepts."""

    name: ClassVar[str] = "concept-mean"

    @override
    def _fit(self, train: ResponseLog, held_out: ResponseLog, fitting: Fitting) -> None:
        concepts = train.concepts
        rows, columns = np.nonzero(concepts >= 0)
        met = concepts[rows, columns]
        self.means = self._shrunken(met, train.correct[rows], len(train.concept_keys))

    @override
    def _means_of(self, log: ResponseLog) -> NDArray[np.float64]:
        present = log.concept_sets >= 0
        means = looked_up(self.means, log.concept_sets, unknown=self.vocabulary.mean)
        of_set = np.where(present, means, 0.0).sum(axis=1) / present.sum(axis=1)
        return np.asarray(of_set[log.concept_set])

    @override
    def _size(self) -> int:
        return len(self.vocabulary.concept_keys)
