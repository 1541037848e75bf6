"""S-X2 (Orlando & Thissen, 2000), for learners who answered different items.

Learners are compared with the model by their number of right answers, which is observed, rather
than by an estimate of ability, which already follows the model. For a learner with s of k answers
right the chance that item j was among the right ones is

    P(j right | s) = sum_q P_j(q) f_{-j}(s - 1, q) w(q) / sum_q f(s, q) w(q),

with f the distribution of the number of right answers over the learner's own items (Lord &
Wingersky, 1984) and f_{-j} that over the others. Learners with similar chances are put in one
group; where all answered the same items the groups are the scores, and the statistic is the
published one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from curriculum.irt.curves import probability
from curriculum.irt.models import Fit, ItemModel
from curriculum.irt.population import ability_points
from curriculum.irt.responses import Responses

# Work grows with the square of a learner's answers, and power is ample before.
MOST_ANSWERS = 40
MOST_LEARNERS = 10_000
LEAST_EXPECTED = 1.0
MOST_GROUPS = 20
_MEMORY = 64 * 2**20


@dataclass(frozen=True, slots=True)
class SX2:
    """[I] each; nan and 0 where an item has too few groups to be judged.

    Attributes:
        statistic: sum over groups of (observed - expected)² / variance.
        degrees: groups minus the item's own parameters.
        p: chance of such a statistic if the item has its curve.
        n: answers that entered it.
    """

    statistic: NDArray[np.float64]
    degrees: NDArray[np.int64]
    p: NDArray[np.float64]
    n: NDArray[np.int64]


def s_x2(responses: Responses, fit: Fit, *, model: ItemModel, rng: np.random.Generator) -> SX2:
    """Return the statistic of every item.

    Args:
        responses: what was fitted.
        fit: its outcome.
        model: as fitted; says how many parameters an item took from the answers.
        rng: draws the learners, and of long learners the answers, where there are very many.
    """
    rows = _chosen_rows(responses, rng)
    expected = conditional_chances(responses, rows, fit)
    own = 1 if model is ItemModel.ONE else 2
    count = len(responses.items)
    statistic, p = np.full(count, np.nan), np.full(count, np.nan)
    degrees, n = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    told = ~np.isnan(expected)
    rows, expected = rows[told], expected[told]
    item, correct = responses.item[rows], responses.correct[rows]
    order = np.lexsort((expected, item))
    bounds = np.searchsorted(item[order], np.arange(count + 1))
    for k in range(count):
        mine = order[bounds[k] : bounds[k + 1]]
        n[k] = len(mine)
        groups = _groups(expected[mine])
        degrees[k] = max(int(groups[-1]) + 1 - own, 0) if len(groups) else 0
        if not degrees[k]:
            continue
        observed = np.bincount(groups, correct[mine])
        chance = np.bincount(groups, expected[mine])
        variance = np.bincount(groups, expected[mine] * (1.0 - expected[mine]))
        statistic[k] = float(((observed - chance) ** 2 / variance).sum())
        p[k] = float(chi2.sf(statistic[k], degrees[k]))
    return SX2(statistic=statistic, degrees=degrees, p=p, n=n)


def _chosen_rows(responses: Responses, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return rows of at most so many learners and so many answers of each, learner by learner."""
    count = len(responses.learners)
    rows = np.arange(len(responses))
    if count > MOST_LEARNERS:
        taken = np.zeros(count, dtype=bool)
        taken[rng.choice(count, MOST_LEARNERS, replace=False)] = True
        rows = rows[taken[responses.learner]]
    shuffled = rows[np.lexsort((rng.random(len(rows)), responses.learner[rows]))]
    who = responses.learner[shuffled]
    first = np.searchsorted(who, who)
    return np.sort(shuffled[np.arange(len(who)) - first < MOST_ANSWERS])


def conditional_chances(
    responses: Responses, rows: NDArray[np.int64], fit: Fit
) -> NDArray[np.float64]:
    """Return [rows] the chance that each answer is right, given the learner's number of right ones.

    nan where all or none of the learner's answers are right, which leaves no doubt.

    Args:
        responses: first attempts.
        rows: the answers to look at, learner after learner; all others are as if not given.
        fit: the model.
    """
    points = ability_points()
    chance = probability(
        points,
        difficulty=fit.bank.difficulty[:, None],
        discrimination=fit.bank.discrimination[:, None],
        guessing=fit.bank.guessing[:, None],
    )
    # An empty place of a shorter learner: never right, so it changes no score.
    chance = np.concatenate([chance, np.zeros((1, len(points)))])
    weight = np.exp(fit.population.log_weights(points))
    who, start, length = np.unique(responses.learner[rows], return_index=True, return_counts=True)
    found = np.full(len(rows), np.nan)
    by_length = np.argsort(length, kind="stable")
    first = 0
    while first < len(who):
        # The batch's longest learner decides how much a place takes; they come by length.
        batch = by_length[first : first + _batch_size(length, by_length, first, len(points))]
        first += len(batch)
        longest = int(length[batch[-1]])
        place = start[batch, None] + np.arange(longest)
        there = np.arange(longest) < length[batch, None]
        place = np.where(there, place, 0)
        items = np.where(there, responses.item[rows[place]], len(chance) - 1)
        score = np.where(there, responses.correct[rows[place]], 0.0).sum(axis=1).astype(np.int64)
        given = _given_score(chance[items], score, weight)
        doubt = there & ((score > 0) & (score < length[batch]))[:, None]
        found[place[doubt]] = given[doubt]
    return found


def _batch_size(
    length: NDArray[np.int64], by_length: NDArray[np.int64], first: int, points: int
) -> int:
    size = 1
    while first + size < len(by_length):
        longest = int(length[by_length[min(first + 2 * size, len(by_length)) - 1]])
        if 2 * size * (longest + 1) ** 2 * points * 8 > _MEMORY:
            break
        size *= 2
    return size


def _given_score(
    chance: NDArray[np.float64], score: NDArray[np.int64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return [B, K] chances given [B] scores, from [B, K, Q] chances and [Q] weights."""
    learners, items, points = chance.shape
    # before[j]: scores over the items before j; after[j]: over those from j on.
    before = np.zeros((items + 1, learners, items + 1, points))
    after = np.zeros((items + 1, learners, items + 1, points))
    before[0, :, 0] = after[items, :, 0] = 1.0
    for j in range(items):
        before[j + 1] = _with(before[j], chance[:, j])
        after[items - 1 - j] = _with(after[items - j], chance[:, items - 1 - j])
    each = np.arange(learners)
    whole = before[items][each, score] @ weight
    result = np.empty((learners, items))
    for j in range(items):
        others = np.zeros((learners, points))
        for low in range(j + 1):
            high = score - 1 - low
            fits = high >= 0
            part = after[j + 1][each, np.maximum(high, 0)]
            others += np.where(fits[:, None], before[j][:, low] * part, 0.0)
        result[:, j] = (chance[:, j] * others) @ weight
    return result / whole[:, None]


def _with(scores: NDArray[np.float64], chance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distribution of scores [B, K + 1, Q] after one more item [B, Q]."""
    longer = scores * (1.0 - chance[:, None])
    longer[:, 1:] += scores[:, :-1] * chance[:, None]
    return longer


def _groups(expected: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the group of each answer, by rising chance: equal chances together, none too small.

    A group is closed when right and wrong answers are both expected in it, and it holds its share.
    """
    if not len(expected):
        return np.empty(0, dtype=np.int64)
    least = len(expected) / MOST_GROUPS
    group, current, right, wrong, size = np.empty(len(expected), dtype=np.int64), 0, 0.0, 0.0, 0
    for k, chance in enumerate(expected):
        full = right >= LEAST_EXPECTED and wrong >= LEAST_EXPECTED and size >= least
        if full and chance > expected[k - 1] + 1e-9:
            current, right, wrong, size = current + 1, 0.0, 0.0, 0
        group[k], size = current, size + 1
        right, wrong = right + chance, wrong + 1.0 - chance
    if current and (right < LEAST_EXPECTED or wrong < LEAST_EXPECTED or size < least):
        group[group == current] = current - 1
    return group
