"""What an answer on each arm adds to what is known on the day that counts.

With a date ahead and few enough answers until then, a plan is made over all of them
(`planning.plan` over `concept_model.ConceptModel`): an arm is worth what the best plan that begins
with it knows on the day, more than the best plan without this step. Otherwise, with no date or one
far off, there is room for everything, and an arm is worth what one answer on it adds on the day:
the date, or `retention_days` from now.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curriculum.scheduler.concept_model import ConceptModel, ConceptStates
from curriculum.scheduler.planning import plan
from curriculum.scheduler.rules import DAY_S
from curriculum.scheduler.situation import Situation
from curriculum.scheduler.standing import CLOSED, Standing
from curriculum.scheduler.tracer_memory import concept_memory

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# How many arms a plan may begin with, how many concepts it looks at, and second steps it tries.
MOST_FIRST_ARMS = 6
MOST_CONCEPTS = 16
SECOND_STEPS = 3
MOST_CREDIT = 3.0
# Steps after the first; each stands for as many answers as there is time for.
MOST_BLOCKS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """What is expected of A arms.

    Attributes:
        rise: [A] what an answer adds to the goal-weighted success on the day, in probability.
        prob: [A] success on the concept on the day if it is left alone.
        days: days until then.
        planned: answers the plan looks ahead; 1 where none is made.
    """

    rise: FloatArray
    prob: FloatArray
    days: float
    planned: int


def days_ahead(situation: Situation) -> float:
    """Return the days until knowledge counts: the date's, or those of retention."""
    if situation.deadline is None:
        return situation.rules.retention_days
    return max(situation.deadline - situation.at, 0.0) / DAY_S


def answers_ahead(situation: Situation) -> int:
    """Return how many answers are to be expected before the date, at least 1."""
    rules, minutes = situation.rules, situation.study_minutes
    if minutes is None:
        # The sitting that is going on counts as a day of practice.
        minutes = rules.minutes_per_day * max(days_ahead(situation), 1.0)
    per_item = rules.minutes_per_item
    if situation.item_minutes is not None and len(situation.item_minutes):
        per_item = float(np.median(situation.item_minutes))
    return max(int(minutes / per_item), 1)


def look_ahead(
    situation: Situation,
    standing: Standing,
    *,
    concepts: IntArray,
    gain: FloatArray,
    goal_weight: FloatArray,
) -> Outlook:
    """Return what is expected of the arms.

    Args:
        situation, standing: the learner.
        concepts: [A] concept of each arm.
        gain: [A] logits that an answer on the arm teaches, on average over its items.
        goal_weight: [K] 1, and more for a concept the more unreached goals need it.
    """
    days = days_ahead(situation)
    model, states = _one_answer(situation, concepts, gain, goal_weight, days)
    added, alone, _ = model.outlook(states, left=1)
    rise, prob = added[0] * model.weights, alone[0]
    # How many answers are ahead is asked only where a date says until when. A newcomer who is
    # placed may begin with concepts that a plan counts as locked: nothing would come of a plan.
    no_plan = situation.deadline is None or standing.placing
    answers = 1 if no_plan else answers_ahead(situation)
    if not 1 < answers <= situation.rules.plan_answers:
        return Outlook(rise=rise, prob=prob, days=days, planned=1)
    ranked = np.argsort(-rise, kind="stable")
    first, others = ranked[:MOST_FIRST_ARMS], ranked[MOST_FIRST_ARMS:]
    planned = _planned(situation, standing, concepts[first], gain[first])
    rise[others] = _on_one_scale(rise[others], planned, rise[first])
    rise[first] = planned
    return Outlook(rise=rise, prob=prob, days=days, planned=answers)


def _on_one_scale(rise: FloatArray, planned: FloatArray, rise_first: FloatArray) -> FloatArray:
    """Return what arms without a plan of their own are worth beside those that have one.

    What a plan with a first step is worth more than without is less than what one answer adds by
    itself: the same answer would mostly be given later. Left as they are, arms too poor to be
    planned would win. So they get the share of their own rise that the least of the planned arms
    keeps, and no more than it is worth: nothing is known that speaks for them.

    Args:
        rise: [B] what one answer adds, of the others; each at most the least of `rise_first`.
        planned, rise_first: [A] what the plans add, and what one answer does.
    """
    share = (planned / np.maximum(rise_first, 1e-12)).min()
    return np.asarray(np.minimum(rise * max(share, 0.0), planned.min()))


def _one_answer(
    situation: Situation,
    concepts: IntArray,
    gain: FloatArray,
    goal_weight: FloatArray,
    days: float,
) -> tuple[ConceptModel, ConceptStates]:
    """Return the arms' concepts with one answer to come, none of them locked."""
    size = len(concepts)
    model = ConceptModel(
        memory=concept_memory(situation, concepts),
        gain=gain,
        weights=goal_weight[concepts],
        credit=np.zeros(size),
        # Of one answer nothing is opened.
        requires=np.broadcast_to(np.False_, (size, size)),
        reached=np.zeros(size, dtype=np.bool_),
        evidence=situation.rules.prerequisite_evidence,
        threshold=situation.rules.prerequisite_threshold,
        days=np.zeros(1),
        items=np.ones(1),
        horizon_days=days,
    )
    return model, _begin(model, situation, concepts)


def _begin(model: ConceptModel, situation: Situation, concepts: IntArray) -> ConceptStates:
    return model.begin(since=(situation.concept_last_at[concepts] - situation.at) / DAY_S)


def _planned(
    situation: Situation,
    standing: Standing,
    concepts: IntArray,
    gain: FloatArray,
) -> FloatArray:
    """Return [A] what the best plan that begins with each arm knows on the day, more than without.

    Concepts that are locked now are looked at too: a prerequisite is worth what it opens in time.
    """
    bank, answers = situation.bank, answers_ahead(situation)
    others = np.flatnonzero(standing.wanted & (standing.mode != CLOSED))
    others = others[~np.isin(others, concepts)][: MOST_CONCEPTS - len(concepts)]
    chosen = np.concatenate([concepts, others])
    blocks = min(MOST_BLOCKS, answers - 1)
    days = days_ahead(situation)
    outside = ~np.isin(np.arange(bank.n_concepts), chosen)
    # What needs something that is neither reached nor looked at cannot be opened.
    barred = (bank.requires[chosen] & (outside & ~standing.reached)[None, :]).any(axis=1)
    is_first = np.arange(len(chosen)) < len(concepts)
    model = ConceptModel(
        memory=concept_memory(situation, chosen),
        gain=np.concatenate([gain, _mean_gains(situation, others)]),
        weights=np.where(situation.goal[chosen], 1.0, 0.0),
        credit=_what_it_opens(situation, standing, chosen),
        requires=bank.requires[np.ix_(chosen, chosen)]
        | (np.eye(len(chosen)) > 0) & barred[:, None],
        reached=standing.reached[chosen],
        evidence=situation.rules.prerequisite_evidence,
        threshold=situation.rules.prerequisite_threshold,
        days=np.concatenate([[0.0], days * (np.arange(blocks) + 0.5) / blocks]),
        items=np.concatenate([[1.0], np.full(blocks, (answers - 1) / blocks)]),
        horizon_days=days,
        first=is_first,
    )
    states = _begin(model, situation, chosen)
    steps = blocks + 1
    values, waiting = plan(model, states, steps=steps, second_steps=SECOND_STEPS)
    return np.asarray(values[0, : len(concepts)] - waiting[0])


def _what_it_opens(situation: Situation, standing: Standing, concepts: IntArray) -> FloatArray:
    """Return how many unreached goals need each concept, counted up to `MOST_CREDIT`."""
    waiting = (situation.goal & ~standing.reached).astype(np.float32)
    needed_by = situation.bank.unlocks_weight[concepts] @ waiting
    return np.asarray(np.minimum(needed_by, MOST_CREDIT), dtype=np.float64)


def _mean_gains(situation: Situation, concepts: IntArray) -> FloatArray:
    """Return what an answer on each concept teaches, on average over all its items, in logits."""
    bank = situation.bank
    of_pair = situation.expected_gain[bank.pair_item]
    total = np.bincount(bank.pair_concept, weights=of_pair, minlength=bank.n_concepts)
    count = np.bincount(bank.pair_concept, minlength=bank.n_concepts)
    return np.asarray((total / np.maximum(count, 1))[concepts], dtype=np.float64)
