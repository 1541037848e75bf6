"""Whether fast rewards foretell what is known a day later, and with which weights they do best.

The fast reward is there after seconds, but it is a model's opinion. An unassisted probe a day or
more later is the truth it stands for. Once a month the parts of the fast reward are weighed anew to
predict the probes; if they do not, the old weights stay (a surrogate that predicts nothing must not
steer: Prentice 1989, Athey et al. 2019).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curriculum.evaluation.rewards import RewardsUnusable
from curriculum.evaluation.ridge import fit_ridge

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

FOLDS = 5
MIN_CORRELATION = 0.3
MIN_ROWS, MIN_LEARNERS = 200, 50
MIN_DELAY_H = 24.0


@dataclass(frozen=True, slots=True, eq=False)
class Reweighting:
    """New weights of the parts of the fast reward, or the old ones.

    Attributes:
        weights: [F], to multiply the parts with.
        correlation: between the probes' surprise and what the parts foretold of learners that
            the weights were not fitted on; nan if there was too little to tell.
        reason: why the old weights stayed; empty where they did not.
        rows, learners: that were counted.
    """

    weights: FloatArray
    correlation: float
    reason: str
    rows: int
    learners: int

    @property
    def frozen(self) -> bool:
        """Whether the old weights stayed."""
        return bool(self.reason)


def reweigh(
    parts: FloatArray,
    *,
    probe: FloatArray,
    foretold: FloatArray,
    delay_hours: FloatArray,
    learner: IntArray,
    previous: FloatArray,
    seed: int,
) -> Reweighting:
    """Return the weights with which the parts of the fast reward best predict delayed probes.

    A row is a probe, or the mean over several of one cell (an arm, a week): single probes are 0 or
    1, and that noise alone may keep the correlation below the bar.

    Args:
        parts: [n, F] what was earned on the probe's concept before the probe, by part of the
            reward (by mode, say).
        probe: [n] outcome of the unassisted probe, 0..1.
        foretold: [n] what the model said of it before the practice, 0..1.
        delay_hours: [n] hours from the last practice to the probe; rows of less than a day are
            left out, they measure what is fresh.
        learner: [n] whose rows belong together.
        previous: [F] the weights so far.
        seed: of the folds.

    Raises:
        RewardsUnusable: the arrays do not fit together, or are not finite.
    """
    if parts.ndim != 2 or previous.shape != parts.shape[1:]:
        raise RewardsUnusable(f"parts {parts.shape}, previous {previous.shape}: give [n, F], [F].")
    columns = (probe, foretold, delay_hours, learner)
    if any(one.shape != parts.shape[:1] for one in columns):
        raise RewardsUnusable(f"Give one value for each of the {len(parts)} rows.")
    if not all(np.isfinite(one).all() for one in (parts, *columns, previous)):
        raise RewardsUnusable("A number is missing: leave rows without a probe out.")
    late = delay_hours >= MIN_DELAY_H
    rows, surprise = parts[late], (probe - foretold)[late]
    _, owner = np.unique(learner[late], return_inverse=True)
    learners = int(owner.max()) + 1 if len(owner) else 0
    if len(rows) < MIN_ROWS or learners < MIN_LEARNERS:
        reason = (
            f"{len(rows)} probes after a day or more, of {learners} learners: at least "
            f"{MIN_ROWS} of {MIN_LEARNERS} are needed"
        )
        return Reweighting(previous.copy(), float("nan"), reason, len(rows), learners)
    correlation = _correlation(_foretell(rows, surprise, owner, seed=seed), surprise)
    if not correlation >= MIN_CORRELATION:
        reason = f"correlation {correlation:.2f} with the probes, at least {MIN_CORRELATION} needed"
        return Reweighting(previous.copy(), correlation, reason, len(rows), learners)
    _, weights = fit_ridge(rows, surprise)
    return Reweighting(weights, correlation, "", len(rows), learners)


def _foretell(rows: FloatArray, surprise: FloatArray, owner: IntArray, *, seed: int) -> FloatArray:
    """Return [n] what weights fitted on other learners say of each row."""
    folds = np.random.default_rng([seed, 9]).permutation(int(owner.max()) + 1) % FOLDS
    fold = folds[owner]
    said = np.empty(len(rows))
    for held_out in range(FOLDS):
        apart = fold == held_out
        level, weights = fit_ridge(rows[~apart], surprise[~apart])
        said[apart] = level + rows[apart] @ weights
    return said


def _correlation(a: FloatArray, b: FloatArray) -> float:
    """Return Pearson's correlation, 0 where one of them never varies."""
    if a.std() < 1e-12 or b.std() < 1e-12:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])
