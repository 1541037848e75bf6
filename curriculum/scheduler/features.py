"""What a learnt policy sees of an arm: some twenty numbers, each about 0 to 1."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curriculum.scheduler.arms import Choices, target_probs
from curriculum.scheduler.policy import weigh
from curriculum.scheduler.rules import DAY_S
from curriculum.scheduler.situation import Situation
from curriculum.scheduler.standing import LEARN, PRACTISE, PROBE, REVIEW

FloatArray = NDArray[np.float64]

# Terms of the score with weights set by hand come first: their sum is the prior's score.
TERMS = ("gain", "retention", "recency", "order", "step_back")
OTHERS = (
    "is_learn",
    "is_practise",
    "is_review",
    "is_probe",
    "success",
    "off_target",
    "mastery",
    "near_mastery",
    "evidence",
    "unsure",
    "unseen",
    "backfill",
    "minutes",
    "progress",
    "due_soon",
)
FEATURES = (*TERMS, *OTHERS)
PRIOR = (*(1.0 for _ in TERMS), *(0.0 for _ in OTHERS))
PROGRESS_WINDOW = 8


def describe_arms(choices: Choices) -> FloatArray:
    """Return [A, F] the features of each arm, in the order of `FEATURES`."""
    weigh_items = choices.within
    size = len(choices.arms.concept)
    situation = choices.situation
    success = np.bincount(choices.arm, weigh_items * situation.prob[choices.item], size)
    doubt = np.bincount(choices.arm, weigh_items * situation.logit_var[choices.item], size)
    return _describe(choices, np.arange(size), success.astype(float), doubt.astype(float))


def describe_arm(choices: Choices, arm: int) -> FloatArray:
    """Return [F] the features of one arm: that row of `describe_arms`, without the others."""
    situation, (first, last) = choices.situation, choices.arm.searchsorted([arm, arm + 1])
    # A copy, so that the sum below does not depend on where in memory the arm begins.
    item, within = choices.item[first:last], choices.within[first:last].copy()
    success = np.array([within @ situation.prob[item]])
    doubt = np.array([within @ situation.logit_var[item]])
    return np.asarray(_describe(choices, np.array([arm]), success, doubt)[0])


def _describe(
    choices: Choices, rows: NDArray[np.int64], success: FloatArray, doubt: FloatArray
) -> FloatArray:
    """Return the features of some arms; `success` and `doubt` are means over their items."""
    situation, standing, arms = choices.situation, choices.standing, choices.arms
    rules, concept, mode = situation.rules, arms.concept[rows], arms.mode[rows]
    mastery, days = situation.concept_prob[concept], standing.days_since[concept]
    columns: dict[str, NDArray[Any] | float] = {
        **{name: values[rows] for name, values in weigh(arms, rules=rules).items()},
        "is_learn": mode == LEARN,
        "is_practise": mode == PRACTISE,
        "is_review": mode == REVIEW,
        "is_probe": mode == PROBE,
        "success": success,
        "off_target": np.abs(success - target_probs(situation)[mode]),
        "mastery": mastery,
        "near_mastery": 4.0 * mastery * (1.0 - mastery),
        "evidence": 1.0 / (1.0 + situation.evidence_n[concept]),
        "unsure": np.minimum(np.sqrt(doubt), 2.0) / 2.0,
        "unseen": 1.0 - np.exp2(-np.maximum(days, 0.0) / rules.review_after_days),
        "backfill": standing.backfill[concept],
        "minutes": arms.minutes[rows] / (arms.minutes[rows] + rules.minutes_per_item),
        "progress": _progress(choices, concept),
        "due_soon": mastery * _due_soon(situation),
    }
    found = np.empty((len(rows), len(FEATURES)))
    for place, name in enumerate(FEATURES):
        found[:, place] = columns[name]
    return found


def _progress(choices: Choices, concepts: NDArray[np.int64]) -> FloatArray:
    """Return the rise of success over the recent answers on each concept, -1..1.

    The mean of the later half less that of the earlier, with one answer of even credit added to
    each; 0 for fewer than two answers.
    """
    situation = choices.situation
    # A place more, for padding.
    place = np.full(situation.bank.n_concepts + 1, -1)
    place[concepts] = np.arange(len(concepts))
    known = choices.standing.recent_rows >= 0
    arms = place[situation.bank.concepts[choices.standing.recent_rows[known]]]
    answers, columns = np.nonzero(arms >= 0)
    credit: dict[int, list[float]] = {}
    values = situation.recent.correct[known][answers].tolist()
    for arm, value in zip(arms[answers, columns].tolist(), values, strict=True):
        credit.setdefault(arm, []).append(value)
    found = np.zeros(len(concepts))
    for arm, latest in credit.items():
        found[arm] = _rise(latest[-PROGRESS_WINDOW:])
    return found


def _rise(credit: list[float]) -> float:
    half = len(credit) // 2
    if half == 0:
        return 0.0
    earlier, later = credit[:half], credit[half:]
    return (sum(later) + 0.5) / (len(later) + 1) - (sum(earlier) + 0.5) / (len(earlier) + 1)


def _due_soon(situation: Situation) -> float:
    """Return 1 on the day the goal is due, halving for every week before; 0 without a date."""
    if situation.deadline is None:
        return 0.0
    days = max(situation.deadline - situation.at, 0.0) / DAY_S
    return math.exp2(-days / 7.0)
