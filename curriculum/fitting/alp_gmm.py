"""ALP-GMM's mixture, fitted on the answers of a cohort by scikit-learn."""

import numpy as np
from numpy.typing import NDArray
from sklearn.mixture import GaussianMixture

from curriculum.bandits.alp_gmm import AlpGmm
from curriculum.fitting.errors import NothingToFit

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Of the authors' code: mixtures compared, tasks looked back on, rows of a fit.
SIZES = range(2, 11)
BUFFER = 500
LEAST_ROWS = 50


def learning_progress(tasks: FloatArray, outcomes: FloatArray, learners: IntArray) -> FloatArray:
    """Return [n] |outcome - outcome of the nearest task before| of the same learner; NaN for none.

    Args:
        tasks: [n, 2] in the order in which they were done.
        outcomes: [n] what came of each: smoothed mastery rather than right or wrong, of which the
            difference is noise.
        learners: [n].
    """
    found = np.full(len(tasks), np.nan)
    for learner in np.unique(learners):
        rows = np.flatnonzero(learners == learner)
        for place in range(1, len(rows)):
            before = rows[max(place - BUFFER, 0) : place]
            distance = ((tasks[before] - tasks[rows[place]]) ** 2).sum(axis=1)
            # Of equally near tasks the latest.
            nearest = before[len(before) - 1 - int(distance[::-1].argmin())]
            found[rows[place]] = abs(outcomes[rows[place]] - outcomes[nearest])
    return found


def fit_alp_gmm(
    tasks: FloatArray,
    outcomes: FloatArray,
    learners: IntArray,
    *,
    seed: int,
    random_share: float = 0.2,
) -> AlpGmm:
    """Return the policy of the mixture with the lowest AIC over (task, learning progress).

    Args:
        tasks: [n, 2] as `curriculum.bandits.alp_gmm.task_points`, in the order done.
        outcomes: [n] smoothed mastery after each.
        learners: [n] whose they are.
        seed: of the mixtures' first guesses.
        random_share: chance of a uniform draw that the policy keeps.

    Raises:
        NothingToFit: fewer than 50 rows have a task before them, or the arrays do not fit.
    """
    if tasks.shape != (len(outcomes), 2) or learners.shape != outcomes.shape:
        raise NothingToFit(f"tasks {tasks.shape} and outcomes {outcomes.shape} do not fit.")
    progress = learning_progress(tasks, outcomes, learners)
    known = np.isfinite(progress)
    if known.sum() < LEAST_ROWS:
        raise NothingToFit(f"{known.sum()} answers with one before: {LEAST_ROWS} are needed.")
    rows = np.column_stack([tasks[known], progress[known]])
    fits = [
        GaussianMixture(size, covariance_type="full", random_state=seed, reg_covar=1e-4).fit(rows)
        for size in SIZES
    ]
    best = min(fits, key=lambda fit: float(fit.aic(rows)))
    return AlpGmm(
        means=tuple((float(x), float(y)) for x, y, _ in best.means_),
        covariances=tuple(
            (float(c[0, 0]), float(c[0, 1]), float(c[1, 1])) for c in best.covariances_
        ),
        progress=tuple(max(float(mean[2]), 0.0) for mean in best.means_),
        random_share=random_share,
    )
