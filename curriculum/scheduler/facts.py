"""Facts: how well each is recalled, by FSRS-6 through py-fsrs.

A fact is remembered or not; its memory has a stability, the days after which recall has sunk to
0.9. A right answer counts as "good", a wrong one as "again", and there are no learning steps:
every answer is a review.
"""

import datetime as dt
import functools
from collections.abc import Iterable

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


def recall_stability(answers: Iterable[tuple[float, float]]) -> float:
    """Return the stability after answers of (epoch seconds, credit), oldest first; NaN for none."""
    card = fsrs.Card(card_id=1, due=EPOCH)
    for at, credit in answers:
        rating = fsrs.Rating.Good if credit >= 0.5 else fsrs.Rating.Again
        when = EPOCH + dt.timedelta(seconds=at)
        card, _ = _scheduler().review_card(card, rating, review_datetime=when)
    return np.nan if card.stability is None else float(card.stability)


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
