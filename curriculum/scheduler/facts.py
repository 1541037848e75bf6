"""Facts: how well each is recalled, by FSRS-6 through py-fsrs.

A fact is remembered or not; its memory has a stability, the days after which recall has sunk to
0.9. A right answer counts as "good", a wrong one as "again", and there are no learning steps:
every answer is a review.
"""

import datetime as dt
import functools
from collections.abc import Iterable
from typing import NamedTuple

import fsrs
import numpy as np
from numpy.typing import NDArray

from curriculum.scheduler.rules import DAY_S
from curriculum.scheduler.situation import Situation

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@functools.cache
def _scheduler() -> fsrs.Scheduler:
    return fsrs.Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)


class FactMemory(NamedTuple):
    """What is kept of one fact: all that FSRS needs to take the next answer.

    `stability` in days, `difficulty` 1 to 10, `at` the epoch seconds of the last answer.
    """

    stability: float
    difficulty: float
    at: float


def remember(memory: FactMemory | None, *, at: float, credit: float) -> FactMemory:
    """Return the memory after an answer at `at`, epoch seconds; `memory` is None before the first.

    An answer of before the last one counts as given with it.
    """
    card = fsrs.Card(card_id=1, due=EPOCH)
    if memory is not None:
        card = fsrs.Card(
            card_id=1,
            state=fsrs.State.Review,
            stability=memory.stability,
            difficulty=memory.difficulty,
            due=EPOCH,
            last_review=EPOCH + dt.timedelta(seconds=memory.at),
        )
        at = max(at, memory.at)
    rating = fsrs.Rating.Good if credit >= 0.5 else fsrs.Rating.Again
    when = EPOCH + dt.timedelta(seconds=at)
    card, _ = _scheduler().review_card(card, rating, review_datetime=when)
    return FactMemory(float(card.stability or 0.0), float(card.difficulty or 0.0), at)


def recall_stability(answers: Iterable[tuple[float, float]]) -> float:
    """Return the stability after answers of (epoch seconds, credit), oldest first; NaN for none."""
    memory: FactMemory | None = None
    for at, credit in answers:
        memory = remember(memory, at=at, credit=credit)
    return np.nan if memory is None else memory.stability


def recall(stability: FloatArray, days: FloatArray) -> FloatArray:
    """Return the chance that a fact is recalled so many days after its last answer.

    (1 + F days / S)^-d with F such that it is 0.9 after S days: the curve of FSRS-6.
    """
    decay = _scheduler().parameters[20]
    factor = 0.9 ** (-1.0 / decay) - 1.0
    return np.asarray((1.0 + factor * np.maximum(days, 0.0) / stability) ** -decay)


def find_recall(situation: Situation, recent_rows: IntArray, *, days_on: float = 0.0) -> FloatArray:
    """Return [K] the chance of recall `days_on` days from now; NaN for skills and facts never met.

    Args:
        situation: the learner; `fact_stability` where the tutor keeps it, else the recent answers.
        recent_rows: [R] item rows of the recent answers, -1 where no longer in the bank.
        days_on: how far to look ahead, days.
    """
    bank, stability = situation.bank, situation.fact_stability
    if not bank.is_fact.any():
        return np.full(bank.n_concepts, np.nan)
    known = np.full(bank.n_concepts, np.nan) if stability is None else stability.copy()
    for concept in np.flatnonzero(bank.is_fact & np.isnan(known)):
        known[concept] = recall_stability(_answers_on(situation, int(concept), recent_rows))
    days = (situation.at - situation.concept_last_at) / DAY_S + days_on
    met = bank.is_fact & np.isfinite(days) & np.isfinite(known)
    found = np.full(bank.n_concepts, np.nan)
    found[met] = recall(known[met], days[met])
    return found


def _answers_on(
    situation: Situation, concept: int, recent_rows: IntArray
) -> list[tuple[float, float]]:
    carried, answers = situation.bank.carried, situation.recent
    rows = zip(recent_rows.tolist(), answers.at.tolist(), answers.correct.tolist(), strict=True)
    return [(at, credit) for row, at, credit in rows if row >= 0 and concept in carried[row]]
