"""Models that are one pass over the answers, in order: the whole log and its twin are one code."""

import abc
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from kt_models.data.log import ResponseLog
from kt_models.errors import ShapeMismatch
from kt_models.models.base import AbstractModel, States

# Bytes of states that are held at once while a log is predicted.
HELD = 64_000_000


class FoldingModel(AbstractModel):
    """A model whose `_fold` predicts an answer, takes it in, and goes on to the next."""

    @abc.abstractmethod
    def _fold(self, log: ResponseLog, states: States, *, learning: bool) -> NDArray[np.float64]:
        """Return [R] predictions of an aligned log from the states before each answer.

        Args:
            log: of as many learners as there are states.
            states: continued in place by each answer if `learning`, left alone otherwise.
            learning: whether the answers are known.
        """

    @override
    def _predict(self, log: ResponseLog) -> NDArray[np.float64]:
        found = [
            self._fold(part, self.init(len(part.learner_keys)), learning=True)
            for part in self._parts(log)
        ]
        return np.concatenate([np.zeros(0), *found])

    @override
    def _advance(self, states: States, answers: ResponseLog) -> States:
        after = {name: array.copy() for name, array in states.items()}
        self._fold(answers, after, learning=True)
        return after

    @override
    def _ask(self, states: States, questions: ResponseLog) -> NDArray[np.float64]:
        return self._fold(questions, states, learning=False)

    def _parts(self, log: ResponseLog) -> Iterator[ResponseLog]:
        """Yield the log in pieces of whole learners, whose states fit into memory together."""
        size = sum(array.nbytes for array in self.init(1).values())
        many = max(1, HELD // size)
        count = len(log.learner_keys)
        if count <= many:
            yield log
            return
        for first in range(0, count, many):
            yield log.only_learners(np.arange(first, min(first + many, count)))


def require_shapes(
    arrays: Mapping[str, NDArray[Any]], shapes: Mapping[str, tuple[int, ...]]
) -> None:
    """Refuse arrays that are not those of a configuration and a vocabulary.

    Compiled code reads them without checking its indices.

    Raises:
        ShapeMismatch: one is missing, unknown or of another shape; all such are named.
    """
    found = {name: array.shape for name, array in arrays.items()}
    wrong = [
        f"{name} has shape {found.get(name, 'none')}, not {shapes.get(name, 'any')}"
        for name in sorted(set(found) | set(shapes))
        if found.get(name) != shapes.get(name)
    ]
    if wrong:
        raise ShapeMismatch(f"{'; '.join(wrong)}.")


def looked_up(
    values: NDArray[np.float64], index: NDArray[np.int64], *, unknown: float
) -> NDArray[np.float64]:
    """Return the values at `index`, of any shape; `unknown` where it lies outside of them."""
    inside = (index >= 0) & (index < len(values))
    return np.where(inside, np.append(values, unknown)[np.where(inside, index, -1)], unknown)


def offsets_of_answers(
    log: ResponseLog,
    *,
    item: NDArray[np.float64],
    concept: NDArray[np.float64],
    unknown: float,
) -> NDArray[np.float64]:
    """Return [R] the offset of each answer's item.

    Args:
        log: aligned to the vocabulary that the offsets are of.
        item: [I]; nan for an item that nobody answered in training.
        concept: [K]; the mean over a new item's known concepts stands for it.
        unknown: what an item gets of which no concept is known either.
    """
    own = looked_up(item, log.item, unknown=np.nan)
    if not np.isnan(own).any():
        return own
    known = (log.concept_sets >= 0) & (log.concept_sets < len(concept))
    summed = np.where(known, looked_up(concept, log.concept_sets, unknown=0.0), 0.0).sum(axis=1)
    count = known.sum(axis=1)
    by_set = np.where(count > 0, summed / np.maximum(count, 1), unknown)
    return np.where(np.isnan(own), by_set[log.concept_set], own)


def sigmoid(logit: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 / (1 + exp(-logit)) without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logit)))
