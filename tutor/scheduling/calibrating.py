"""Stated chances beside what came: of a class in bins of equal width, of each concept in its own.

What luck alone would do goes with every figure. If each chance was true when it was stated, what
came less what was said are the steps of a martingale, whoever's answers they are: they are
uncorrelated, and of variance p (1 - p), less where answers have part of the credit.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from tutor.scheduling.trust import Outcomes, log_losses

# Of equal width, for a class.
BINS = 10
# Of a concept: as many as leave so many answers in each. Fewer say more about luck.
MOST_BINS = 5
LEAST_IN_BIN = 20
# Below this sum of p (1 - p) the normal bound is wrong where chances are near 0 or 1: no verdict.
LEAST_VARIANCE = 5.0
# How often luck alone may pass for more: of one figure that is shown, or of all verdicts together.
ERROR_RATE = 0.05


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of about the same stated chance: how many, what was stated, what came.

    Attributes:
        low, high: all stated chances lie between.
        n: answers.
        expected: mean chance stated, `right`: mean credit.
        deviation: standard deviation of `right` if every chance stated was true.
    """

    low: float
    high: float
    n: int
    expected: float
    right: float
    deviation: float

    @property
    def luck(self) -> float:
        """By how much `right` is off by luck alone, 19 times in 20 at most."""
        return self._bound(ERROR_RATE)

    def is_off(self, *, among: int = 1) -> bool:
        """Test whether it is off by more than luck makes the worst of so many alike.

        Never where the chances leave too little room to tell (`LEAST_VARIANCE`).
        """
        if (self.deviation * self.n) ** 2 < LEAST_VARIANCE:
            return False
        return abs(self.right - self.expected) > self._bound(ERROR_RATE / among)

    def _bound(self, error_rate: float) -> float:
        # Half an answer, because answers come whole.
        return NormalDist().inv_cdf(1.0 - 0.5 * error_rate) * self.deviation + 0.5 / self.n


@dataclass(frozen=True, slots=True)
class Calibration:
    """A concept's answers to items with a stated chance.

    Attributes:
        all: in one bin.
        learners: whose answers they are.
        loss: mean log loss of the chances that counted, nats.
        bins: of about equally many answers each, at least `LEAST_IN_BIN`; none for fewer.
    """

    all: Bin
    learners: int
    loss: float
    bins: tuple[Bin, ...]


def calibrate(outcomes: Outcomes, *, bins: int = BINS) -> list[Bin]:
    """Return the stated chances that counted, in bins of equal width, beside what came."""
    place = np.minimum((outcomes.expected * bins).astype(int), bins - 1)
    return [
        _bin(outcomes.only(place == number), number / bins, (number + 1) / bins)
        for number in np.unique(place).tolist()
    ]


def calibrate_by_concept(outcomes: Outcomes) -> dict[int, Calibration]:
    """Return concept id -> its calibration, for the concepts with any answer."""
    found = {}
    for pk in np.unique(outcomes.concept_id).tolist():
        own = outcomes.only(outcomes.concept_id == pk)
        found[pk] = Calibration(
            all=_around(own),
            learners=len(np.unique(own.learner_id)),
            loss=float(log_losses(own.expected, own.credit).mean()),
            bins=tuple(_bins_alike(own)),
        )
    return found


def _bins_alike(outcomes: Outcomes) -> Iterator[Bin]:
    """Yield bins of about equally many answers; equal chances stay together."""
    ordered = outcomes.only(np.argsort(outcomes.expected, kind="stable"))
    count = min(MOST_BINS, len(ordered) // LEAST_IN_BIN)
    first = 0
    for number in range(1, count + 1):
        last = len(ordered)
        if number < count:
            chance = ordered.expected[number * len(ordered) // count]
            last = int(np.searchsorted(ordered.expected, chance))
        left = len(ordered) - last
        if last - first >= LEAST_IN_BIN and (not left or left >= LEAST_IN_BIN):
            yield _around(ordered.only(np.arange(first, last)))
            first = last


def _around(own: Outcomes) -> Bin:
    return _bin(own, float(own.expected.min()), float(own.expected.max()))


def _bin(own: Outcomes, low: float, high: float) -> Bin:
    variance = float((own.expected * (1.0 - own.expected)).sum())
    return Bin(
        low=low,
        high=high,
        n=len(own),
        expected=float(own.expected.mean()),
        right=float(own.credit.mean()),
        deviation=math.sqrt(variance) / len(own),
    )
