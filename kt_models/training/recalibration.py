"""A monotone map of probabilities, fitted on learners that the model has not learnt from."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from kt_models.errors import ShapeMismatch
from kt_models.training.logits import to_logit

# Enough pieces for the bends that networks show, too few to follow noise.
PIECES = 6
# A slope of 0 would make ties of predictions that differ, and so change the AUC.
LEAST_SLOPE = 0.05
# How strongly predictions may be held where they are, in pseudo-answers; infinite leaves them be.
# Learners differ, and a map that fits some of them need not fit others: what is chosen is what
# helps those that it was not fitted on.
HOLDS = (np.inf, 1000.0, 100.0, 10.0, 1.0)
FOLDS = 5
# A gain must be so many times its standard error over learners: the validation learners may all
# have been better than those learnt from by chance, and a map must not follow that.
LUCK = 1.0
# Steep pieces may take an extreme one further, but never to a probability of exactly 0 or 1.
LAST = 30.0

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
        return _sigmoid(np.clip(self.moved(to_logit(prob)), -LAST, LAST))

    def moved(self, logit: FloatArray) -> FloatArray:
        """Return [..] recalibrated logits."""
        pieces = _pieces(logit, self.knots)
        return np.asarray(self.shift + self._anchor() + pieces @ self.slopes)

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


def fit_recalibration(
    *, prob: FloatArray, correct: FloatArray, learner: NDArray[np.int64] | None = None
) -> Recalibration:
    """Return the monotone map of `prob` that predicts `correct` with the least log loss.

    Args:
        prob: [R] predictions of answers that the model has not learnt from.
        correct: [R] 0 to 1.
        learner: [R] whose answers they are; None says that each is somebody else's. Fewer than
            FOLDS learners say nothing of others, and nothing is changed.

    Raises:
        ShapeMismatch: the arrays differ in length.
    """
    if prob.shape != correct.shape:
        raise ShapeMismatch(f"{len(prob)} probabilities and {len(correct)} answers.")
    whose = np.arange(len(prob)) if learner is None else np.unique(learner, return_inverse=True)[1]
    people = int(whose.max(initial=-1)) + 1
    if people < FOLDS:
        return Recalibration.none()
    logit, fold = to_logit(prob), whose * FOLDS // people
    losses = [_loss_of_others(logit, correct, fold, hold) for hold in HOLDS]
    best = int(np.argmin([loss.sum() for loss in losses]))
    gain = np.bincount(whose, losses[0] - losses[best], minlength=people)
    doubt = float(np.std(gain)) * np.sqrt(people)
    return _fitted(logit, correct, HOLDS[best] if gain.sum() > LUCK * doubt else np.inf)


def _loss_of_others(
    logit: FloatArray, correct: FloatArray, fold: NDArray[np.int64], hold: float
) -> FloatArray:
    """Return [R] log losses of each fold of learners under the map that the others give."""
    losses = np.empty(len(logit))
    for number in range(FOLDS):
        here = fold == number
        x = _fitted(logit[~here], correct[~here], hold).moved(logit[here])
        losses[here] = np.logaddexp(0.0, x) - correct[here] * x
    return losses


def _fitted(logit: FloatArray, correct: FloatArray, hold: float) -> Recalibration:
    """Return the map of least log loss, held to the identity.

    The penalty is on what shift, common slope and single slopes move logits by, so it means the
    same for predictions that are spread wide and for those that are not.
    """
    if np.isinf(hold) or not len(logit):
        return Recalibration.none()
    knots = np.unique(np.quantile(logit, np.linspace(0.0, 1.0, PIECES + 1)[1:-1]))
    # Constant predictions leave nothing but the level to be mended.
    knots = knots[(knots > logit.min()) & (knots < logit.max())]
    pieces = _pieces(logit, knots)
    anchor = float(knots[0]) if len(knots) else 0.0
    spread, widths = float(np.std(logit)), np.std(pieces, axis=0)
    size = len(widths)

    def loss(values: FloatArray, /) -> tuple[float, FloatArray]:
        shift, off = values[0], values[1:] - 1.0
        x = anchor + shift + pieces @ values[1:]
        error = _sigmoid(x) - correct
        common = off.mean()
        # A slope of 0 spread is not seen by the answers: a little holds it all the same.
        own = (widths**2 + 1e-6) * (off - common)
        penalty = shift**2 + (spread * common) ** 2 + own @ (off - common)
        slope = spread**2 * common / size + own - own.mean()
        total = float(np.sum(np.logaddexp(0.0, x) - correct * x) + 0.5 * hold * penalty)
        return total, np.append(error.sum() + hold * shift, error @ pieces + hold * slope)

    found = minimize(
        loss,
        np.append(0.0, np.ones(size)),
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


def _sigmoid(x: FloatArray) -> FloatArray:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)))
