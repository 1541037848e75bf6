"""Chances of reaching a goal by a day, from a discrete-time hazard; numpy only.

The chance of reaching it in a period, given that it was not reached before, is a logistic function
of the features with an intercept per period (Singer and Willett 1993, "It's about time"): who is
lost from sight tells about the periods up to then and nothing about later ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curriculum.errors import CurriculumError
from curriculum.outlook.features import NAMES

FloatArray = NDArray[np.float64]

# Days at which periods end; the first begins at the look.
EDGES = np.array([1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 14.0, 21.0, 28.0, 42.0, 56.0])
# Draws of the coefficients behind an interval, and its two ends.
DRAWS = 400
ENDS = (0.05, 0.95)


class UnreadableOutlook(CurriculumError):
    """Stored numbers are not those of a hazard with these features and periods."""


@dataclass(frozen=True, slots=True, eq=False)
class Hazard:
    """A fitted hazard of F features and P periods.

    Attributes:
        intercepts: [P] log odds of reaching the goal in each period, of an average learner.
        weights: [F] what one standard deviation of a feature adds.
        centre: [F] the features' means where it was fitted.
        scale: [F] their standard deviations; 1 where a feature did not vary.
        covariance: [P + F, P + F] of intercepts and weights, learners drawn anew.
    """

    intercepts: FloatArray
    weights: FloatArray
    centre: FloatArray
    scale: FloatArray
    covariance: FloatArray

    def linear(self, features: FloatArray) -> FloatArray:
        """Return [n] what the features [n, F] add to the log odds of every period."""
        return np.asarray((features - self.centre) / self.scale @ self.weights)

    def chances(self, features: FloatArray, days: FloatArray | float) -> FloatArray:
        """Return [n] the chance, 0..1, that the goal is reached within so many days.

        Args:
            features: [n, F].
            days: [n] or one, from the look; after the last edge the last period goes on for ever.
        """
        within = np.broadcast_to(np.asarray(days, float), features.shape[:1])
        return _by_day(self.intercepts, self.linear(features), within)

    def intervals(
        self, features: FloatArray, days: FloatArray | float, *, seed: int = 0
    ) -> tuple[FloatArray, FloatArray]:
        """Return [n] and [n] the ends of the 90 % interval of `chances`, 0..1.

        By draws of the coefficients: how far the chance might be off because the hazard was fitted
        on these learners and not on others. That the learner may do anything is the chance itself.
        """
        within = np.broadcast_to(np.asarray(days, float), features.shape[:1])
        scaled = (features - self.centre) / self.scale
        size = len(self.intercepts)
        mean = np.concatenate([self.intercepts, self.weights])
        rng = np.random.default_rng(seed)
        draws = mean + rng.standard_normal((DRAWS, len(mean))) @ _root(self.covariance).T
        found = np.array([_by_day(one[:size], scaled @ one[size:], within) for one in draws])
        low, high = np.quantile(found, ENDS, axis=0)
        return np.asarray(low), np.asarray(high)

    def medians(self, features: FloatArray) -> FloatArray:
        """Return [n] days after which the chance is a half; inf beyond the last edge."""
        return self.quantiles(features, 0.5)

    def quantiles(self, features: FloatArray, share: float) -> FloatArray:
        """Return [n] days after which the chance is `share`; inf beyond the last edge."""
        linear = self.linear(features)
        spent = -np.log1p(-_sigmoid(self.intercepts[None, :] + linear[:, None]))
        total = np.cumsum(spent, axis=1)
        wanted = -np.log1p(-share)
        starts = np.append(0.0, EDGES[:-1])
        found = np.full(len(features), np.inf)
        for row, own in enumerate(total):
            place = int(np.searchsorted(own, wanted))
            if place < len(EDGES):
                left = wanted - (own[place - 1] if place else 0.0)
                width = EDGES[place] - starts[place]
                found[row] = starts[place] + width * left / max(spent[row, place], 1e-12)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return the hazard as JSON values."""
        arrays = ("intercepts", "weights", "centre", "scale", "covariance")
        body = {name: np.round(getattr(self, name), 8).tolist() for name in arrays}
        return body | {"features": list(NAMES), "edges": EDGES.tolist()}

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> "Hazard":
        """Return the hazard that `to_dict` wrote.

        Raises:
            UnreadableOutlook: it has other features or periods; fit it again.
        """
        if body.get("features") != list(NAMES) or body.get("edges") != EDGES.tolist():
            raise UnreadableOutlook("A hazard of other features or periods: fit it again.")
        arrays = ("intercepts", "weights", "centre", "scale", "covariance")
        return cls(**{name: np.array(body[name], dtype=float) for name in arrays})


def _by_day(intercepts: FloatArray, linear: FloatArray, days: FloatArray) -> FloatArray:
    """Return [n] 1 - survival; within a period the chance of going on falls evenly in its log."""
    starts = np.append(0.0, EDGES[:-1])
    done = np.clip((days[:, None] - starts) / (EDGES - starts), 0.0, 1.0)
    beyond = np.maximum(days - EDGES[-1], 0.0) / (EDGES[-1] - starts[-1])
    done[:, -1] += beyond
    going_on = np.log1p(-_sigmoid(intercepts[None, :] + linear[:, None]))
    return np.asarray(-np.expm1((done * going_on).sum(axis=1)))


def _sigmoid(x: FloatArray) -> FloatArray:
    # Never quite 1, whose log of going on would be minus infinity.
    return np.minimum(0.5 * (1.0 + np.tanh(0.5 * x)), 1.0 - 1e-12)


def _root(covariance: FloatArray) -> FloatArray:
    """Return a root of a covariance that rounding may have left a little short of definite."""
    values, vectors = np.linalg.eigh(0.5 * (covariance + covariance.T))
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))
