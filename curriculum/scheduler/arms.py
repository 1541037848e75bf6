"""Arms: a concept in a mode. What speaks for each, and how its items share it."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curriculum.scheduler.concept_model import LOGIT_SHRINK
from curriculum.scheduler.eligibility import Eligibility
from curriculum.scheduler.horizon import look_ahead
from curriculum.scheduler.rules import Rules
from curriculum.scheduler.situation import Situation
from curriculum.scheduler.standing import LEARN, REVIEW, Standing
from curriculum.scheduler.tracer_memory import logit

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

# A repeat penalty of .001^20 is as good as 0; beside the farthest target more would underflow.
MOST_COUNTED_REPEATS = 20
NODES, _hermite = np.polynomial.hermite_e.hermegauss(5)
NODE_WEIGHTS = _hermite / _hermite.sum()


@dataclass(frozen=True, slots=True, eq=False)
class ArmTable:
    """The open arms, A of them, in teaching order: what a policy sees.

    Attributes:
        concept: [A] concept index.
        mode: [A] code into MODES.
        gain: [A] what one item is expected to add to the goal-weighted success on the day that
            counts (`horizon.look_ahead`), in probability, less `gain_sd` standard deviations.
        minutes: [A] expected minutes that one item takes, > 0.
        retention: [A] 0..1, how much a review would save; 0 in other modes.
        recency: [A] 0..1, 1 right after the concept was practised; 0 while it is being
            learnt, where staying with it is wanted.
        order: [A] 1 for the first in teaching order down to 0 for the last.
        step_back: [A] 1 where opened after repeated failure, else 0.
    """

    concept: IntArray
    mode: NDArray[np.int8]
    gain: FloatArray
    minutes: FloatArray
    retention: FloatArray
    recency: FloatArray
    order: FloatArray
    step_back: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Choices:
    """All eligible (arm, item) pairs, Q of them, and all that is known when one is chosen.

    Attributes:
        situation, standing: the learner.
        arms: the arms.
        arm: [Q] row in `arms`.
        item: [Q] item row.
        within: [Q] chance of the item given the arm; sums to 1 over each arm.
        uniform: [Q] chance under a uniform draw of an item, then of one of its arms.
    """

    situation: Situation
    standing: Standing
    arms: ArmTable
    arm: IntArray
    item: IntArray
    within: FloatArray
    uniform: FloatArray


def list_choices(situation: Situation, standing: Standing, found: Eligibility) -> Choices:
    """Return the arms that have an eligible item, and how the items share them."""
    pairs = _find_pairs(situation, standing, found)
    item, concepts, counts, starts, mode = pairs
    within = _item_weights(situation, standing, item, mode, counts)
    within *= (1.0 / np.add.reduceat(within, starts)).repeat(counts)
    spread = _Spread(starts, item, within)
    gain = _gains(situation, standing, concepts, spread)
    arms = ArmTable(
        concept=concepts,
        mode=mode,
        gain=gain,
        minutes=np.full(len(concepts), situation.rules.minutes_per_item)
        if situation.item_minutes is None
        else spread.mean(situation.item_minutes),
        retention=np.where(mode == REVIEW, _retention(situation, standing, concepts), 0.0),
        recency=np.where(mode == LEARN, 0.0, _recency(situation, concepts)),
        order=_order(len(concepts)),
        step_back=standing.step_back[concepts].astype(np.float64),
    )
    return _choices(situation, standing, arms, pairs, within)


def list_in_order(situation: Situation, standing: Standing, found: Eligibility) -> Choices:
    """Return the same arms and items by teaching order alone, for where no policy is asked.

    Nothing is estimated: gain, retention and recency are 0, minutes those of the rules, and an
    arm's items have equal chances. So whatever failed in an estimate does not fail here.
    """
    pairs = _find_pairs(situation, standing, found)
    size, nothing = len(pairs.concepts), np.zeros(len(pairs.concepts))
    arms = ArmTable(
        concept=pairs.concepts,
        mode=pairs.mode,
        gain=nothing,
        minutes=np.full(size, situation.rules.minutes_per_item),
        retention=nothing,
        recency=nothing,
        order=_order(size),
        step_back=standing.step_back[pairs.concepts].astype(np.float64),
    )
    return _choices(situation, standing, arms, pairs, (1.0 / pairs.counts).repeat(pairs.counts))


class _Pairs(NamedTuple):
    """The open (item, concept) pairs, Q of them; those of each of the A arms lie together.

    `item` is [Q]; `concepts`, `counts` (pairs), `starts` (first pair) and `mode` are [A].
    """

    item: IntArray
    concepts: IntArray
    counts: IntArray
    starts: IntArray
    mode: NDArray[np.int8]


def _find_pairs(situation: Situation, standing: Standing, found: Eligibility) -> _Pairs:
    bank = situation.bank
    rows = np.flatnonzero(found.eligible.take(bank.pair_item))
    concept = bank.pair_concept.take(rows)
    is_open = found.open_concepts.take(concept)
    if not is_open.all():
        rows, concept = rows[is_open], concept[is_open]
    item = bank.pair_item.take(rows)
    counts = np.bincount(concept, minlength=bank.n_concepts)
    concepts = np.flatnonzero(counts)
    counts = counts[concepts]
    return _Pairs(item, concepts, counts, counts.cumsum() - counts, standing.mode[concepts])


def _choices(
    situation: Situation, standing: Standing, arms: ArmTable, pairs: _Pairs, within: FloatArray
) -> Choices:
    item, arm = pairs.item, np.arange(len(pairs.concepts)).repeat(pairs.counts)
    arms_per_item = np.bincount(item)
    uniform = (1.0 / np.count_nonzero(arms_per_item)) / arms_per_item.take(item)
    return Choices(situation, standing, arms, arm=arm, item=item, within=within, uniform=uniform)


def _order(size: int) -> FloatArray:
    return np.asarray(1.0 - np.arange(size) / max(size - 1, 1))


def target_probs(situation: Situation) -> FloatArray:
    """Return the target success probability by mode code, moved into the success band."""
    rules = situation.rules
    chosen = rules.targets
    targets = np.array([chosen.learn, chosen.practise, chosen.review, chosen.probe])
    credits_given = situation.recent.correct[-rules.recent_answers :]
    if len(credits_given) * 2 < rules.recent_answers:
        return targets
    rate = float(credits_given.sum()) / len(credits_given)
    if rate < rules.band_low:
        return targets + rules.band_shift
    if rate > rules.band_high:
        return targets - rules.band_shift
    return targets


def _item_weights(
    situation: Situation,
    standing: Standing,
    item: IntArray,
    mode: NDArray[np.int8],
    counts: IntArray,
) -> FloatArray:
    rules = situation.rules
    weight = situation.prob.take(item)
    weight -= target_probs(situation).take(mode).repeat(counts)
    # In place: a large bank's arrays do not fit the cache twice.
    weight *= weight
    weight *= -0.5 / rules.target_sd**2
    np.exp(weight, out=weight)
    if len(standing.recent_rows):
        met = np.flatnonzero((standing.exposures > 0).take(item))
        times = standing.exposures.take(item.take(met))
        factors = rules.repeat_factor ** np.arange(MOST_COUNTED_REPEATS + 1)
        weight[met] *= factors[np.minimum(times, MOST_COUNTED_REPEATS)]
    if situation.exposure is not None:
        weight *= situation.exposure.weight.take(item)
    return np.asarray(weight)


def _gains(
    situation: Situation, standing: Standing, concepts: IntArray, spread: "_Spread"
) -> FloatArray:
    """Return [A] what an item of each arm adds on the day, less its uncertainty."""
    outlook = look_ahead(
        situation,
        standing,
        concepts=concepts,
        gain=spread.mean(situation.expected_gain),
        goal_weight=_goal_weights(situation, standing),
    )
    doubt = relative_doubt(outlook.prob, var=spread.mean(situation.logit_var))
    doubt *= np.abs(outlook.rise)
    return np.asarray(outlook.rise - situation.rules.weights.gain_sd * doubt)


def relative_doubt(prob: FloatArray, *, var: FloatArray) -> FloatArray:
    """Return [A] the standard deviation of what practice adds to success, in means of it.

    A given rise of the logit x adds to success in proportion to the slope s(x)(1 - s(x)), x from
    N(m, v): its sd and mean by Gauss-Hermite quadrature with 5 nodes. (The delta method has 0 at
    even odds, where a wide posterior leaves most open.)

    Args:
        prob: [A] expected success, 0..1: s(m / sqrt(1 + pi v / 8)) (MacKay 1992).
        var: [A] v, logits squared.
    """
    mean = logit(prob) * np.sqrt(1.0 + LOGIT_SHRINK * var)
    half = 0.5 * (mean + NODES[:, None] * np.sqrt(var))
    # 4 s (1 - s) = 1 - tanh^2; the 4 cancels.
    slope = 1.0 - np.tanh(half) ** 2
    first, second = NODE_WEIGHTS @ slope, NODE_WEIGHTS @ slope**2
    return np.asarray(np.sqrt(np.maximum(second - first**2, 0.0)) / first)


class _Spread(NamedTuple):
    """How the items of the arms share them: [A] where each arm's pairs start, and [Q] these."""

    starts: IntArray
    item: IntArray
    within: FloatArray

    def mean(self, values: FloatArray) -> FloatArray:
        """Return [A] the mean of item values [N] over each arm."""
        return np.asarray(np.add.reduceat(self.within * values.take(self.item), self.starts))


def _goal_weights(situation: Situation, standing: Standing) -> FloatArray:
    """Return [K] 1, and more for an unreached concept the more unreached goals need it."""
    waiting = standing.wanted & ~standing.reached
    needed_by = situation.bank.unlocks_weight @ waiting.astype(np.float32)
    share = np.where(standing.reached, 0.0, needed_by / max(int(waiting.sum()), 1))
    return 1.0 + situation.rules.weights.unlock * share


def _retention(situation: Situation, standing: Standing, concepts: IntArray) -> FloatArray:
    """Return 0..1: what a review would save.

    Of a skill, half for what is forgotten below mastery and half for how long it is unseen; of a
    fact, half when it falls due by its recall, and all when twice as much is forgotten.
    """
    rules: Rules = situation.rules
    forgotten = 1.0 - situation.concept_lower_prob[concepts] / rules.mastery_threshold
    unseen = np.maximum(standing.days_since[concepts], 0.0) / rules.review_after_days
    skill = 0.5 * (np.maximum(forgotten, 0.0) + np.minimum(unseen, 1.0))
    recall = standing.recall[concepts]
    fact = np.minimum(0.5 * (1.0 - recall) / (1.0 - rules.recall_due), 1.0)
    return np.where(np.isnan(recall), skill, fact)


def _recency(situation: Situation, concepts: IntArray) -> FloatArray:
    seconds = np.maximum(situation.at - situation.concept_last_at[concepts], 0.0)
    return np.exp2(-seconds / situation.rules.weights.recency_s)
