"""Models without a streaming twin; they are being given one."""

import abc

import numpy as np
from numpy.typing import NDArray

from kt_models.data.log import ResponseLog


class PlainModel(abc.ABC):
    """A model of right and wrong, fitted on some learners and judged on others.

    `predict` is prequential: the probability of an answer may depend on that learner's earlier
    answers and on nothing later. Vocabularies must be those of the training log.
    """

    @abc.abstractmethod
    def fit(self, log: ResponseLog) -> None:
        """Learn from the training learners' log."""

    @abc.abstractmethod
    def predict(self, log: ResponseLog) -> NDArray[np.float64]:
        """Return [R] P(right) of every answer of a log, each before it is known."""
