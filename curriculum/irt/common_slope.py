"""One number for how hard an item is: the difficulty of an item of typical slope with its chances.

Difficulty and discrimination of an easy or a hard item are known badly, and err together; how many
of the population solve it is known well. With k = pi / 8 (MacKay, 1992) and ability ~ N(mu, sigma),
the logit of that share is a (mu - b) / sqrt(1 + k a^2 sigma^2), with guessing on top. Among items
of one slope it orders them, can be compared and averaged, and a prior can be put on it. Needs numpy
only.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curriculum.irt.parameters import ItemParameters
from curriculum.irt.population import Population

Floats = NDArray[np.float64]

SHRINK = math.pi / 8.0
# Shares nearer to 0 or 1 differ by what no number of learners tells.
LEAST_SHARE = 1e-4


@dataclass(frozen=True, slots=True)
class CommonSlope:
    """I items as if they had one discrimination.

    Attributes:
        difficulty: [I] logits.
        se: [I] standard errors.
        slope: the discrimination, per logit: the geometric mean.
    """

    difficulty: Floats
    se: Floats
    slope: float


def at_common_slope(
    bank: ItemParameters, *, se: Floats, n: NDArray[np.int64], population: Population
) -> CommonSlope:
    """Return the items at their common slope.

    Args:
        bank: the I items.
        se: [I] standard errors of their difficulties.
        n: [I] answers behind each.
        population: who answered.
    """
    slope = float(np.exp(np.log(bank.discrimination).mean())) if len(bank) else 1.0
    width = np.sqrt(1.0 + SHRINK * (bank.discrimination * population.sd) ** 2)
    known = bank.discrimination * (population.mean - bank.difficulty) / width
    share = bank.guessing + (1.0 - bank.guessing) / (1.0 + np.exp(-known))
    share = np.clip(share, LEAST_SHARE, 1.0 - LEAST_SHARE)
    logit = np.log(share / (1.0 - share))
    # Two bounds: by the difficulty's error alone, and by the number of answers alone.
    by_error = (bank.discrimination / width * se) ** 2
    by_count = 1.0 / np.maximum(n * share * (1.0 - share), 1e-9)
    common = slope / math.sqrt(1.0 + SHRINK * (slope * population.sd) ** 2)
    return CommonSlope(
        difficulty=population.mean - logit / common,
        se=np.sqrt(np.minimum(by_error, by_count)) / common,
        slope=slope,
    )
