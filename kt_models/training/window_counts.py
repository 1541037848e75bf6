"""What a learner's earlier answers were: counts over time windows, and the last few.

Windows of one length slide with the question, which in general takes every earlier time. Here a
learner's last N answers are remembered one by one; windows count among those. What was ever given,
by learner and by concept, is counted without end. So a state has a fixed size, and a log counted
whole and one counted answer by answer give the very same numbers.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kt_models.data.log import ResponseLog
from kt_models.training.compiling import compiled

States = dict[str, NDArray[Any]]
Counts = NDArray[np.float32]

# How many of the last outcomes are told one by one.
LAST = 5


def blank(count: int, *, memory: int, concepts: int) -> States:
    """Return what is remembered of `count` learners without answers.

    Args:
        count: L.
        memory: N, the answers that are remembered one by one.
        concepts: K.

    Returns:
        `answers` [L] so far; `right` [L]; `concept_answers`, `concept_right` [L, K]; and of the
        last N answers, at place (number of the answer) mod N: `recent_at` [L, N] epoch seconds,
        `recent_item`, `recent_set` [L, N] (-1 for one not met in training), `recent_right` [L, N].
    """
    return {
        "answers": np.zeros(count, dtype=np.int64),
        "right": np.zeros(count),
        "concept_answers": np.zeros((count, concepts), dtype=np.float32),
        "concept_right": np.zeros((count, concepts), dtype=np.float32),
        "recent_at": np.zeros((count, memory)),
        "recent_item": np.full((count, memory), -1, dtype=np.int32),
        "recent_set": np.full((count, memory), -1, dtype=np.int32),
        "recent_right": np.zeros((count, memory), dtype=np.float32),
    }


class Counted(NamedTuple):
    """What was counted before each of R answers.

    Attributes:
        learner: [R, 2 W] answers in each window, then right ones; the last window is all the past.
        item: [R, 2 W] the same of this item, all the past as far as it is remembered.
        concept: [R, M, 2 W] the same of each of the item's concepts.
        last: [R, 5 + 2] the last five outcomes, newest first, from -1 (wrong) to 1 (right), 0 where
            there was none; 1 if the last answer was to this item; and that times its outcome.
    """

    learner: Counts
    item: Counts
    concept: Counts
    last: Counts


def count_windows(
    log: ResponseLog,
    states: States,
    *,
    seconds: NDArray[np.float64],
    items: int,
    concept_sets: NDArray[np.int64],
    learning: bool,
) -> Counted:
    """Return what was before each answer.

    Args:
        log: aligned; R answers of L learners to items of at most M concepts.
        states: of `blank`, with room for at least five answers; continued in place if `learning`.
        seconds: [W] lengths of the windows, ascending, the last infinite.
        items: items known from training; others are not remembered one by one.
        concept_sets: [S, M'] the sets known from training.
        learning: whether the answers are known.
    """
    concepts = states["concept_answers"].shape[1]
    rows, width = len(log), 2 * len(seconds)
    counted = Counted(
        learner=np.zeros((rows, width), dtype=np.float32),
        item=np.zeros((rows, width), dtype=np.float32),
        concept=np.zeros((rows, log.concept_sets.shape[1], width), dtype=np.float32),
        last=np.zeros((rows, LAST + 2), dtype=np.float32),
    )
    asked = _Asked(
        item=np.where(log.item < items, log.item, -1),
        concept_set=log.concept_set,
        concept_sets=np.where(log.concept_sets < concepts, log.concept_sets, -1),
        correct=log.correct,
        shown_at=log.shown_at,
        answered_at=log.answered_at,
        seconds=seconds,
        members=_members(concept_sets, concepts),
    )
    _count(log.starts, asked, _Memory(**states), counted, learning)
    return counted


def _members(concept_sets: NDArray[np.int64], concepts: int) -> NDArray[np.bool_]:
    """Return [S, K] whether a set has a concept."""
    found = np.zeros((len(concept_sets), concepts), dtype=bool)
    rows, columns = np.nonzero(concept_sets >= 0)
    found[rows, concept_sets[rows, columns]] = True
    return found


class _Asked(NamedTuple):
    """The answers as compiled code reads them; `members` [S, K] tells the concepts of a set."""

    item: NDArray[np.int64]
    concept_set: NDArray[np.int64]
    concept_sets: NDArray[np.int64]
    correct: NDArray[np.float64]
    shown_at: NDArray[np.float64]
    answered_at: NDArray[np.float64]
    seconds: NDArray[np.float64]
    members: NDArray[np.bool_]


class _Memory(NamedTuple):
    """The states as compiled code reads them; see `blank`."""

    answers: NDArray[np.int64]
    right: NDArray[np.float64]
    concept_answers: Counts
    concept_right: Counts
    recent_at: NDArray[np.float64]
    recent_item: NDArray[np.int32]
    recent_set: NDArray[np.int32]
    recent_right: Counts


@compiled
def _count(starts: Any, asked: Any, memory: Any, counted: Any, learning: Any) -> None:
    for learner in range(len(starts) - 1):
        for r in range(starts[learner], starts[learner + 1]):
            _scan(learner, r, asked, memory, counted)
            _look_back(learner, r, asked, memory, counted)
            _add_up(learner, r, asked, memory, counted)
            if learning:
                _remember(learner, r, asked, memory)


@compiled
def _scan(learner: int, r: int, asked: Any, memory: Any, counted: Any) -> None:
    """Count every remembered answer in the shortest window that it falls into."""
    total, room, windows = memory.answers[learner], memory.recent_at.shape[1], len(asked.seconds)
    concepts = asked.concept_sets[asked.concept_set[r]]
    # Newest first: once a window is passed, no older answer falls into it.
    w = 0
    for back in range(min(total, room)):
        place = (total - 1 - back) % room
        while asked.shown_at[r] - memory.recent_at[learner, place] >= asked.seconds[w]:
            w += 1
        right = memory.recent_right[learner, place]
        counted.learner[r, w] += 1.0
        counted.learner[r, windows + w] += right
        if asked.item[r] >= 0 and memory.recent_item[learner, place] == asked.item[r]:
            counted.item[r, w] += 1.0
            counted.item[r, windows + w] += right
        met = memory.recent_set[learner, place]
        if met >= 0:
            for j in range(len(concepts)):
                if concepts[j] >= 0 and asked.members[met, concepts[j]]:
                    counted.concept[r, j, w] += 1.0
                    counted.concept[r, j, windows + w] += right


@compiled
def _look_back(learner: int, r: int, asked: Any, memory: Any, counted: Any) -> None:
    """Tell the last outcomes, and whether the last answer was to this very item."""
    total, room = memory.answers[learner], memory.recent_at.shape[1]
    for back in range(min(total, LAST)):
        place = (total - 1 - back) % room
        counted.last[r, back] = 2.0 * memory.recent_right[learner, place] - 1.0
    newest = (total - 1) % room
    if total and asked.item[r] >= 0 and memory.recent_item[learner, newest] == asked.item[r]:
        counted.last[r, LAST] = 1.0
        counted.last[r, LAST + 1] = counted.last[r, 0]


@compiled
def _add_up(learner: int, r: int, asked: Any, memory: Any, counted: Any) -> None:
    """Make each window hold the shorter ones, and the last one all there ever was."""
    windows = len(asked.seconds)
    concepts = asked.concept_sets[asked.concept_set[r]]
    for first in (0, windows):
        for w in range(first + 1, first + windows):
            counted.learner[r, w] += counted.learner[r, w - 1]
            counted.item[r, w] += counted.item[r, w - 1]
            for j in range(len(concepts)):
                counted.concept[r, j, w] += counted.concept[r, j, w - 1]
    counted.learner[r, windows - 1] = memory.answers[learner]
    counted.learner[r, 2 * windows - 1] = memory.right[learner]
    for j in range(len(concepts)):
        if concepts[j] >= 0:
            counted.concept[r, j, windows - 1] = memory.concept_answers[learner, concepts[j]]
            counted.concept[r, j, 2 * windows - 1] = memory.concept_right[learner, concepts[j]]


@compiled
def _remember(learner: int, r: int, asked: Any, memory: Any) -> None:
    place = memory.answers[learner] % memory.recent_at.shape[1]
    which, correct = asked.concept_set[r], asked.correct[r]
    memory.recent_at[learner, place] = asked.answered_at[r]
    memory.recent_item[learner, place] = asked.item[r]
    memory.recent_set[learner, place] = which if which < len(asked.members) else -1
    memory.recent_right[learner, place] = correct
    memory.answers[learner] += 1
    memory.right[learner] += correct
    for k in asked.concept_sets[which]:
        if k >= 0:
            memory.concept_answers[learner, k] += 1.0
            memory.concept_right[learner, k] += correct
