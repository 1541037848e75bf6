"""What a teacher's or operator's monitor shows: gaps between groups, and how much is explored."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curriculum.scheduler.errors import InvalidTable

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# The 97.5 % quantile of the standard normal.
TWO_SIDED_95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class GroupGap:
    """One group against all other learners.

    Attributes:
        group: its name.
        learners: how many; the others are counted in the other rows.
        mean: mean over learners of their own mean, or None below the minimum cohort.
        gap: that less the others', or None.
        low, high: 95 % interval of the gap, or None.
        alarm: the interval lies wholly beyond the tolerated gap.
    """

    group: str
    learners: int
    mean: float | None
    gap: float | None
    low: float | None
    high: float | None
    alarm: bool


def find_group_gaps(
    learners: IntArray,
    groups: NDArray[np.str_],
    values: FloatArray,
    *,
    tolerated: float,
    least_learners: int = 10,
) -> tuple[GroupGap, ...]:
    """Return how each group fares, by name: say in gain per minute, or in items given at random.

    Every learner counts once, however many rows it has, so that the interval is one over learners.
    Groups below `least_learners` are named and not measured: their numbers would be of persons.

    Args:
        learners: [n] whose row it is.
        groups: [n] the learner's group; the same in all its rows.
        values: [n] what is compared.
        tolerated: gap in units of the values that raises no alarm, not negative.
        least_learners: the smallest group that is measured.

    Raises:
        InvalidTable: the columns do not fit, a value is not finite, or a learner is in two groups.
    """
    if not len(learners) == len(groups) == len(values) or not np.isfinite(values).all():
        raise InvalidTable("The columns differ in length, or a value is not finite.")
    names, place = np.unique(learners, return_inverse=True)
    counts = np.bincount(place)
    means = np.bincount(place, weights=values) / np.maximum(counts, 1)
    of_learner = np.empty(len(names), dtype=groups.dtype)
    of_learner[place] = groups
    if (of_learner[place] != groups).any():
        raise InvalidTable("A learner is in two groups: give each one.")
    return tuple(
        _compare(str(group), means, of_learner == group, tolerated, least_learners)
        for group in np.unique(of_learner)
    )


def _compare(
    group: str, means: FloatArray, inside: NDArray[np.bool_], tolerated: float, least: int
) -> GroupGap:
    ours, others = means[inside], means[~inside]
    if min(len(ours), len(others)) < max(least, 2):
        return GroupGap(group, len(ours), None, None, None, None, alarm=False)
    gap = float(ours.mean() - others.mean())
    error = float(np.sqrt(ours.var(ddof=1) / len(ours) + others.var(ddof=1) / len(others)))
    low, high = gap - TWO_SIDED_95 * error, gap + TWO_SIDED_95 * error
    alarm = low > tolerated or high < -tolerated
    return GroupGap(group, len(ours), float(ours.mean()), gap, low, high, alarm=alarm)


@dataclass(frozen=True, slots=True)
class ExploredDay:
    """How much was drawn at random on one day.

    Attributes:
        day: whole days since 1970, UTC.
        decisions: how many there were.
        explored: how many of them were drawn at random.
        expected: how many were to be expected from the decisions' own epsilons.
    """

    day: int
    decisions: int
    explored: int
    expected: float


def count_explored(
    at: FloatArray, explored: NDArray[np.bool_], epsilon: FloatArray
) -> tuple[ExploredDay, ...]:
    """Return the balance of exploration and exploitation day by day, oldest first.

    Args:
        at: [n] epoch seconds of the decisions.
        explored: [n] whether each was drawn at random.
        epsilon: [n] the chance it had of that.

    Raises:
        InvalidTable: the columns differ in length.
    """
    if not len(at) == len(explored) == len(epsilon):
        raise InvalidTable("The columns differ in length.")
    days, place = np.unique(np.floor(at / 86_400.0).astype(np.int64), return_inverse=True)
    decisions = np.bincount(place, minlength=len(days))
    drawn = np.bincount(place, weights=explored, minlength=len(days))
    expected = np.bincount(place, weights=epsilon, minlength=len(days))
    rows = zip(days.tolist(), decisions.tolist(), drawn.tolist(), expected.tolist(), strict=True)
    return tuple(ExploredDay(day, n, int(k), float(e)) for day, n, k, e in rows)
