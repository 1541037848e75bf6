"""What a class gained under a policy: figures with intervals that resample whole learners."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curriculum.simulation.practising import Outcome
from curriculum.simulation.survival import restricted_means

FloatArray = npt.NDArray[np.float64]

RESAMPLES = 1_000
LEVEL = (2.5, 97.5)
# Share of learners, those who knew least before, whose gain is reported apart.
BOTTOM = 0.2

NAMES = (
    "gain",
    "gain_right_after",
    "delayed_gain",
    "delayed_recall",
    "over_practice",
    "under_practice",
    "minutes_to_known",
    "exposure_gini",
    "bottom_gain",
    "answers",
    "minutes",
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its 95 % interval by learner and its standard error."""

    value: float
    low: float
    high: float
    se: float

    def to_dict(self) -> dict[str, float]:
        """Return plain numbers, rounded to 5 digits."""
        pairs = (("value", self.value), ("low", self.low), ("high", self.high), ("se", self.se))
        return {name: round(number, 5) for name, number in pairs}


def measure(outcomes: Sequence[Outcome], *, minutes: float, seed: int) -> dict[str, Figure]:
    """Return the figures of a class, by name.

    Args:
        outcomes: of all its learners.
        minutes: the practice they were offered; the horizon of the time until known.
        seed: of the bootstrap.
    """
    weight = resample(len(outcomes), seed=seed)
    samples = _all_figures(outcomes, weight, minutes=minutes)
    return {name: _figure(values) for name, values in zip(NAMES, samples, strict=True)}


def resample(size: int, *, seed: int) -> FloatArray:
    """Return [1 + RESAMPLES, size] how often each learner counts; the first row is everybody."""
    rng = np.random.default_rng([seed, 5])
    drawn = rng.multinomial(size, np.full(size, 1.0 / size), size=RESAMPLES)
    return np.vstack([np.ones((1, size)), drawn]).astype(np.float64)


def compare(gains_a: FloatArray, gains_b: FloatArray, *, seed: int) -> Figure:
    """Return how much more the same learners gained under a than under b."""
    weight = resample(len(gains_a), seed=seed)
    return _figure(_means(gains_a - gains_b, weight))


def _all_figures(
    outcomes: Sequence[Outcome], weight: FloatArray, *, minutes: float
) -> list[FloatArray]:
    """Return each figure under every weighting, in the order of NAMES."""
    before, after = _column(outcomes, "before"), _column(outcomes, "after")
    spent, delayed = _column(outcomes, "minutes"), _column(outcomes, "delayed")
    over = _column(outcomes, "over_minutes")
    closed = np.array([one.closed_unknown.mean() for one in outcomes])
    bottom = before <= np.quantile(before, BOTTOM)
    exposures = np.array([one.exposures for one in outcomes], dtype=np.float64)
    return [
        _means(after - before, weight),
        _means(_column(outcomes, "right_after") - before, weight),
        _means(delayed - before, weight),
        _means(delayed, weight),
        _ratio(weight @ over, weight @ spent),
        _means(closed, weight),
        _minutes_to_known(outcomes, weight, minutes=minutes),
        _ginis(weight @ exposures),
        _ratio(weight @ ((after - before) * bottom), weight @ bottom),
        _means(_column(outcomes, "answers"), weight),
        _means(spent, weight),
    ]


def _column(outcomes: Sequence[Outcome], name: str) -> FloatArray:
    return np.array([getattr(one, name) for one in outcomes], dtype=np.float64)


def _means(values: FloatArray, weight: FloatArray) -> FloatArray:
    return np.asarray(weight @ values / weight.sum(axis=1))


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """Return above / below, nan where nothing is below: a resample may miss a whole group."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(below > 0.0, above / below, np.nan))


def _minutes_to_known(
    outcomes: Sequence[Outcome], weight: FloatArray, *, minutes: float
) -> FloatArray:
    """Return the restricted mean of minutes of practice until a concept is known.

    Over concepts not known from the start. Never known is censored at the minutes offered, also
    for those whom the scheduler let go earlier: they stayed without it all the same.
    """
    known_at = np.array([one.known_at for one in outcomes])
    counted = known_at != 0.0
    if not counted.any():
        return np.full(len(weight), np.nan)
    learner = np.nonzero(counted)[0]
    time = known_at[counted]
    event = ~np.isnan(time)
    return restricted_means(
        np.where(event, np.minimum(time, minutes), minutes),
        event,
        weight[:, learner],
        horizon=minutes,
    )


def _ginis(exposures: FloatArray) -> FloatArray:
    """Return [B] the Gini coefficient of [B, N] exposures: 0 all alike, near 1 all on one item."""
    ascending = np.sort(exposures, axis=1)
    size = ascending.shape[1]
    ranks = 2.0 * np.arange(1, size + 1) - size - 1.0
    return _ratio(ascending @ ranks, size * ascending.sum(axis=1))


def _figure(values: FloatArray) -> Figure:
    """Return the first value with the spread of the others around it."""
    spread = values[1:][np.isfinite(values[1:])]
    if not len(spread):
        return Figure(float(values[0]), np.nan, np.nan, np.nan)
    low, high = np.percentile(spread, LEVEL)
    return Figure(float(values[0]), float(low), float(high), float(spread.std()))
