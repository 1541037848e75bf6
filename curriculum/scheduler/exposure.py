"""How many learners were given each item, and what follows for the choice.

An item that nearly everybody gets is soon known by hearsay, and leaves nothing to be learnt about
its siblings. Two things hold it back, after Sympson and Hetter (1985) and van der Linden and
Veldkamp (2004): its weight in the draw is multiplied by K = what its siblings are given on average
over what it is given, and beyond a limit it rests. Both are closed forms of counts, not coins, so
that propensities stay exact.

In tests a limit is one share of all learners. Here a concept that everybody has to learn needs its
few items however often they come, so that the limit is never below a multiple of what the
concept's items are given on average.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from curriculum.scheduler.bank import ItemBank
from curriculum.scheduler.errors import InvalidSituation
from curriculum.scheduler.rules import Rules

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Exposure:
    """How exposed the N items of a bank are; made once for all who share it.

    Attributes:
        rate: [N] share of the learners who were given the item, 0..1.
        weight: [N] K, what the item's weight in a draw is multiplied by; above 0, at most 1.
        resting: [N] items that more than the limit were given.
    """

    rate: FloatArray
    weight: FloatArray
    resting: BoolArray

    @classmethod
    def of(cls, bank: ItemBank, *, given: IntArray, learners: int, rules: Rules) -> Self | None:
        """Return the exposure by counts, or None for fewer learners than say anything.

        Args:
            bank: with N items.
            given: [N] learners who were given each item, at most `learners`.
            learners: comparable learners who were given anything in that time.
            rules: `max_exposure_rate`, `exposure_spread` and `exposure_learners`.

        Raises:
            InvalidSituation: counts of another length, below 0 or above `learners`.
        """
        if given.shape != (bank.n_items,):
            raise InvalidSituation(
                f"given has shape {given.shape}: give [{bank.n_items}].", field="exposure"
            )
        if len(given) and not 0 <= int(given.min()) <= int(given.max()) <= learners:
            raise InvalidSituation("given is outside 0..learners.", field="exposure")
        if learners < max(rules.exposure_learners, 1):
            return None
        usual = _usual(bank, given.astype(np.float64))
        limit = np.maximum(rules.max_exposure_rate, rules.exposure_spread * usual / learners)
        rate = given / learners
        # One learner more on both sides: what few were given says little.
        weight = np.minimum((usual + 1.0) / (given + 1.0), 1.0)
        return cls(rate=rate, weight=weight, resting=rate > limit)


def _usual(bank: ItemBank, given: FloatArray) -> FloatArray:
    """Return [N] how many learners the operational items of the concept were given on average.

    Of an item with several concepts the largest counts: it is needed for that one.
    """
    live = bank.operational[bank.pair_item]
    concept, of_pair = bank.pair_concept[live], given[bank.pair_item[live]]
    size = bank.n_concepts
    total = np.bincount(concept, weights=of_pair, minlength=size)
    mean = total / np.maximum(np.bincount(concept, minlength=size), 1)
    usual = np.zeros(bank.n_items)
    np.maximum.at(usual, bank.pair_item, mean[bank.pair_concept])
    return usual
