"""Putting one calibration on the scale of another, by the items that both have.

A scale is fixed up to a line: theta_old = A theta_new + B, and so b_old = A b_new + B and
a_old = a_new / A. A is the sd and B the mean of the new learners on the old scale, where each
calibration took its own learners as N(0, 1).
"""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from curriculum.irt.curves import probability
from curriculum.irt.errors import TooFewAnchors
from curriculum.irt.parameters import ItemParameters
from curriculum.irt.population import REFERENCE, ability_points

LEAST_COMMON = 3
ENOUGH_ANCHORS = 20
ENOUGH_SHARE = 0.2


class LinkMethod(StrEnum):
    """How the line is found."""

    MEAN_SIGMA = "mean-sigma"
    HAEBARA = "haebara"
    STOCKING_LORD = "stocking-lord"


@dataclass(frozen=True, slots=True)
class Link:
    """theta_old = slope * theta_new + intercept, in logits; A and B of the literature."""

    slope: float
    intercept: float

    def apply(self, bank: ItemParameters) -> ItemParameters:
        """Return a bank of the new scale on the old one."""
        return ItemParameters(
            items=bank.items,
            difficulty=self.slope * bank.difficulty + self.intercept,
            discrimination=bank.discrimination / self.slope,
            guessing=bank.guessing,
        )


def anchors_needed(bank: int) -> int:
    """Return how many anchors a bank of so many items takes: 20 or a fifth of it, at least 3."""
    return max(LEAST_COMMON, min(ENOUGH_ANCHORS, math.ceil(ENOUGH_SHARE * bank)))


def require_enough(anchors: int, *, bank: int) -> None:
    """Refuse a link on too few anchors: fewer than 20 and than a fifth of the bank, or than 3.

    Raises:
        TooFewAnchors: saying how many there are and how many it takes.
    """
    needed = anchors_needed(bank)
    if anchors < needed:
        msg = f"{anchors} anchors for a bank of {bank} items; it takes {needed}."
        msg += " Serve more known items, or calibrate without anchors on a scale of its own."
        raise TooFewAnchors(msg, anchors=anchors, needed=needed)


def link_banks(
    new: ItemParameters, old: ItemParameters, *, method: LinkMethod = LinkMethod.STOCKING_LORD
) -> Link:
    """Return the line from the new scale to the old one, by the items that both banks have.

    *mean-sigma* matches mean and sd of the difficulties (Marco, 1977). The others compare curves
    at abilities weighted by the old reference population: *haebara* adds up the squared distances
    of the items' curves (1980), *stocking-lord* squares the distance of their sum, the test's
    characteristic curve (1983).

    Raises:
        TooFewAnchors: fewer than three common items, or all equally difficult.
    """
    common = tuple(name for name in new.items if name in set(old.items))
    if len(common) < LEAST_COMMON:
        msg = f"The two calibrations have {len(common)} items in common; it takes {LEAST_COMMON}."
        raise TooFewAnchors(msg, anchors=len(common), needed=LEAST_COMMON)
    ours, theirs = new.only(common), old.only(common)
    if not (ours.difficulty.std() > 0.0 and theirs.difficulty.std() > 0.0):
        raise TooFewAnchors("All common items are equally difficult.", anchors=len(common))
    slope = float(theirs.difficulty.std() / ours.difficulty.std())
    first = Link(slope, float(theirs.difficulty.mean() - slope * ours.difficulty.mean()))
    if method is LinkMethod.MEAN_SIGMA:
        return first
    target, weight = _curves(theirs), np.exp(REFERENCE.log_weights(ability_points()))

    def distance(line: NDArray[np.float64]) -> float:
        moved = Link(math.exp(float(line[0])), float(line[1])).apply(ours)
        apart = _curves(moved) - target
        if method is LinkMethod.STOCKING_LORD:
            return float(weight @ apart.sum(axis=1) ** 2)
        return float((weight @ apart**2).sum())

    found = minimize(distance, np.array([math.log(first.slope), first.intercept]), method="BFGS")
    return Link(slope=math.exp(float(found.x[0])), intercept=float(found.x[1]))


def _curves(bank: ItemParameters) -> NDArray[np.float64]:
    """Return [Q, I] chances of a right answer."""
    return probability(
        ability_points()[:, None],
        difficulty=bank.difficulty,
        discrimination=bank.discrimination,
        guessing=bank.guessing,
    )
