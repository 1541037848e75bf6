"""What a learnt policy sees of an arm: some twenty numbers, each about 0 to 1."""

import math

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
    situation, standing, arms = choices.situation, choices.standing, choices.arms
    concept, mode = arms.concept, arms.mode
    success = np.bincount(choices.arm, weights=choices.within * situation.prob[choices.item])
    doubt = np.bincount(choices.arm, weights=choices.within * situation.logit_var[choices.item])
    mastery, days = situation.concept_prob[concept], standing.days_since[concept]
    columns = {
        **weigh(arms, rules=situation.rules),
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
        "unseen": 1.0 - np.exp2(-np.maximum(days, 0.0) / situation.rules.review_after_days),
        "backfill": standing.backfill[concept],
        "minutes": arms.minutes / (arms.minutes + situation.rules.minutes_per_item),
        "progress": _progress(choices),
        "due_soon": mastery * _due_soon(situation),
    }
    return np.stack([np.asarray(columns[name], dtype=np.float64) for name in FEATURES], axis=1)


def _progress(choices: Choices) -> FloatArray:
    """Return [A] the rise of success over the recent answers on each concept, -1..1.

    The mean of the later half less that of the earlier, with one answer of even credit added to
    each; 0 for fewer than two answers.
    """
    place = {concept: arm for arm, concept in enumerate(choices.arms.concept.tolist())}
    credit: list[list[float]] = [[] for _ in place]
    situation = choices.situation
    carried = situation.bank.carried
    answers = zip(
        choices.standing.recent_rows.tolist(), situation.recent.correct.tolist(), strict=True
    )
    for row, value in answers:
        for concept in carried[row] if row >= 0 else ():
            if concept in place:
                credit[place[concept]].append(value)
    return np.array([_rise(values[-PROGRESS_WINDOW:]) for values in credit])


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
