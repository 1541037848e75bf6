"""The distribution of ability, and the points at which integrals over it are taken."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curriculum.irt.errors import ImpossibleSetting

POINTS = 61
REACH = 6.0


@dataclass(frozen=True, slots=True)
class Population:
    """A normal distribution of ability, in logits of the scale.

    The scale is defined by the reference calibration, whose population has mean 0 and sd 1.

    Raises:
        ImpossibleSetting: the mean is not finite, or the sd not above 0.
    """

    mean: float = 0.0
    sd: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what is no distribution."""
        if not math.isfinite(self.mean) or not 0.0 < self.sd < math.inf:
            raise ImpossibleSetting(f"No population has mean {self.mean} and sd {self.sd}.")

    def log_weights(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return [Q] logs of the shares of the population at each point; they add up to 1."""
        density = -0.5 * ((points - self.mean) / self.sd) ** 2
        top = density.max()
        return np.asarray(density - top - math.log(float(np.exp(density - top).sum())))


REFERENCE = Population()


def ability_points(*, count: int = POINTS, reach: float = REACH) -> NDArray[np.float64]:
    """Return [Q] evenly spaced abilities from -reach to reach, in logits.

    Evenly spaced points (the rectangle rule) are exact to many digits for smooth densities that
    vanish at both ends, and the same points serve every population and every learner.

    Raises:
        ImpossibleSetting: fewer than 11 points, or no positive reach.
    """
    if count < 11 or not reach > 0.0:
        raise ImpossibleSetting(f"{count} points to ±{reach} logits cannot hold a distribution.")
    return np.linspace(-reach, reach, count)
