"""Learning rates over a run as shares of the highest (arXiv 2310.07831)."""

import numpy as np
from numpy.typing import NDArray

# Points that a schedule is given at; between them it is linear.
POINTS = 1001
# Of the run: gradient norms are smoothed by a median filter so wide (the paper's tau).
SMOOTHED = 0.1


def learning_rates(
    warm_up: float, *, gradient_norms: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Return the rate at evenly spaced points from the first step to the last, 1 the highest.

    Without norms it falls linearly to zero. With the norms of an earlier run it is refined as the
    paper does for Adam: G is that run's L1 norms after a median filter, w_t = 1 / G_t, and the rate
    at t is w_t times the sum of the later w. Such a schedule shows a warm-up of its own.

    Args:
        warm_up: share of the run in which a linear schedule first rises from zero.
        gradient_norms: [steps] L1 norms of an earlier run's gradients.
    """
    place = np.linspace(0.0, 1.0, POINTS)
    if gradient_norms is not None and len(gradient_norms) > 1:
        steps = np.linspace(0.0, 1.0, len(gradient_norms))
        rates = np.interp(place, steps, _refined(gradient_norms))
    else:
        rise = np.minimum(place / warm_up, 1.0) if warm_up > 0.0 else 1.0
        rates = (1.0 - place) * rise
    return np.asarray(rates / rates.max())


def _refined(norms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return [steps] rates up to a factor."""
    half = min(int(SMOOTHED * len(norms)) // 2, len(norms) - 1)
    # The paper pads by the nearest at the beginning and by reflection at the end.
    padded = np.pad(np.pad(norms, (half, 0), mode="edge"), (0, half), mode="reflect")
    smooth = np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1), axis=1)
    weight = 1.0 / np.maximum(smooth, 1e-12)
    later = np.cumsum(weight[::-1])[::-1] - weight
    # What is left of the subtraction at the last step is rounding, and may be negative.
    later[-1] = 0.0
    return np.asarray(weight * later)
