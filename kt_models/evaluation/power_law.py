"""Error over number of learners: error = a n^-b + c (Hestness et al. 2017, arXiv 1712.00409)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kt_models.errors import KTModelError, ShapeMismatch

FloatArray = NDArray[np.float64]

# Exponents tried; the paper's lie between 0.07 and 0.7.
EXPONENTS = np.geomspace(0.03, 3.0, 400)
# A law fitted on n learners is not asked about more than so many times n.
TRUSTED_TIMES = 100.0


class TooFewSizes(KTModelError):
    """A curve of three unknowns needs at least three sizes."""


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """error(n) = a n^-b + c.

    Attributes:
        a: what one learner alone would leave above the floor; not negative.
        b: how fast more learners help; positive.
        c: the floor that no number of learners gets under; not negative.
    """

    a: float
    b: float
    c: float

    def error(self, learners: float) -> float:
        """Return the error after so many learners."""
        return self.a * math.pow(learners, -self.b) + self.c

    def learners_for(self, error: float) -> float:
        """Return how many learners the error takes; infinity if it is not above the floor."""
        if error <= self.c or self.a <= 0.0:
            return math.inf
        exponent = math.log(self.a / (error - self.c)) / self.b
        # Beyond is more learners than a float can count.
        return math.exp(exponent) if exponent < 700.0 else math.inf


def fit_power_law(learners: Sequence[float], errors: Sequence[float]) -> PowerLaw:
    """Return the power law with the least squared error on the points.

    For each exponent of a fine grid, a and c follow by least squares with neither below 0.

    Raises:
        TooFewSizes: fewer than three different sizes.
        ShapeMismatch: not one error per size.
    """
    n, y = np.asarray(learners, dtype=float), np.asarray(errors, dtype=float)
    if n.shape != y.shape:
        raise ShapeMismatch(f"{len(n)} sizes and {len(y)} errors: give as many.")
    if len(np.unique(n)) < 3:
        raise TooFewSizes(f"{len(np.unique(n))} sizes; a power law with a floor takes three.")
    scale = float(n.max())
    x = (n / scale)[None, :] ** -EXPONENTS[:, None]
    slope, floor = _lines(x, y)
    misfit = ((slope[:, None] * x + floor[:, None] - y) ** 2).sum(axis=1)
    best = int(np.argmin(misfit))
    b = float(EXPONENTS[best])
    return PowerLaw(float(slope[best]) * scale**b, b, float(floor[best]))


def _lines(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return slopes and floors [B] of the least-squares lines of y on each row of x, none < 0."""
    centred = x - x.mean(axis=1, keepdims=True)
    slope = np.maximum(centred @ (y - y.mean()) / (centred**2).sum(axis=1), 0.0)
    floor = y.mean() - slope * x.mean(axis=1)
    under = floor < 0.0
    through_nought = (x @ y) / (x**2).sum(axis=1)
    return np.where(under, through_nought, slope), np.where(under, 0.0, floor)


@dataclass(frozen=True, slots=True)
class MoreLearners:
    """How many more learners a stated gain takes.

    Attributes:
        law: fitted to all runs.
        sizes: training learners of each point.
        errors: mean log loss at each.
        gain: of log loss under the fitted error at the largest size, in nats.
        needed: further learners by the fitted law; infinite if the floor is in the way.
        low: 2.5 % quantile of the resamples.
        high: 97.5 % quantile; infinite if it is not bounded.
        out_of_reach: share of the resamples in which no number of learners is enough, or more than
            a hundred times those there were.
        exponent: 95 % interval of b.
        floor: 95 % interval of c.
    """

    law: PowerLaw
    sizes: tuple[int, ...]
    errors: tuple[float, ...]
    gain: float
    needed: float
    low: float
    high: float
    out_of_reach: float
    exponent: tuple[float, float]
    floor: tuple[float, float]

    def verdict(self) -> str:
        """Return one sentence for people, which promises no more than the resamples bear out."""
        share = f"{100.0 * self.out_of_reach:.0f} %"
        if math.isinf(self.high):
            least = "" if math.isinf(self.low) else f"; at least {self.low:,.0f} more"
            return (
                f"How many more learners lower the log loss by {self.gain:g} cannot be told: in "
                f"{share} of the resamples no {TRUSTED_TIMES:g}-fold number is enough{least}."
            )
        return (
            f"About {self.needed:,.0f} more learners lower the log loss by {self.gain:g} "
            f"(95 % interval {self.low:,.0f} to {self.high:,.0f})."
        )


def more_learners(
    losses: Sequence[FloatArray],
    *,
    sizes: Sequence[int],
    counts: FloatArray,
    gain: float,
    seed: int,
    resamples: int = 500,
) -> MoreLearners:
    """Return what a stated gain takes, with an interval.

    Test learners are resampled together for all sizes, and runs of each size among themselves, so
    that both the luck of who was tested and that of who was learnt from is in the interval.

    Args:
        losses: per size [runs, T]: each test learner's summed log loss under each run.
        sizes: training learners of each.
        counts: [T] answers of each test learner.
        gain: of log loss, in nats.
        seed: of the bootstrap.
        resamples: of it.

    Raises:
        TooFewSizes: fewer than three different sizes.
        ShapeMismatch: the arrays do not fit together.
    """
    if len(losses) != len(sizes) or any(one.shape[1:] != counts.shape for one in losses):
        raise ShapeMismatch("Give per size the losses [runs, T] of the same T test learners.")
    once = np.ones(len(counts))
    errors = _errors(losses, counts, once, None)
    law = fit_power_law(sizes, errors)
    most, rng = float(max(sizes)), np.random.default_rng(seed)
    needed, laws = [], []
    for _ in range(resamples):
        drawn = np.bincount(rng.integers(0, len(counts), len(counts)), minlength=len(counts))
        one = fit_power_law(sizes, _errors(losses, counts, drawn.astype(float), rng))
        laws.append(one)
        needed.append(_further(one, most, gain))
    # Ranks, not interpolation: between a number and infinity there is nothing.
    low, high = np.quantile(needed, [0.025, 0.975], method="nearest")
    return MoreLearners(
        law=law,
        sizes=tuple(sizes),
        errors=tuple(errors),
        gain=gain,
        needed=_further(law, most, gain),
        low=float(low),
        high=float(high),
        out_of_reach=float(np.mean(np.isinf(needed))),
        exponent=_interval([one.b for one in laws]),
        floor=_interval([one.c for one in laws]),
    )


def _further(law: PowerLaw, most: float, gain: float) -> float:
    total = law.learners_for(law.error(most) - gain)
    return total - most if total <= TRUSTED_TIMES * most else math.inf


def _errors(
    losses: Sequence[FloatArray],
    counts: FloatArray,
    drawn: FloatArray,
    rng: np.random.Generator | None,
) -> list[float]:
    answers = float(drawn @ counts)
    found = []
    for one in losses:
        runs = one if rng is None else one[rng.integers(0, len(one), len(one))]
        found.append(float((runs @ drawn).mean() / answers))
    return found


def _interval(values: Sequence[float]) -> tuple[float, float]:
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
