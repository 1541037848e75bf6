"""Performance factors analysis: a logistic regression on counts of earlier right and wrong answers.

Pavlik, Cen & Koedinger (2009), with one difficulty per item as in Gervet, Koedinger, Schneider &
Mitchell (2020); counts enter as log(1 + n), as there. With `learner_counts` the learner's totals
enter too, which makes it that paper's Best-LR.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from typing_extensions import override

from kt_models.data.log import ResponseLog
from kt_models.errors import KTModelError
from kt_models.models.plain import PlainModel


class PackageMissing(KTModelError):
    """A model needs a package that is not installed."""


class PFA(PlainModel):
    """Logit = item + sum over its concepts of a_k log(1 + right_k) + b_k log(1 + wrong_k)."""

    def __init__(self, *, learner_counts: bool = False) -> None:
        """Create an unfitted model; `learner_counts` adds the learner's totals."""
        self.learner_counts = learner_counts
        self.weights = np.empty(0)
        self.intercept = 0.0

    @override
    def fit(self, log: ResponseLog) -> None:
        try:
            from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
        except ImportError as error:
            raise PackageMissing("PFA needs scikit-learn: pip install scikit-learn.") from error
        regression = LogisticRegression(C=1.0, solver="lbfgs", max_iter=3000, tol=1e-4)
        # Partial credit becomes right or wrong: the regression knows only classes.
        regression.fit(self._features(log), log.correct > 0.5)
        self.weights, self.intercept = regression.coef_[0], float(regression.intercept_[0])

    @override
    def predict(self, log: ResponseLog) -> NDArray[np.float64]:
        logit = self._features(log) @ self.weights + self.intercept
        return 0.5 * (1.0 + np.tanh(0.5 * logit))

    def _features(self, log: ResponseLog) -> sparse.csr_array:
        rows = np.arange(len(log))
        items = sparse.csr_array(
            (np.ones(len(log)), (rows, log.item)), shape=(len(log), len(log.item_keys))
        )
        concepts = log.concepts
        answer, column = np.nonzero(concepts >= 0)
        concept = concepts[answer, column]
        size = len(log.concept_keys)
        group = log.learner[answer] * size + concept
        blocks = [items, *_count_blocks(log, answer, concept, group, size)]
        if self.learner_counts:
            blocks += _count_blocks(log, rows, np.zeros(len(log), dtype=int), log.learner, 1)
        return sparse.csr_array(sparse.hstack(blocks, format="csr"))


def _count_blocks(
    log: ResponseLog,
    answer: NDArray[np.int64],
    column: NDArray[np.int64],
    group: NDArray[np.int64],
    size: int,
) -> list[sparse.csr_array]:
    """Return log(1 + earlier right) and log(1 + earlier wrong) of each group, [R, size] each."""
    blocks = []
    for outcome in (log.correct, 1.0 - log.correct):
        earlier = _earlier_sum(group, outcome[answer])
        values = (np.log1p(earlier), (answer, column))
        blocks.append(sparse.csr_array(values, shape=(len(log), size)))
    return blocks


def _earlier_sum(group: NDArray[np.int64], value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each entry the sum of the earlier values of its group."""
    order = np.argsort(group, kind="stable")
    ranked = value[order]
    before = np.cumsum(ranked) - ranked
    starts = np.concatenate([[True], group[order][1:] != group[order][:-1]])
    first = np.maximum.accumulate(np.where(starts, np.arange(len(group)), 0))
    earlier = np.empty(len(group))
    # Partial credits may leave -1e-17 behind, of which log1p is fine but a square root is not.
    earlier[order] = np.maximum(before - before[first], 0.0)
    return earlier
