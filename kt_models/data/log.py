"""A response log as flat arrays: what every model here is fitted on and judged by."""

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kt_models.errors import ShapeMismatch

# A gap from the last answer to the next *answer* holds the response time of the answer that is
# being predicted. Where a log does not say when an item was shown, shorter gaps count as none.
SHOWN_WITHIN_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class ResponseLog:
    """The answers of L learners, one learner after the other, each in the order of answering.

    Shapes: L learners, R answers, S concept sets of at most M concepts.

    Attributes:
        learner_keys: [L] names, as in the source.
        item_keys: names of the items; `item` indexes them.
        concept_keys: names of the concepts; `concept_sets` indexes them.
        starts: [L + 1]; the answers of learner l are rows starts[l] to starts[l + 1] - 1.
        item: [R] item of each answer.
        concept_set: [R] row of `concept_sets` of each answer.
        concept_sets: [S, M] distinct concepts ascending, padded with -1.
        correct: [R] 0 to 1.
        shown_at: [R] epoch seconds when the item was presented, as far as known; what a
            prediction may use.
        answered_at: [R] epoch seconds of the answer, never falling within a learner.
        assisted: [R] whether hints were seen before the answer.
        has_times: whether the source gave times; without, all times are 0 and nothing fades.
    """

    learner_keys: tuple[str, ...]
    item_keys: tuple[str, ...]
    concept_keys: tuple[str, ...]
    starts: NDArray[np.int64]
    item: NDArray[np.int64]
    concept_set: NDArray[np.int64]
    concept_sets: NDArray[np.int64]
    correct: NDArray[np.float64]
    shown_at: NDArray[np.float64]
    answered_at: NDArray[np.float64]
    assisted: NDArray[np.bool_]
    has_times: bool = True

    def __post_init__(self) -> None:
        """Refuse arrays that do not belong together.

        Raises:
            ShapeMismatch: naming the field that does not fit.
        """
        for name in ("concept_set", "correct", "shown_at", "answered_at", "assisted"):
            if getattr(self, name).shape != self.item.shape:
                raise ShapeMismatch(f"{name} has not one value per answer ({len(self.item)}).")
        ends = (len(self.learner_keys) + 1, 0, len(self.item))
        if (len(self.starts), self.starts[0], self.starts[-1]) != ends:
            raise ShapeMismatch("starts must run from 0 to the number of answers, one per learner.")

    def __len__(self) -> int:
        """Return the number of answers."""
        return len(self.item)

    @property
    def concepts(self) -> NDArray[np.int64]:
        """[R, M] concepts of each answer's item, padded with -1."""
        return self.concept_sets[self.concept_set]

    @property
    def learner(self) -> NDArray[np.int64]:
        """[R] learner of each answer."""
        return np.repeat(np.arange(len(self.learner_keys)), np.diff(self.starts))

    @property
    def position(self) -> NDArray[np.int64]:
        """[R] place of each answer in its learner's history, from 0."""
        return np.arange(len(self)) - np.repeat(self.starts[:-1], np.diff(self.starts))

    def only_learners(self, chosen: NDArray[np.int64]) -> "ResponseLog":
        """Return the log of some learners, in the order given, with the same vocabulary."""
        lengths = np.diff(self.starts)[chosen]
        rows = np.concatenate(
            [np.arange(self.starts[k], self.starts[k + 1]) for k in chosen] or [np.empty(0, int)]
        )
        per_answer = ("item", "concept_set", "correct", "shown_at", "answered_at", "assisted")
        return dataclasses.replace(
            self,
            learner_keys=tuple(self.learner_keys[k] for k in chosen),
            starts=np.concatenate([[0], np.cumsum(lengths)]),
            **{name: getattr(self, name)[rows] for name in per_answer},
        )

    def before(self, moment: float) -> "ResponseLog":
        """Return the answers given before `moment` (epoch seconds), all learners kept."""
        return self.only_answers(self.answered_at < moment)

    def only_answers(self, keep: NDArray[np.bool_]) -> "ResponseLog":
        """Return the answers where `keep` [R] is true, all learners kept, even without any."""
        kept_before = np.concatenate([[0], np.cumsum(keep)])
        per_answer = ("item", "concept_set", "correct", "shown_at", "answered_at", "assisted")
        return dataclasses.replace(
            self,
            starts=kept_before[self.starts],
            **{name: getattr(self, name)[keep] for name in per_answer},
        )

    def sha256(self) -> str:
        """Return a hash of all answers and names, for the provenance of a fitted model."""
        digest = hashlib.sha256()
        for keys in (self.learner_keys, self.item_keys, self.concept_keys):
            digest.update("\x1f".join(keys).encode() + b"\x1e")
        digest.update(str(self.has_times).encode())
        for name in (
            *("starts", "item", "concept_set", "concept_sets", "correct"),
            *("shown_at", "answered_at", "assisted"),
        ):
            digest.update(np.ascontiguousarray(getattr(self, name)).tobytes())
        return digest.hexdigest()


def build_log(
    *,
    learners: Sequence[str],
    items: Sequence[str],
    concepts: Sequence[tuple[str, ...]],
    correct: NDArray[np.float64],
    answered_at: NDArray[np.float64] | None,
    shown_at: NDArray[np.float64] | None = None,
    assisted: NDArray[np.bool_] | None = None,
) -> ResponseLog:
    """Return a log from one value per answer, in any order.

    Answers are ordered by (learner, answered_at, row). An item without a concept is its own
    concept, so that its practice is still remembered.

    Args:
        learners: [R] names.
        items: [R] names.
        concepts: [R] names of each item's concepts.
        correct: [R] 0 to 1.
        answered_at: [R] epoch seconds, or None if unknown.
        shown_at: [R] epoch seconds when the item was presented; nan or None where unknown, and
            gaps under ten minutes then count as none.
        assisted: [R], or None for no answer.
    """
    learner_keys, learner = _vocabulary(learners)
    item_keys, item = _vocabulary(items)
    named = [names or (own,) for names, own in zip(concepts, items, strict=True)]
    concept_keys, concept_sets, concept_set = _concept_vocabulary(named)
    times = np.zeros(len(items)) if answered_at is None else answered_at
    order = np.lexsort((times, learner))
    times = times[order]
    starts = np.searchsorted(learner[order], np.arange(len(learner_keys) + 1))
    shown = None if shown_at is None else shown_at[order]
    return ResponseLog(
        learner_keys=learner_keys,
        item_keys=item_keys,
        concept_keys=concept_keys,
        starts=starts,
        item=item[order],
        concept_set=concept_set[order],
        concept_sets=concept_sets,
        correct=correct[order],
        shown_at=shown_times(answered_at=times, starts=starts, shown_at=shown),
        answered_at=times,
        assisted=np.zeros(len(items), dtype=bool) if assisted is None else assisted[order],
        has_times=answered_at is not None,
    )


def _vocabulary(names: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return the distinct names in order of first appearance, and the index of each."""
    number: dict[str, int] = {}
    index = np.fromiter((number.setdefault(name, len(number)) for name in names), dtype=np.int64)
    return tuple(number), index


def _concept_vocabulary(
    named: Sequence[tuple[str, ...]],
) -> tuple[tuple[str, ...], NDArray[np.int64], NDArray[np.int64]]:
    number: dict[str, int] = {}
    sets: dict[tuple[str, ...], int] = {}
    index = np.fromiter((sets.setdefault(names, len(sets)) for names in named), dtype=np.int64)
    rows = [sorted({number.setdefault(name, len(number)) for name in names}) for names in sets]
    table = np.full((len(rows), max(map(len, rows), default=1)), -1, dtype=np.int64)
    for row, ids in enumerate(rows):
        table[row, : len(ids)] = ids
    return tuple(number), table, index


def shown_times(
    *,
    answered_at: NDArray[np.float64],
    starts: NDArray[np.int64],
    shown_at: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return [R] when each item was shown: not before the last answer, not after its own.

    Args:
        answered_at: [R] epoch seconds, learner after learner, never falling within one.
        starts: [L + 1] bounds of the learners' answers.
        shown_at: [R] epoch seconds; nan or None where unknown, see `build_log`.
    """
    last = np.concatenate([[-np.inf], answered_at])[: len(answered_at)]
    last[starts[:-1][starts[:-1] < len(answered_at)]] = -np.inf
    guess = np.where(answered_at - last < SHOWN_WITHIN_SECONDS, last, answered_at)
    known = guess if shown_at is None else np.where(np.isnan(shown_at), guess, shown_at)
    return np.clip(known, last, answered_at)
