"""What a model knows by name: the items, concepts and concept sets of its training log."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kt_models.data.difficulty import reference_items, shrunken_logits
from kt_models.data.log import ResponseLog
from kt_models.errors import UnknownName

# Padding of tables of items.
NO_ITEM = -1


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names of a training log and how hard its items were.

    Shapes: I items, K concepts, S concept sets of at most M concepts.

    Attributes:
        item_keys: [I] names.
        concept_keys: [K] names.
        concept_sets: [S, M] distinct sets of concepts, ascending, padded with -1.
        item_sets: [I] row of `concept_sets` of each item; -1 for an item without any answer.
        item_counts: [I] training answers to each item.
        item_right: [I] sum of `correct` over those answers.
        set_counts: [S] training answers to items with each set of concepts.
        reference_items: [K] the concept's item of median difficulty among those answered, which
            stands for the concept where no item is named; -1 for a concept without any.
    """

    item_keys: tuple[str, ...]
    concept_keys: tuple[str, ...]
    concept_sets: NDArray[np.int64]
    item_sets: NDArray[np.int64]
    item_counts: NDArray[np.int64]
    item_right: NDArray[np.float64]
    set_counts: NDArray[np.int64]
    reference_items: NDArray[np.int64]

    @property
    def met_concepts(self) -> NDArray[np.bool_]:
        """[K] whether anybody answered an item with the concept in training."""
        met = np.zeros(len(self.concept_keys), dtype=bool)
        concepts = self.concept_sets[self.set_counts > 0]
        met[concepts[concepts >= 0]] = True
        return met

    @property
    def item_logits(self) -> NDArray[np.float64]:
        """[I] easiness; see `shrunken_logits`."""
        return shrunken_logits(self.item_right, self.item_counts, mean=self.mean)

    @property
    def mean(self) -> float:
        """Everybody's share of right answers, kept off 0 and 1."""
        # Half an answer each way keeps an all-right log finite.
        return float((self.item_right.sum() + 0.5) / (self.item_counts.sum() + 1.0))

    @classmethod
    def of(cls, log: ResponseLog) -> "Vocabulary":
        """Return the vocabulary of a training log."""
        size = len(log.item_keys)
        sets = np.full(size, -1, dtype=np.int64)
        # The last set named for an item is its set; logs of one course name one.
        sets[log.item] = log.concept_set
        counts = np.bincount(log.item, minlength=size)
        right = np.bincount(log.item, log.correct, minlength=size).astype(float)
        return cls(
            item_keys=log.item_keys,
            concept_keys=log.concept_keys,
            concept_sets=log.concept_sets,
            item_sets=sets,
            item_counts=counts,
            item_right=right,
            set_counts=np.bincount(log.concept_set, minlength=len(log.concept_sets)),
            reference_items=reference_items(log, sets, counts, right),
        )

    def align(self, log: ResponseLog) -> ResponseLog:
        """Return a log with its indices put into this vocabulary.

        Items, concepts and sets that this vocabulary lacks come after its own, so an index that is
        not below the vocabulary's size is one that the model has never met.
        """
        if log.item_keys is self.item_keys and log.concept_keys is self.concept_keys:
            return log
        if self._numbers(log):
            return log
        item_keys, items = _joined(self.item_keys, log.item_keys)
        concept_keys, concepts = _joined(self.concept_keys, log.concept_keys)
        own = [tuple(row[row >= 0].tolist()) for row in self.concept_sets]
        # A set may stand here twice, its concepts named in another order: the commoner one counts.
        known = {own[place]: place for place in np.argsort(self.set_counts, kind="stable").tolist()}
        rows = [tuple(sorted(concepts[row[row >= 0]].tolist())) for row in log.concept_sets]
        new = dict.fromkeys(row for row in rows if row not in known)
        known |= {row: len(own) + place for place, row in enumerate(new)}
        sets = np.array([known[row] for row in rows], dtype=np.int64)
        return ResponseLog(
            learner_keys=log.learner_keys,
            item_keys=item_keys,
            concept_keys=concept_keys,
            starts=log.starts,
            item=items[log.item],
            concept_set=sets[log.concept_set],
            concept_sets=_padded([*own, *new]),
            correct=log.correct,
            shown_at=log.shown_at,
            answered_at=log.answered_at,
            assisted=log.assisted,
            has_times=log.has_times,
        )

    def _numbers(self, log: ResponseLog) -> bool:
        """Return whether a log is numbered as here already, what is new to it coming behind."""
        count, width = self.concept_sets.shape
        sets = log.concept_sets[:count]
        return (
            sets.shape[1] >= width
            and log.item_keys[: len(self.item_keys)] == self.item_keys
            and log.concept_keys[: len(self.concept_keys)] == self.concept_keys
            and np.array_equal(sets[:, :width], self.concept_sets)
            and bool((sets[:, width:] < 0).all())
        )

    def items_for(
        self, *, items: NDArray[np.int64] | None, concepts: NDArray[np.int64] | None
    ) -> NDArray[np.int64]:
        """Return the items themselves, or the reference items of concepts.

        Raises:
            UnknownName: an index is out of range, or a concept has no answered item.
        """
        if items is not None and concepts is None:
            _require_below(items, len(self.item_keys), "item")
            return items
        if items is not None or concepts is None:
            raise UnknownName("Name either items or concepts.")
        _require_below(concepts, len(self.concept_keys), "concept")
        found = self.reference_items[concepts]
        if (found < 0).any():
            name = self.concept_keys[int(concepts[np.argmax(found < 0)])]
            raise UnknownName(f"Concept {name!r} has no item that anybody answered in training.")
        return found

    def questions(
        self, items: NDArray[np.int64], *, learners: int, shown_at: NDArray[np.float64]
    ) -> ResponseLog:
        """Return a log in which each of B learners meets all of N items, not yet answered.

        Args:
            items: [N] indices.
            learners: B.
            shown_at: [B] epoch seconds.
        """
        count = len(items)
        at = np.repeat(np.asarray(shown_at, dtype=float), count)
        asked = np.tile(items, learners)
        return self._log(asked, np.arange(learners + 1) * count, shown_at=at, answered_at=at)

    def own_questions(
        self, items: NDArray[np.int64], *, shown_at: NDArray[np.float64]
    ) -> ResponseLog:
        """Return a log in which each of B learners meets their own items, not yet answered.

        Args:
            items: [B, M] indices, -1 where none is asked.
            shown_at: [B] epoch seconds.
        """
        asked = items != NO_ITEM
        counts = asked.sum(axis=1)
        at = np.repeat(np.asarray(shown_at, dtype=float), counts)
        starts = np.concatenate([[0], np.cumsum(counts)])
        return self._log(items[asked], starts, shown_at=at, answered_at=at)

    def answers(
        self,
        *,
        item: NDArray[np.int64],
        starts: NDArray[np.int64],
        correct: NDArray[np.float64],
        shown_at: NDArray[np.float64],
        answered_at: NDArray[np.float64],
        assisted: NDArray[np.bool_] | None = None,
        has_times: bool = True,
    ) -> ResponseLog:
        """Return a log of answers to items of this vocabulary; shapes as in `ResponseLog`."""
        return self._log(
            item,
            starts,
            correct=correct,
            shown_at=shown_at,
            answered_at=answered_at,
            assisted=assisted,
            has_times=has_times,
        )

    def _log(
        self,
        item: NDArray[np.int64],
        starts: NDArray[np.int64],
        *,
        shown_at: NDArray[np.float64],
        answered_at: NDArray[np.float64],
        correct: NDArray[np.float64] | None = None,
        assisted: NDArray[np.bool_] | None = None,
        has_times: bool = True,
    ) -> ResponseLog:
        _require_below(item, len(self.item_keys), "item")
        sets = self.item_sets[item]
        if (sets < 0).any():
            name = self.item_keys[int(item[np.argmax(sets < 0)])]
            raise UnknownName(
                f"Nobody answered item {name!r} in training: its concepts are unknown."
            )
        return ResponseLog(
            learner_keys=tuple(str(k) for k in range(len(starts) - 1)),
            item_keys=self.item_keys,
            concept_keys=self.concept_keys,
            starts=starts,
            item=item,
            concept_set=sets,
            concept_sets=self.concept_sets,
            correct=np.zeros(len(item)) if correct is None else correct,
            shown_at=shown_at,
            answered_at=answered_at,
            assisted=np.zeros(len(item), dtype=bool) if assisted is None else assisted,
            has_times=has_times,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the vocabulary as JSON values."""
        arrays = (
            "concept_sets",
            "item_sets",
            "item_counts",
            "item_right",
            "set_counts",
            "reference_items",
        )
        keys = {"item_keys": list(self.item_keys), "concept_keys": list(self.concept_keys)}
        return keys | {name: getattr(self, name).tolist() for name in arrays}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Vocabulary":
        """Return the vocabulary that `to_dict` wrote."""

        def whole(name: str) -> NDArray[np.int64]:
            return np.array(values[name], dtype=np.int64)

        return cls(
            item_keys=tuple(map(str, values["item_keys"])),
            concept_keys=tuple(map(str, values["concept_keys"])),
            concept_sets=whole("concept_sets"),
            item_sets=whole("item_sets"),
            item_counts=whole("item_counts"),
            item_right=np.array(values["item_right"], dtype=float),
            set_counts=whole("set_counts"),
            reference_items=whole("reference_items"),
        )


def _joined(
    own: tuple[str, ...], other: tuple[str, ...]
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return own names followed by the other's new ones, and the place of each of the other's."""
    number = {name: place for place, name in enumerate(own)}
    places = np.array([number.setdefault(name, len(number)) for name in other], dtype=np.int64)
    return tuple(number), places


def _padded(sets: list[tuple[int, ...]]) -> NDArray[np.int64]:
    table = np.full((len(sets), max(map(len, sets), default=1)), -1, dtype=np.int64)
    for row, ids in enumerate(sets):
        table[row, : len(ids)] = ids
    return table


def _require_below(index: NDArray[np.int64], size: int, what: str) -> None:
    if len(index) and not 0 <= index.min() <= index.max() < size:
        worst = index.max() if index.max() >= size else index.min()
        raise UnknownName(f"There are {size} {what}s, numbered from 0; got {worst}.")
