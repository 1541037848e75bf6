"""What is calibrated: each learner's first, unassisted answer to an item; and what is left out."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from curriculum.irt.errors import ImpossibleResponse, NothingToCalibrate
from kt_models.api import ResponseLog


@dataclass(frozen=True, slots=True)
class Responses:
    """R first attempts of L learners at I items, learner after learner.

    Attributes:
        learners: [L] names.
        items: [I] names, those without an answer among them.
        learner: [R] places in `learners`, never falling.
        item: [R] places in `items`; a pair of learner and item occurs once.
        correct: [R] 1 right, 0 wrong.
    """

    learners: tuple[str, ...]
    items: tuple[str, ...]
    learner: NDArray[np.int64]
    item: NDArray[np.int64]
    correct: NDArray[np.float64]

    def __len__(self) -> int:
        """Return the number of answers."""
        return len(self.item)

    @property
    def answered(self) -> NDArray[np.int64]:
        """[I] how many learners answered each item."""
        return np.bincount(self.item, minlength=len(self.items))

    @property
    def right(self) -> NDArray[np.int64]:
        """[I] how many of them were right."""
        return np.bincount(self.item, self.correct, len(self.items)).astype(np.int64)

    def sha256(self) -> str:
        """Return a hash of every answer and name that was calibrated."""
        digest = hashlib.sha256()
        for names in (self.learners, self.items):
            digest.update("\x1f".join(names).encode() + b"\x1e")
        for column in (self.learner, self.item, self.correct):
            digest.update(np.ascontiguousarray(column).tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Census:
    """What became of the rows of a log.

    Attributes:
        rows: all answers of the log.
        calibrated: first attempts that were taken.
        repeats: later answers to an item the learner had answered before.
        duplicates: of those, rows that say the same at the same moment as the one before.
        assisted: first attempts with hints, or after a first try at the same showing.
        unjudged: first attempts of which nobody knows whether they were right (nan).
        part_credit: of the calibrated, answers with part credit, which count as wrong.
        learners: with at least one calibrated answer.
        single_answer_learners: with exactly one: they tell about difficulty, not discrimination.
        seen: [I] all answers to each item, whatever became of them.
    """

    rows: int
    calibrated: int
    repeats: int
    duplicates: int
    assisted: int
    unjudged: int
    part_credit: int
    learners: int
    single_answer_learners: int
    seen: tuple[int, ...]


def select_first_attempts(log: ResponseLog) -> tuple[Responses, Census]:
    """Return the answers that can be calibrated, and what became of the others.

    A repeat tells what was learnt from the first try, and help hides what the learner could have
    done alone. If the first attempt was assisted or not judged, later ones do not stand in for it.
    Right means full credit, as everywhere in the tutor.

    Raises:
        ImpossibleResponse: a value of `correct` outside 0 to 1.
        NothingToCalibrate: no answer is left.
    """
    learner, item, correct = log.learner, log.item, log.correct
    _require_possible(log)
    first, duplicate = _first_and_duplicate(log)
    unjudged = first & np.isnan(correct)
    assisted = first & log.assisted & ~unjudged
    taken = first & ~assisted & ~unjudged
    kept, place = np.unique(learner[taken], return_inverse=True)
    whole = correct[taken] >= 1.0
    census = Census(
        rows=len(log),
        calibrated=int(taken.sum()),
        repeats=int((~first).sum()),
        duplicates=int(duplicate.sum()),
        assisted=int(assisted.sum()),
        unjudged=int(unjudged.sum()),
        part_credit=int(((correct[taken] > 0.0) & ~whole).sum()),
        learners=len(kept),
        single_answer_learners=int((np.bincount(place, minlength=len(kept)) == 1).sum()),
        seen=tuple(np.bincount(item, minlength=len(log.item_keys)).tolist()),
    )
    if not census.calibrated:
        msg = f"None of the {census.rows} answers is a judged first attempt without help."
        raise NothingToCalibrate(msg, census=census)
    responses = Responses(
        learners=tuple(log.learner_keys[k] for k in kept),
        items=log.item_keys,
        learner=place.astype(np.int64),
        item=item[taken],
        correct=whole.astype(np.float64),
    )
    return responses, census


def _require_possible(log: ResponseLog) -> None:
    wrong = ~np.isnan(log.correct) & ~((log.correct >= 0.0) & (log.correct <= 1.0))
    if wrong.any():
        row = int(np.argmax(wrong))
        who = f"learner {log.learner_keys[log.learner[row]]}, item {log.item_keys[log.item[row]]}"
        msg = f"correct = {log.correct[row]} ({who}) is not between 0 and 1."
        raise ImpossibleResponse(msg + " Leave it empty if nobody judged the answer.")


def _first_and_duplicate(log: ResponseLog) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return [R] whether a row is the pair's first, and whether it says what the last one said."""
    pair = log.learner * len(log.item_keys) + log.item
    # Stable: rows of a pair stay in the order of answering.
    order = np.argsort(pair, kind="stable")
    same_pair = np.concatenate([[False], np.diff(pair[order]) == 0])
    first = np.empty(len(log), dtype=bool)
    first[order] = ~same_pair
    same = same_pair.copy()
    for column in (log.answered_at, np.nan_to_num(log.correct, nan=-1.0), log.assisted):
        same[1:] &= column[order][1:] == column[order][:-1]
    duplicate = np.empty(len(log), dtype=bool)
    # Without times the same outcome twice is as likely a repeat.
    duplicate[order] = same & log.has_times
    return first, duplicate


def responses_of_matrix(
    matrix: ArrayLike, *, items: tuple[str, ...] | None = None, counts: ArrayLike | None = None
) -> Responses:
    """Return the responses of a table with one row per learner and one column per item.

    Args:
        matrix: [L, I] 1 right, 0 wrong, nan not answered.
        items: [I] names; by default i0, i1, …
        counts: [L] how many learners gave each row; by default one.

    Raises:
        ImpossibleResponse: another value, naming its place.
    """
    table = np.asarray(matrix, dtype=np.float64)
    bad = ~(np.isnan(table) | np.isin(table, (0.0, 1.0)))
    if bad.any():
        row, column = (int(k) for k in np.argwhere(bad)[0])
        msg = f"Row {row}, column {column} is {table[row, column]}: 1, 0 or nan is meant."
        raise ImpossibleResponse(msg)
    if counts is not None:
        table = np.repeat(table, np.asarray(counts, dtype=np.int64), axis=0)
    learner, item = np.nonzero(~np.isnan(table))
    return Responses(
        learners=tuple(f"l{k}" for k in range(len(table))),
        items=items or tuple(f"i{k}" for k in range(table.shape[1])),
        learner=learner,
        item=item,
        correct=table[learner, item],
    )
