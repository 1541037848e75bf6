"""Guard rails read off the latest answers: stuck concepts, caps, crowding, share of reviews."""

import numpy as np
from numpy.typing import NDArray

from curriculum.scheduler.bank import ItemBank
from curriculum.scheduler.rules import DAY_S, Rules
from curriculum.scheduler.situation import RecentAnswers, Situation

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]


def find_stuck(
    situation: Situation,
    unmastered: BoolArray,
    is_open: BoolArray,
    recent_rows: IntArray,
    *,
    exposures: IntArray,
    removed: tuple[BoolArray | None, ...] = (),
) -> BoolArray:
    """Return [K] the concepts that more answers are not likely to help with, or cannot.

    That is `stuck_after` answers without mastery. Somebody whose latest three answers were right
    is on the way and gets as many again; somebody without a wrong one among the recent answers is
    not stuck, however long a cautious tracer takes. Who has used up all that there is on a concept
    is stuck earlier: nothing of it comes for weeks. The items of a concept that is stuck rest, so
    that another one may thereby be used up.

    Args:
        situation: the learner.
        unmastered: [K] concepts that are not mastered.
        is_open: [K] those that are worked on: only their items rest.
        recent_rows: [R] item rows of the recent answers, -1 where no longer in the bank.
        exposures: [N] answers that exposure caps count.
        removed: [N] each, items that may not be given for other reasons than a cap.
    """
    many = unmastered & (_most_attempts(situation) >= situation.rules.stuck_after)
    stuck = _are_stuck(situation, many, recent_rows, used_up=False)
    while True:
        rest = situation.bank.any_concept(stuck & is_open) if stuck.any() else None
        used_up = find_used_up(situation, exposures, (*removed, rest)) & unmastered & ~stuck
        more = _are_stuck(situation, used_up, recent_rows, used_up=True)
        if not more.any():
            return stuck
        stuck |= more


def _are_stuck(
    situation: Situation, asked: BoolArray, recent_rows: IntArray, *, used_up: bool
) -> BoolArray:
    """Return [K] which of the concepts asked about are stuck, by the answers on each."""
    rules, stuck = situation.rules, np.zeros_like(asked)
    for concept in np.flatnonzero(asked):
        credit = _credit_on(situation, int(concept), recent_rows)
        attempts = _attempts(situation, int(concept), credit)
        rising = len(credit) >= 3 and bool((credit[-3:] >= 0.5).all())
        flawless = bool((credit >= 0.5).all()) and (rising or used_up)
        enough = 1 if used_up else rules.stuck_after * (2 if rising else 1)
        stuck[concept] = not flawless and attempts >= enough
    return stuck


def count_attempts(
    bank: ItemBank,
    recent: RecentAnswers,
    *,
    at: float,
    rules: Rules,
    released: NDArray[np.float64] | None = None,
) -> IntArray:
    """Return [K] the answers on each concept of the exposure window, since a teacher's release.

    Who comes back after a while, or with a history from elsewhere, is not stuck by that.

    Args:
        bank: the course.
        recent: the newest answers.
        at: now, epoch seconds.
        rules: `exposure_days`.
        released: as in `Situation`.
    """
    rows = bank.rows_of(recent.item_ids)
    latest = np.flatnonzero((rows >= 0) & (recent.at > at - rules.exposure_days * DAY_S))
    carried = bank.concepts[rows[latest]]
    counted = carried >= 0
    if released is not None:
        counted &= recent.at[latest, None] > released[carried]
    return np.bincount(carried[counted], minlength=bank.n_concepts).astype(np.int64)


def count_exposures(situation: Situation, recent_rows: IntArray) -> IntArray:
    """Return [N] the answers to each item that its cap counts."""
    counted = recent_rows[find_counted(situation, recent_rows)]
    return np.bincount(counted, minlength=situation.bank.n_items)


def find_counted(situation: Situation, recent_rows: IntArray) -> BoolArray:
    """Return [R] the recent answers that exposure caps count: of the window, since a release."""
    bank, recent = situation.bank, situation.recent
    since = situation.at - situation.rules.exposure_days * DAY_S
    counted = (recent_rows >= 0) & (recent.at > since)
    if situation.released is not None:
        carried = bank.concepts[recent_rows]
        released = np.where(carried >= 0, situation.released[carried], -np.inf).max(axis=1)
        counted &= recent.at > released
    return np.asarray(counted)


def exposure_limits(situation: Situation, rows: IntArray) -> IntArray:
    """Return the exposure caps of these items."""
    rules, is_template = situation.rules, situation.bank.is_template[rows]
    return np.where(is_template, rules.template_max_exposures, rules.max_exposures)


def find_used_up(
    situation: Situation, exposures: IntArray, removed: tuple[BoolArray | None, ...]
) -> BoolArray:
    """Return [K] the concepts of which every item that might be given is at its exposure cap.

    Args:
        situation: the learner.
        exposures: [N] answers that caps count.
        removed: [N] each, items that do not count as being there.
    """
    bank = situation.bank
    met = np.flatnonzero(exposures)
    capped = met[exposures[met] >= exposure_limits(situation, met)]
    if not len(capped):
        return np.zeros(bank.n_concepts, dtype=np.bool_)
    there = bank.operational.copy()
    for some in removed:
        if some is not None:
            there &= ~some
    left = there.copy()
    left[capped] = False
    n_there, n_left = (
        np.bincount(bank.pair_concept[some[bank.pair_item]], minlength=bank.n_concepts)
        for some in (there, left)
    )
    return np.asarray((n_there > 0) & (n_left == 0))


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
