"""Ridge logistic regression with one intercept per item, by Newton's method.

Correlated counts make a first-order solver crawl: L-BFGS takes some 600 steps on them, Newton about
eight. Items are many, but no answer has two, so their block of the Hessian is diagonal and is
eliminated (Schur complement); what is left is as large as the other features.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

from kt_models.training.compiling import compiled

FloatArray = NDArray[np.float64]

STEPS = 50
# Gain of log loss per answer below which a step is the last.
ENOUGH = 1e-9


def fit_ridge(
    item: NDArray[np.int64],
    features: sparse.csr_array,
    correct: FloatArray,
    *,
    penalty: FloatArray,
    item_penalty: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return item intercepts [I] and weights [F] of the least penalised log loss.

    Args:
        item: [R] item of each answer.
        features: [R, F]; a column of ones makes a common intercept.
        correct: [R] 0 to 1.
        penalty: [F]; half of it times the squared weight is added to the summed log loss.
        item_penalty: [I], all positive.
    """
    items, weights = np.zeros(len(item_penalty)), np.zeros(len(penalty))
    loss = _loss(item, features, correct, items, weights, item_penalty, penalty)
    for _ in range(STEPS):
        logit = items[item] + features @ weights
        prob = 0.5 * (1.0 + np.tanh(0.5 * logit))
        error, curvature = prob - correct, prob * (1.0 - prob)
        size = len(items)
        slope_items = np.bincount(item, error, minlength=size) + item_penalty * items
        slope = features.T @ error + penalty * weights
        diagonal = np.bincount(item, curvature, minlength=size) + item_penalty
        cross, block = np.zeros((size, len(weights))), np.diag(penalty).astype(float)
        _accumulate(item, features.indptr, features.indices, features.data, curvature, cross, block)
        scaled = cross / diagonal[:, None]
        step = _solve(block - cross.T @ scaled, slope - scaled.T @ slope_items)
        step_items = slope_items / diagonal - scaled @ step
        share = 1.0
        while True:
            tried = items - share * step_items, weights - share * step
            found = _loss(item, features, correct, *tried, item_penalty, penalty)
            if found <= loss or share < 1e-6:
                break
            share *= 0.5
        gain, loss = loss - found, found
        items, weights = tried
        if gain <= ENOUGH * len(item):
            break
    return items, weights


def _solve(matrix: FloatArray, right: FloatArray) -> FloatArray:
    # A column that is always zero has no curvature and no slope: it stays where it is.
    matrix[np.diag_indices_from(matrix)] += 1e-9
    return np.asarray(linalg.solve(matrix, right, assume_a="pos"))


def _loss(
    item: NDArray[np.int64],
    features: sparse.csr_array,
    correct: FloatArray,
    items: FloatArray,
    weights: FloatArray,
    item_penalty: FloatArray,
    penalty: FloatArray,
) -> float:
    logit = items[item] + features @ weights
    loss = np.sum(np.logaddexp(0.0, logit) - correct * logit)
    return float(loss + 0.5 * (item_penalty @ items**2 + penalty @ weights**2))


@compiled
def _accumulate(
    item: Any, bounds: Any, columns: Any, values: Any, curvature: Any, cross: Any, block: Any
) -> None:
    """Add X_items' W X to `cross` [I, F] and X' W X to `block` [F, F]."""
    for r in range(len(item)):
        for a in range(bounds[r], bounds[r + 1]):
            weighted = curvature[r] * values[a]
            cross[item[r], columns[a]] += weighted
            for b in range(bounds[r], a + 1):
                block[columns[a], columns[b]] += weighted * values[b]
    # Columns of a row ascend, so what was added lies in the lower triangle.
    for a in range(len(block)):
        for b in range(a):
            block[b, a] = block[a, b]
