"""Pooling of several models' probabilities on the logit scale, by proper scoring."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from kt_models.errors import ShapeMismatch

FloatArray = NDArray[np.float64]

# Pseudo-answers that hold the weights to equal ones: little against thousands of answers, and
# enough to share the weight between models that say the same.
HOLD = 20.0
# Whether a model lowers the log loss is judged on answers that its weight was not fitted on.
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Pooling:
    """Logit = intercept + sum over C models of weight times the model's logit.

    Attributes:
        weights: [C], none negative; 0 leaves a model out. They need not sum to one: models that
            know different things are together surer than each alone.
        intercept: added to the logit.
    """

    weights: FloatArray
    intercept: float

    def __call__(self, logits: FloatArray) -> FloatArray:
        """Return [..] pooled logits of [.., C]."""
        return np.asarray(logits @ self.weights + self.intercept)

    def arrays(self) -> dict[str, FloatArray]:
        """Return the pooling as arrays."""
        return {"weights": self.weights, "intercept": np.array([self.intercept])}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, FloatArray]) -> "Pooling":
        """Return the pooling that `arrays` wrote."""
        return cls(arrays["weights"], float(arrays["intercept"][0]))


def fit_pooling(
    logits: FloatArray, correct: FloatArray, *, learner: NDArray[np.int64] | None = None
) -> Pooling:
    """Return the pooling of least log loss, without the models that do not lower it.

    Weights are held to equal ones. Models are then left out one after the other, as long as the
    log loss of learners not fitted on does not rise (five folds of about as many answers, whole
    learners each).

    Args:
        logits: [R, C] predictions of answers that no model has learnt from.
        correct: [R] 0 to 1.
        learner: [R] whose answers they are; each answer another's if it is not given.

    Raises:
        ShapeMismatch: the arrays differ in length, there is no answer, or no model.
    """
    if logits.ndim != 2 or logits.shape[:1] != correct.shape or not logits.size:
        shapes = f"{logits.shape} and {correct.shape}"
        raise ShapeMismatch(f"logits and correct are {shapes}: give [R, C] and [R], not empty.")
    if learner is not None and learner.shape != correct.shape:
        raise ShapeMismatch(f"learner is {learner.shape}: give [R], as many as answers.")
    fold = _folds(np.arange(len(correct)) if learner is None else learner)
    kept = list(range(logits.shape[1]))
    loss = _loss_of_others(logits[:, kept], correct, fold)
    while len(kept) > 1:
        without = [[c for c in kept if c != dropped] for dropped in kept]
        losses = [_loss_of_others(logits[:, fewer], correct, fold) for fewer in without]
        best = int(np.argmin(losses))
        if losses[best] > loss:
            break
        kept, loss = without[best], losses[best]
    weights, intercept = _fitted(logits[:, kept], correct)
    spread = np.zeros(logits.shape[1])
    spread[kept] = weights
    return Pooling(spread, intercept)


def pooled_by_others(
    logits: FloatArray, correct: FloatArray, *, learner: NDArray[np.int64]
) -> FloatArray:
    """Return [R] pooled logits of each learner under the pooling that other learners give.

    What is left out is chosen anew each time too, so whatever is judged or fitted by these logits
    is not flattered by weights that know the answers. Five folds, whole learners each; a single
    learner has no others, and is pooled by their own.

    Args:
        logits: [R, C] as for `fit_pooling`, like the rest.
        correct: [R].
        learner: [R].

    Raises:
        ShapeMismatch: as for `fit_pooling`.
    """
    whole = fit_pooling(logits, correct, learner=learner)
    found, fold = whole(logits), _folds(learner)
    for number in np.unique(fold):
        here = fold == number
        if not here.all():
            there = fit_pooling(logits[~here], correct[~here], learner=learner[~here])
            found[here] = there(logits[here])
    return found


def _fitted(logits: FloatArray, correct: FloatArray) -> tuple[FloatArray, float]:
    count = logits.shape[1]

    def loss(values: FloatArray, /) -> tuple[float, FloatArray]:
        x = logits @ values[:-1] + values[-1]
        error = 0.5 * (1.0 + np.tanh(0.5 * x)) - correct
        off = values[:-1] - 1.0 / count
        total = float(np.sum(np.logaddexp(0.0, x) - correct * x) + 0.5 * HOLD * off @ off)
        return total, np.append(error @ logits + HOLD * off, error.sum())

    found = minimize(
        loss,
        np.append(np.full(count, 1.0 / count), 0.0),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, None)] * count + [(None, None)],
    )
    return np.asarray(found.x[:-1]), float(found.x[-1])


def _folds(learner: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return [R] the fold of each answer: consecutive learners with about as many answers."""
    _, number, count = np.unique(learner, return_inverse=True, return_counts=True)
    # A learner's middle answer says where they belong; no learner is in two folds.
    middle = np.cumsum(count) - 0.5 * count
    of_learner = (middle * FOLDS / len(learner)).astype(np.int64)
    return np.asarray(of_learner[number])


def _loss_of_others(logits: FloatArray, correct: FloatArray, fold: NDArray[np.int64]) -> float:
    """Return the mean log loss of each fold under the weights that the others give."""
    total = 0.0
    for number in np.unique(fold):
        here = fold == number
        # With a single learner there are no others.
        there = ~here if not here.all() else here
        weights, intercept = _fitted(logits[there], correct[there])
        x = logits[here] @ weights + intercept
        total += float(np.sum(np.logaddexp(0.0, x) - correct[here] * x))
    return total / len(correct)
