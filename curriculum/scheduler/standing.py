"""Where the learner stands on each concept: what is wanted, what is open, and in which mode."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from curriculum.scheduler import guards
from curriculum.scheduler.facts import find_recall
from curriculum.scheduler.placing import is_placing
from curriculum.scheduler.rules import DAY_S
from curriculum.scheduler.situation import Situation
from curriculum.scheduler.tracer_memory import concept_memory, logit

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
ModeArray = NDArray[np.int8]


class Mode(StrEnum):
    """What an answer on the concept is for."""

    LEARN = "learn"
    PRACTISE = "practise"
    REVIEW = "review"
    PROBE = "probe"


MODES = tuple(Mode)
LEARN, PRACTISE, REVIEW, PROBE = range(4)
CLOSED = -1


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """The learner's concepts, K of them, seen through the rules; R recent answers.

    Attributes:
        reached: [K] good enough to build on.
        mastered: [K] good enough to stop.
        days_since: [K] days since the last answer; inf for never.
        recall: [K] chance that a fact is recalled now; NaN for skills and for what is unknown.
        wanted: [K] goal, backfill, step-back and pinned concepts.
        backfill: [K] outside the goal; opened because a goal is locked behind it.
        step_back: [K] prerequisites opened because the learner fails on what needs them.
        held: [K] the concepts failed on, closed until the prerequisites were practised.
        failed: [K] concepts failed on repeatedly with nothing to step back to, or back from it.
        stuck: [K] concepts with many answers and no mastery: the teacher's turn.
        handed_over: [K] the same, and those that are not worked on now.
        crowded: [K] concepts that the last few answers were all about, unless being learnt.
        placing: the learner is being placed: every wanted concept is probed.
        reviews_full: reviews have had their share of the recent answers.
        mode: [K] code into MODES, or CLOSED: mastered and not due, or not wanted.
        pinned_now: [N] pinned items not answered yet in the exposure window.
        banned: [N].
        set_aside: [N] put off by the learner, None where nothing is.
        locked: [N] items with a concept of which a direct prerequisite is not reached.
        recent_rows: [R] item rows, -1 where no longer in the bank.
        exposures: [N] answers to each item within the exposure window.
    """

    reached: BoolArray
    mastered: BoolArray
    days_since: FloatArray
    recall: FloatArray
    wanted: BoolArray
    backfill: BoolArray
    step_back: BoolArray
    held: BoolArray
    failed: BoolArray
    stuck: BoolArray
    handed_over: BoolArray
    crowded: BoolArray
    reviews_full: bool
    placing: bool
    mode: ModeArray
    pinned_now: BoolArray | None
    banned: BoolArray | None
    set_aside: BoolArray | None
    locked: BoolArray
    recent_rows: IntArray
    exposures: IntArray


def assess(situation: Situation) -> Standing:
    """Return where the learner stands."""
    bank, rules = situation.bank, situation.rules
    lower, evidence = situation.concept_lower_prob, situation.evidence_n
    reached = (lower >= rules.prerequisite_threshold) & (evidence >= rules.prerequisite_evidence)
    mastered = (lower >= rules.mastery_threshold) & (evidence >= rules.mastery_evidence)
    days_since = (situation.at - situation.concept_last_at) / DAY_S
    recent_rows = bank.rows_of(situation.recent.item_ids)
    recall = find_recall(situation, recent_rows)
    due = _find_due(situation, mastered, days_since, recall, recent_rows)
    mode = _choose_modes(situation, reached, mastered, due)
    banned, put_off = (
        _rows_flag(situation, ids) for ids in (situation.banned, situation.set_aside)
    )
    pinned, goal, mode = _with_pins(situation, mode, recent_rows)
    locked_sets = _find_locked(situation, reached)
    open_goal = goal & (mode != CLOSED)
    wanted = _with_backfill(situation, open_goal, ~reached, locked_sets, (banned, put_off))
    backfill = wanted & ~open_goal
    held, step_back, failed = _step_back(situation, wanted, recent_rows)
    if held.any():
        mode = np.where(step_back & (mode == CLOSED), REVIEW, mode)
        wanted |= step_back
    placing = is_placing(situation)
    if placing:
        # What the goal builds on as well: that is where most of the doubt is.
        wanted |= bank.unlocks_weight @ goal.astype(np.float32) > 0.0
        mode = np.full_like(mode, PROBE)
    mode = np.where(wanted, mode, CLOSED).astype(np.int8)
    locked = locked_sets.take(bank.set_of)
    exposures = guards.count_exposures(situation, recent_rows)
    handed_over = guards.find_stuck(
        *(situation, ~mastered, mode != CLOSED, recent_rows),
        exposures=exposures,
        removed=(banned, locked, _barred(situation)),
    )
    return Standing(
        reached=reached,
        mastered=mastered,
        days_since=days_since,
        recall=recall,
        wanted=wanted | goal,
        backfill=backfill,
        step_back=step_back,
        held=held,
        failed=failed,
        stuck=handed_over & (mode != CLOSED),
        handed_over=handed_over,
        crowded=guards.find_crowded(situation, recent_rows) & (mode != LEARN),
        reviews_full=guards.reviews_are_full(situation, review_code=REVIEW),
        placing=placing,
        mode=mode,
        pinned_now=pinned,
        banned=banned,
        set_aside=put_off,
        locked=locked,
        recent_rows=recent_rows,
        exposures=exposures,
    )


def _with_pins(
    situation: Situation, mode: ModeArray, recent_rows: IntArray
) -> tuple[BoolArray | None, BoolArray, ModeArray]:
    """Return the pinned items that wait, goal and modes with their concepts."""
    pinned = _rows_flag(situation, situation.pinned)
    if pinned is None:
        return None, situation.goal, mode
    pinned[_given_since_pinned(situation, recent_rows)] = False
    concepts = _concepts_of(situation, pinned)
    opened = np.where(concepts & (mode == CLOSED), PRACTISE, mode).astype(np.int8)
    return pinned, situation.goal | concepts, opened


def _find_locked(situation: Situation, reached: BoolArray) -> BoolArray:
    """Return [S] the sets with a concept of which a direct prerequisite is not reached."""
    bank = situation.bank
    waiting = np.zeros(bank.n_concepts, dtype=np.bool_)
    waiting[bank.edge_of[~reached.take(bank.edge_needed)]] = True
    return bank.any_in_set(waiting)


def _choose_modes(
    situation: Situation, reached: BoolArray, mastered: BoolArray, due: BoolArray
) -> ModeArray:
    """Return [K] the mode each concept would have if it were wanted."""
    known = mastered | situation.mastered_before
    looks_known = (situation.evidence_n < situation.rules.prerequisite_evidence) & (
        situation.concept_prob >= situation.rules.targets.practise
    )
    mode = np.where(reached | known, PRACTISE, np.where(looks_known, PROBE, LEARN))
    return np.where(due, REVIEW, np.where(mastered, CLOSED, mode)).astype(np.int8)


def _find_due(
    situation: Situation,
    mastered: BoolArray,
    days_since: FloatArray,
    recall: FloatArray,
    recent_rows: IntArray,
) -> BoolArray:
    """Return [K] what was mastered once and should be reviewed.

    A fact when its recall has sunk; a skill when it is unseen for long, or when not a wrong answer
    but time has taken it below mastery; both when they would be lost on the day that counts.
    """
    rules, deadline = situation.rules, situation.deadline
    old = days_since >= rules.review_min_days
    due = (days_since >= rules.review_after_days) | (~mastered & old)
    due = np.where(np.isnan(recall), due, recall <= rules.recall_due)
    if deadline is not None and deadline > situation.at:
        ahead = (deadline - situation.at) / DAY_S
        then = find_recall(situation, recent_rows, days_on=ahead)
        lost = _lost_by_then(situation, ahead)
        due |= old & np.where(np.isnan(then), lost, then <= rules.recall_due)
    return np.asarray(due & (mastered | situation.mastered_before))


def _lost_by_then(situation: Situation, ahead: float) -> BoolArray:
    """Return [K] concepts that will have faded below mastery in so many days."""
    lost = np.zeros(situation.bank.n_concepts, dtype=np.bool_)
    met = np.flatnonzero(np.isfinite(situation.concept_last_at))
    memory = concept_memory(situation, met)
    since = np.maximum(situation.at - situation.concept_last_at[met], 0.0) / DAY_S
    tau = memory.tau_days
    kept = ((tau + since + ahead) / (tau + since)) ** -memory.power
    lower = logit(situation.concept_lower_prob[met]) - (1.0 - kept) * memory.level
    lost[met] = lower < logit(np.array(situation.rules.mastery_threshold))
    return lost


def _with_backfill(
    situation: Situation,
    goal: BoolArray,
    unreached: BoolArray,
    locked_sets: BoolArray,
    refused: tuple[BoolArray | None, ...],
) -> BoolArray:
    """Return the goal and every unreached concept on the way to a goal that is locked.

    A goal with an item whose prerequisites are all reached needs nothing more; otherwise what
    the item needs by which the concept is first shown, and so on down.
    """
    bank = situation.bank
    startable = bank.concepts_of_sets(_live_sets(situation, refused) & ~locked_sets)
    wanted = goal.copy()
    fresh = goal & ~startable
    while fresh.any():
        needed = bank.route[fresh].any(axis=0) & unreached & ~wanted
        wanted |= needed
        fresh = needed & ~startable
    return wanted


def _live_sets(situation: Situation, refused: tuple[BoolArray | None, ...]) -> BoolArray:
    """Return [S] whether an item in use that is not refused has exactly these concepts."""
    bank = situation.bank
    named = [removed for removed in refused if removed is not None]
    if not named:
        return bank.sets_live
    allowed = bank.operational.copy()
    for removed in named:
        allowed &= ~removed
    return bank.sets_of(allowed)


def _barred(situation: Situation) -> BoolArray | None:
    """Return [N] the items that this learner cannot be given, None where there are none."""
    if not situation.barred_features:
        return None
    return np.asarray((situation.bank.features & situation.barred_features) != 0)


def _rows_flag(situation: Situation, item_ids: frozenset[int]) -> BoolArray | None:
    """Return [N] the items named, or None where none are: the usual case costs nothing."""
    if not item_ids:
        return None
    rows = situation.bank.rows_of(np.fromiter(item_ids, dtype=np.int64, count=len(item_ids)))
    flag = np.zeros(situation.bank.n_items, dtype=np.bool_)
    flag[rows[rows >= 0]] = True
    return flag


def _given_since_pinned(situation: Situation, recent_rows: IntArray) -> IntArray:
    """Return the rows whose answers came after they were pinned."""
    since = situation.pinned_since
    if not since:
        return recent_rows[recent_rows >= 0]
    pinned_at = [since.get(pk, -np.inf) for pk in situation.recent.item_ids.tolist()]
    return recent_rows[(recent_rows >= 0) & (situation.recent.at >= np.array(pinned_at))]


def _concepts_of(situation: Situation, items: BoolArray) -> BoolArray:
    bank = situation.bank
    flag = np.zeros(bank.n_concepts, dtype=np.bool_)
    flag[bank.pair_concept[items[bank.pair_item]]] = True
    return flag


def _step_back(
    situation: Situation, wanted: BoolArray, recent_rows: IntArray
) -> tuple[BoolArray, BoolArray, BoolArray]:
    """Return [K] what repeated failure leads to.

    Concepts held, the prerequisites opened instead, and the concepts that go on although failed,
    because they have no prerequisites or these were just practised.
    """
    bank, rules = situation.bank, situation.rules
    held, opened, failed = (np.zeros_like(wanted) for _ in range(3))
    window = slice(-rules.recent_answers, None)
    rows = recent_rows[window].tolist()
    credits_given = situation.recent.correct[window].tolist()
    if sum(credit < 0.5 for credit in credits_given) < rules.fails_to_step_back:
        return held, opened, failed
    answers = [
        (bank.carried[row] if row >= 0 else (), credit)
        for row, credit in zip(rows, credits_given, strict=True)
    ]
    for concept in _failed_on(answers, rules.fails_to_step_back):
        below = bank.prerequisites[concept]
        fails, returned = _count_fails(concept, answers, below)
        if not wanted[concept] or fails < rules.fails_to_step_back:
            continue
        if below and returned < rules.answers_to_return:
            held[concept] = True
            opened |= bank.requires[concept]
        else:
            failed[concept] = True
    return held, opened & ~held, failed


def _failed_on(answers: list[tuple[tuple[int, ...], float]], least: int) -> list[int]:
    """Return the concepts with at least so many failures among the answers."""
    fails = Counter(concept for carried, credit in answers if credit < 0.5 for concept in carried)
    return [concept for concept, count in fails.items() if count >= least]


def _count_fails(
    concept: int, answers: list[tuple[tuple[int, ...], float]], below: frozenset[int]
) -> tuple[int, int]:
    """Return the latest failures in a row on the concept, and answers since on what it needs."""
    fails = returned = 0
    for carried, credit in reversed(answers):
        if concept in carried:
            if credit >= 0.5:
                break
            fails += 1
        elif fails == 0 and not below.isdisjoint(carried):
            returned += 1
    return fails, returned


def find_due(situation: Situation) -> BoolArray:
    """Return [K] what is due for review at the situation's moment, wanted or not.

    The rule of `assess`, for looking ahead: with the moment moved on and no answers since.
    """
    rules = situation.rules
    mastered = (situation.concept_lower_prob >= rules.mastery_threshold) & (
        situation.evidence_n >= rules.mastery_evidence
    )
    days_since = (situation.at - situation.concept_last_at) / DAY_S
    recent_rows = situation.bank.rows_of(situation.recent.item_ids)
    recall = find_recall(situation, recent_rows)
    return _find_due(situation, mastered, days_since, recall, recent_rows)
