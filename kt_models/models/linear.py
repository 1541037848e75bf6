"""Logistic regressions on the question and on what a learner's earlier answers were."""

import abc
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from typing_extensions import override

from kt_models.data.log import ResponseLog
from kt_models.models.base import Fitting, States
from kt_models.models.folding import FoldingModel, looked_up, require_shapes, sigmoid
from kt_models.training.ridge_logistic import fit_ridge

# The common intercept is all but free.
LEAST_PENALTY = 1e-6


class LinearConfig(Protocol):
    """What the configuration of every regression has."""

    @property
    def penalty(self) -> float:
        """Of the ridge, on every weight."""


class LinearModel(FoldingModel):
    """A ridge logistic regression: one intercept per item, and weights of a subclass's features."""

    config: LinearConfig

    def __init__(self, config: Any) -> None:
        """Create an unfitted model."""
        super().__init__(config)
        self.item = np.empty(0)
        self.weights = np.empty(0)

    @abc.abstractmethod
    def _features(self, log: ResponseLog, states: States, *, learning: bool) -> sparse.csr_array:
        """Return [R, F] features of an aligned log; the states as in `_fold`."""

    @override
    def _fit(self, train: ResponseLog, held_out: ResponseLog, fitting: Fitting) -> None:
        blocks = [
            self._with_ones(self._features(part, self.init(len(part.learner_keys)), learning=True))
            for part in self._parts(train)
        ]
        features = sparse.csr_array(sparse.vstack(blocks, format="csr"))
        penalty = np.full(features.shape[1], self.config.penalty)
        penalty[-1] = LEAST_PENALTY
        self.item, self.weights = fit_ridge(
            train.item,
            features,
            train.correct,
            penalty=penalty,
            item_penalty=np.full(len(train.item_keys), self.config.penalty),
        )
        fitting.report(1, 1, {})

    @override
    def _fold(self, log: ResponseLog, states: States, *, learning: bool) -> NDArray[np.float64]:
        features = self._features(log, states, learning=learning)
        logit = features @ self.weights[:-1] + self.weights[-1]
        return sigmoid(looked_up(self.item, log.item, unknown=0.0) + logit)

    @staticmethod
    def _with_ones(features: sparse.csr_array) -> sparse.csr_array:
        """Return features with a column of ones behind, sorted within each row."""
        ones = sparse.csr_array(np.ones((features.shape[0], 1)))
        wider = sparse.csr_array(sparse.hstack([features, ones], format="csr"))
        wider.sort_indices()
        return wider

    @override
    def arrays(self) -> dict[str, NDArray[Any]]:
        return {"item": self.item, "weights": self.weights}

    @override
    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        vocabulary = self.vocabulary
        question = vocabulary.questions(np.zeros(1, np.int64), learners=1, shown_at=np.zeros(1))
        asked = vocabulary.align(question)
        features = self._features(asked, self.init(1), learning=False).shape[1]
        shapes = {"item": (len(vocabulary.item_keys),), "weights": (features + 1,)}
        require_shapes(arrays, shapes)
        self.item, self.weights = arrays["item"], arrays["weights"]
