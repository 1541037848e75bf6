"""A ridge regression with an intercept, small enough to read."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# In rows, on standardised features.
PENALTY = 10.0


def fit_ridge(features: FloatArray, outcome: FloatArray) -> tuple[float, FloatArray]:
    """Return intercept and [F] slopes; the penalty is on standardised features.

    Args:
        features: [n, F]; one that never varies gets a slope of 0.
        outcome: [n], at least one.
    """
    mean, spread = features.mean(axis=0), features.std(axis=0)
    scale = np.where(spread > 1e-12, 1.0 / np.maximum(spread, 1e-12), 0.0)
    design = (features - mean) * scale
    gram = design.T @ design + PENALTY * np.eye(features.shape[1])
    slopes = scale * np.linalg.solve(gram, design.T @ (outcome - outcome.mean()))
    return float(outcome.mean() - mean @ slopes), np.asarray(slopes)
