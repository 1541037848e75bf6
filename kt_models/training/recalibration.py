"""A monotone map of probabilities, fitted on learners that the model has not learnt from."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from kt_models.errors import ShapeMismatch

# Enough pieces for the bends that networks show, too few to follow noise.
PIECES = 6
# A slope of 0 would make ties of predictions that differ, and so change the AUC.
LEAST_SLOPE = 0.05
# Pseudo-answers that hold every slope near 1; a small validation set moves little.
HOLD = 20.0
# Logits beyond are as good as certain.
EDGE = 12.0

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Recalibration:
    """Piecewise linear on the logit scale, rising everywhere.

    Attributes:
        knots: [P - 1] logits where the slope changes, ascending.
        slopes: [P] slope of each piece, all positive.
        shift: added to the logit.
    """

    knots: FloatArray
    slopes: FloatArray
    shift: float

    @classmethod
    def none(cls) -> "Recalibration":
        """Return the map that changes nothing."""
        return cls(knots=np.zeros(0), slopes=np.ones(1), shift=0.0)

    def __call__(self, prob: FloatArray) -> FloatArray:
        """Return [..] recalibrated probabilities."""
        pieces = _pieces(_logit(prob), self.knots)
        return _sigmoid(self.shift + self._anchor() + pieces @ self.slopes)

    def _anchor(self) -> float:
        """The pieces are measured from the first knot, so that slopes of 1 give the logit back."""
        return float(self.knots[0]) if len(self.knots) else 0.0

    def arrays(self) -> dict[str, FloatArray]:
        """Return the map as arrays."""
        return {"knots": self.knots, "slopes": self.slopes, "shift": np.array([self.shift])}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, FloatArray]) -> "Recalibration":
        """Return the map that `arrays` wrote."""
        return cls(arrays["knots"], arrays["slopes"], float(arrays["shift"][0]))


def fit_recalibration(*, prob: FloatArray, correct: FloatArray) -> Recalibration:
    """Return the monotone map of `prob` that predicts `correct` with the least log loss.

    Args:
        prob: [R] predictions of answers that the model has not learnt from.
        correct: [R] 0 to 1.

    Raises:
        ShapeMismatch: the arrays differ in length.
    """
    if prob.shape != correct.shape:
        raise ShapeMismatch(f"{len(prob)} probabilities and {len(correct)} answers.")
    if not len(prob):
        return Recalibration.none()
    logit = _logit(prob)
    knots = np.unique(np.quantile(logit, np.linspace(0.0, 1.0, PIECES + 1)[1:-1]))
    # Constant predictions leave nothing but the level to be mended.
    knots = knots[(knots > logit.min()) & (knots < logit.max())]
    pieces = _pieces(logit, knots)
    anchor = float(knots[0]) if len(knots) else 0.0
    size = pieces.shape[1]

    def loss(values: FloatArray) -> tuple[float, FloatArray]:
        x = anchor + values[0] + pieces @ values[1:]
        error = _sigmoid(x) - correct
        off = values[1:] - 1.0
        total = float(np.sum(np.logaddexp(0.0, x) - correct * x) + 0.5 * HOLD * off @ off)
        return total, np.concatenate([[error.sum()], error @ pieces + HOLD * off])

    found = minimize(
        loss,
        np.concatenate([[0.0], np.ones(size)]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(None, None)] + [(LEAST_SLOPE, None)] * size,
    )
    return Recalibration(knots=knots, slopes=found.x[1:], shift=float(found.x[0]))


def _pieces(logit: FloatArray, knots: FloatArray) -> FloatArray:
    """Return [.., P] how far the logit has come in each piece; below the first knot negative."""
    if not len(knots):
        return np.asarray(logit[..., None])
    ends = np.append(knots, np.inf)
    below = np.minimum(logit - knots[0], 0.0)
    above = [np.clip(logit, low, high) - low for low, high in itertools.pairwise(ends)]
    pieces: FloatArray = np.stack([below, *above], axis=-1)
    return pieces


def _logit(prob: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore"):
        return np.asarray(np.clip(np.log(prob) - np.log1p(-prob), -EDGE, EDGE))


def _sigmoid(x: FloatArray) -> FloatArray:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)))
