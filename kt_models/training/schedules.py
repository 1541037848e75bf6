"""Learning rates over a run as shares of the highest (arXiv 2310.07831)."""

import numpy as np
from numpy.typing import NDArray

# Points that a schedule is given at; between them it is linear.
POINTS = 1001
# Of the run: gradient norms are smoothed by the median over so wide a window (the paper's 0.2 T).
SMOOTHED = 0.2


def learning_rates(
    warm_up: float, *, gradient_norms: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Return the rate at evenly spaced points from the first step to the last, 1 the highest.

    Without norms it falls linearly to zero. With the norms g_t of an earlier run it is the paper's
    refined schedule (Algorithm 1 for SGD-like norms): w_t = 1 / g_t^2 after a median filter, and
    the rate at t is w_t times the sum of the later w.

    Args:
        warm_up: share of the run in which the rate rises linearly from zero.
        gradient_norms: [steps] L2 norms of an earlier run's gradients.
    """
    place = np.linspace(0.0, 1.0, POINTS)
    shape = 1.0 - place if gradient_norms is None else _refined(gradient_norms, place)
    rise = np.minimum(place / warm_up, 1.0) if warm_up > 0.0 else np.ones(POINTS)
    rates = shape * rise
    return np.asarray(rates / rates.max())


def _refined(norms: NDArray[np.float64], place: NDArray[np.float64]) -> NDArray[np.float64]:
    half = max(int(len(norms) * SMOOTHED / 2), 1)
    padded = np.pad(norms, half, mode="reflect" if half < len(norms) else "edge")
    smooth = np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1), axis=1)
    weight = 1.0 / np.maximum(smooth, 1e-12) ** 2
    later = np.cumsum(weight[::-1])[::-1] - weight
    shape = weight * later
    return np.interp(place, np.linspace(0.0, 1.0, len(shape)), shape)
