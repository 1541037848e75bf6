"""Log losses of answers added up by learner and concept: what is left to keep of a whole course.

A sum by learner is all that a mean with learners drawn as a whole needs, so a million answers come
down to a cell for each learner and concept. Cells are apart at given moments, so that answers since
a verdict can be told from those before it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tutor.scheduling.trust import Floats, Ints

# Parts that are joined are added up as soon as they are so many cells.
GATHERED_AT = 200_000
_COLUMNS = ("learner_id", "concept_id", "epoch", "n", "losses")


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """C cells, by learner, concept and time ascending, of L log losses.

    Attributes:
        moments: (E,) epoch seconds, ascending, at which cells are apart.
        learner_id, concept_id: (C,).
        epoch: (C,) how many of the moments were over when the items were given.
        n: (C,) answers.
        losses: (C, L) sums of each log loss, nats.
    """

    moments: Floats
    learner_id: Ints
    concept_id: Ints
    epoch: Ints
    n: Ints
    losses: Floats

    def __len__(self) -> int:
        """Return the number of cells."""
        return len(self.n)

    def only(self, keep: npt.NDArray[np.bool_] | Ints) -> "Tally":
        """Return the cells where `keep` (C,) is true, or those that it names."""
        return Tally(self.moments, *(getattr(self, name)[keep] for name in _COLUMNS))

    def of_learners(self, learner_ids: Collection[int]) -> Ints:
        """Return the places of the cells of some learners."""
        wanted = np.array(sorted(learner_ids), dtype=np.int64)
        first = np.searchsorted(self.learner_id, wanted, side="left")
        last = np.searchsorted(self.learner_id, wanted, side="right")
        ranges = [np.arange(a, b) for a, b in zip(first, last, strict=True) if a < b]
        return np.concatenate(ranges) if ranges else np.empty(0, dtype=np.int64)

    def since(self, moment: float) -> npt.NDArray[np.bool_]:
        """Return (C,) which cells are of items given after one of the moments.

        Raises:
            ValueError: cells are not apart at that moment.
        """
        place = int(np.searchsorted(self.moments, moment))
        if place == len(self.moments) or self.moments[place] != moment:
            message = f"Answers were not told apart at {moment}."
            raise ValueError(message)
        return np.asarray(self.epoch > place)


def tally(
    *,
    learner_id: Ints,
    concept_id: Ints,
    at: Floats,
    losses: Floats,
    moments: Sequence[float] = (),
) -> Tally:
    """Return answers added up.

    Args:
        learner_id, concept_id: (R,).
        at: (R,) when the items were given, epoch seconds.
        losses: (R, L) log losses, nats.
        moments: at which cells are to be apart.
    """
    ordered = np.array(sorted(moments), dtype=np.float64)
    epoch = np.searchsorted(ordered, at, side="left").astype(np.int64)
    ones = np.ones(len(at), dtype=np.int64)
    return _gathered(Tally(ordered, learner_id, concept_id, epoch, ones, losses))


class Adding:
    """Takes tallies that tell apart at the same moments, one at least, and holds their sum."""

    def __init__(self) -> None:
        self._held: list[Tally] = []
        self._size, self._most = 0, GATHERED_AT

    def add(self, part: Tally) -> None:
        """Take one more."""
        self._held.append(part)
        self._size += len(part)
        if self._size >= self._most:
            self._held = [self.total()]
            self._size = len(self._held[0])
            self._most = max(GATHERED_AT, 2 * self._size)

    def total(self) -> Tally:
        """Return the sum of all."""
        return _gathered(_stacked(self._held))


def _stacked(parts: Sequence[Tally]) -> Tally:
    columns = (np.concatenate([getattr(one, name) for one in parts]) for name in _COLUMNS)
    return Tally(parts[0].moments, *columns)


def _gathered(cells: Tally) -> Tally:
    """Return the cells with those of the same key added up, in order."""
    ordered = cells.only(np.lexsort((cells.epoch, cells.concept_id, cells.learner_id)))
    if not len(ordered):
        return ordered
    keys = (ordered.learner_id, ordered.concept_id, ordered.epoch)
    is_new = np.any([key[1:] != key[:-1] for key in keys], axis=0)
    first = np.concatenate([[0], np.flatnonzero(is_new) + 1])
    return Tally(
        cells.moments,
        *(key[first] for key in keys),
        n=np.add.reduceat(ordered.n, first),
        losses=np.add.reduceat(ordered.losses, first, axis=0),
    )
