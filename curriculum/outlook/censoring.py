"""Outcomes that are not known of all: weights by which those that are stand for the others.

A learner who stops is lost from sight, not failed. A known outcome weighs 1 / the chance that it
would be known (inverse probability of censoring). The chance is Kaplan-Meier's of being lost, taken
apart by groups, since who has been away for long is likelier lost: Ausset, Clemencon, Portier,
"Empirical risk minimization under random censorship", JMLR 23, 2022, arXiv:1906.01908, whose
conditional estimate is by kernels where this one is by groups.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

# No outcome stands for more than this many others.
LARGEST = 20.0


@dataclass(frozen=True, slots=True, eq=False)
class Censoring:
    """Chances of still being in sight.

    Attributes:
        moments: per group, days at which somebody was lost, ascending.
        kept: per group, the chance of not having been lost up to and with each of them.
    """

    moments: tuple[FloatArray, ...]
    kept: tuple[FloatArray, ...]

    @classmethod
    def of(cls, days: FloatArray, reached: BoolArray, group: IntArray) -> "Censoring":
        """Return Kaplan-Meier's estimate in each group 0..G-1; events come before losses.

        Args:
            days: [n] to the event or the loss.
            reached: [n] which of the two.
            group: [n].
        """
        moments: list[FloatArray] = []
        kept: list[FloatArray] = []
        for number in range(int(group.max(initial=-1)) + 1):
            own, lost = days[group == number], ~reached[group == number]
            at, losses = np.unique(own[lost], return_counts=True)
            everybody, events = np.sort(own), np.sort(own[~lost])
            # Those reached at the same moment have left before.
            at_risk = len(own) - np.searchsorted(everybody, at, side="left")
            at_risk -= np.searchsorted(events, at, "right") - np.searchsorted(events, at, "left")
            moments.append(at)
            kept.append(np.asarray(np.cumprod(1.0 - losses / at_risk), float))
        return cls(tuple(moments), tuple(kept))

    def before(self, days: FloatArray, group: IntArray) -> FloatArray:
        """Return [n] the chance of being in sight just before a day, 0..1."""
        found = np.ones(len(days))
        for number, (at, kept) in enumerate(zip(self.moments, self.kept, strict=True)):
            own = group == number
            place = np.searchsorted(at, days[own], side="left")
            found[own] = np.append(1.0, kept)[place]
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """What is known by a day after each look; n of them.

    Attributes:
        reached: [n] the goal was reached by then.
        weight: [n] how many looks it stands for; 0 where the outcome is not known.
    """

    reached: BoolArray
    weight: FloatArray


def outcomes_by(
    days: FloatArray,
    reached: BoolArray,
    horizon: FloatArray,
    *,
    censoring: Censoring,
    group: IntArray,
) -> Outcomes:
    """Return the outcomes by `horizon` [n] days.

    Known is who reached the goal by then, and who was seen later without having done so.
    """
    in_time = reached & (days <= horizon)
    known = in_time | (days >= horizon)
    moment = np.where(in_time, days, horizon)
    kept = np.maximum(censoring.before(moment, group), 1.0 / LARGEST)
    return Outcomes(in_time, np.where(known, 1.0 / kept, 0.0))
