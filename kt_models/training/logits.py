"""Probabilities as logits."""

import numpy as np
from numpy.typing import NDArray

# Logits beyond are as good as certain; networks in single precision can say 0 or 1.
EDGE = 12.0


def to_logit(prob: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log(p / (1 - p)), held within -12 to 12."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.clip(np.log(prob) - np.log1p(-prob), -EDGE, EDGE))
