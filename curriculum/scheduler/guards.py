"""Guard rails read off the latest answers: stuck concepts, crowding, the share of reviews."""

import numpy as np
from numpy.typing import NDArray

from curriculum.scheduler.situation import Situation

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]


def find_stuck(situation: Situation, unmastered: BoolArray, recent_rows: IntArray) -> BoolArray:
    """Return [K] the concepts that more answers are not likely to help with.

    That is `stuck_after` answers without mastery. Somebody whose latest three answers were right
    is on the way and gets as many again; somebody without a wrong one among the recent answers is
    not stuck, however long a cautious tracer takes.

    Args:
        situation: the learner.
        unmastered: [K] concepts that are asked for and not mastered.
        recent_rows: [R] item rows of the recent answers, -1 where no longer in the bank.
    """
    rules = situation.rules
    stuck = np.zeros_like(unmastered)
    for concept in np.flatnonzero(unmastered & (_most_attempts(situation) >= rules.stuck_after)):
        credit = _credit_on(situation, int(concept), recent_rows)
        attempts = _attempts(situation, int(concept), credit)
        rising = len(credit) >= 3 and bool((credit[-3:] >= 0.5).all())
        flawless = rising and bool((credit >= 0.5).all())
        stuck[concept] = not flawless and attempts >= rules.stuck_after * (2 if rising else 1)
    return stuck


def _most_attempts(situation: Situation) -> IntArray:
    return situation.evidence_n if situation.attempts is None else situation.attempts


def _attempts(situation: Situation, concept: int, credit: NDArray[np.float64]) -> int:
    """Return the answers without mastery, as well as they are known."""
    known = situation.evidence_n if situation.attempts is None else situation.attempts
    if not situation.mastered_before[concept]:
        return int(known[concept])
    # Of what was mastered once, the answers that led there must not count again.
    latest = credit[-situation.rules.stuck_after :]
    lost = len(latest) if len(latest) and latest.mean() < 0.5 else 0
    return min(lost, int(known[concept]))


def _credit_on(situation: Situation, concept: int, recent_rows: IntArray) -> NDArray[np.float64]:
    """Return the credit of the recent answers that the concept was in, oldest first."""
    carried = situation.bank.carried
    on_it = [row >= 0 and concept in carried[row] for row in recent_rows.tolist()]
    return situation.recent.correct[np.array(on_it, dtype=np.bool_)]


def find_crowded(situation: Situation, recent_rows: IntArray) -> BoolArray:
    """Return [K] the concepts that each of the last `same_concept_run` answers was about."""
    bank, run = situation.bank, situation.rules.same_concept_run
    crowded = np.zeros(bank.n_concepts, dtype=np.bool_)
    latest = recent_rows[-run:].tolist()
    if len(latest) < run or min(latest) < 0:
        return crowded
    shared = set(bank.carried[latest[0]]).intersection(*(bank.carried[row] for row in latest))
    crowded[list(shared)] = True
    return crowded


def reviews_are_full(situation: Situation, *, review_code: int) -> bool:
    """Test whether reviews have had their share of the recent answers, where modes are known.

    At least half a window of answers is needed: the first of a day may well be a review.
    """
    modes, rules = situation.recent.modes, situation.rules
    if modes is None:
        return False
    latest = modes[-rules.recent_answers :]
    if len(latest) * 2 < rules.recent_answers:
        return False
    share = float((latest == review_code).mean())
    return share >= rules.review_share
