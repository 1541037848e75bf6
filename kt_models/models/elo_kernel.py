"""The compiled loop of Elo ratings, one answer after the other."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kt_models.training.compiling import compiled

SECONDS_PER_DAY = 86_400.0


class Answers(NamedTuple):
    """A log as compiled code reads it; `offset` [R] is the item's easiness."""

    concept_set: NDArray[np.int64]
    concept_sets: NDArray[np.int64]
    correct: NDArray[np.float64]
    shown_at: NDArray[np.float64]
    answered_at: NDArray[np.float64]
    offset: NDArray[np.float64]


class Scalars(NamedTuple):
    """What is fitted, in the order of `kt_models.models.elo.SCALARS`."""

    ability_step: float
    ability_decay: float
    concept_step: float
    concept_decay: float
    concept_share: float
    fading_days: float
    fading_power: float
    right_weight: float


class Ratings(NamedTuple):
    """The states, see `kt_models.models.elo.Elo`."""

    ability: NDArray[np.float64]
    answers: NDArray[np.float64]
    deviation: NDArray[np.float64]
    practised: NDArray[np.float64]
    practised_at: NDArray[np.float64]


@compiled
def rate_answers(
    starts: Any, answers: Any, scalars: Any, ratings: Any, prob: Any, learning: Any, shared: Any
) -> None:
    """Fill prob [R] and, if learning, move the ratings.

    Args:
        starts: [L + 1] bounds of the learners' answers.
        answers: `Answers`.
        scalars: `Scalars`.
        ratings: `Ratings` of L learners, or of one that all share.
        prob: [R] P(right) of each answer from those before it.
        learning: whether the answers are known.
        shared: whether the ratings are one learner's, made blank for each.
    """
    for learner in range(len(starts) - 1):
        row = 0 if shared else learner
        if shared:
            for table in (ratings.deviation, ratings.practised, ratings.practised_at):
                table[0] = 0.0
            ratings.ability[0] = ratings.answers[0] = 0.0
        for r in range(starts[learner], starts[learner + 1]):
            logit = _logit(row, r, answers.shown_at[r], answers, scalars, ratings)
            prob[r] = 1.0 / (1.0 + np.exp(-logit))
            if learning:
                _take_in(row, r, answers, scalars, ratings)


@compiled
def _logit(row: int, r: int, at: float, answers: Any, scalars: Any, ratings: Any) -> float:
    total, many = 0.0, 0
    for k in answers.concept_sets[answers.concept_set[r]]:
        if k >= 0:
            many += 1
            total += ratings.deviation[row, k] * _kept(at - ratings.practised_at[row, k], scalars)
    share = max(many, 1) ** -scalars.concept_share
    return float(ratings.ability[row] + share * total + answers.offset[r])


@compiled
def _kept(seconds: float, scalars: Any) -> float:
    """Return the share of a deviation that is left."""
    if scalars.fading_power == 0.0:
        return 1.0
    days = max(seconds, 0.0) / SECONDS_PER_DAY
    return float((1.0 + days / scalars.fading_days) ** -scalars.fading_power)


@compiled
def _take_in(row: int, r: int, answers: Any, scalars: Any, ratings: Any) -> None:
    """Move the ratings by the error that was made at the moment of the answer."""
    at = answers.answered_at[r]
    logit = _logit(row, r, at, answers, scalars, ratings)
    error = answers.correct[r] - 1.0 / (1.0 + np.exp(-logit))
    if error > 0.0:
        error *= scalars.right_weight
    step = scalars.ability_step / (1.0 + scalars.ability_decay * ratings.answers[row])
    ratings.ability[row] += step * error
    ratings.answers[row] += 1.0
    concepts = answers.concept_sets[answers.concept_set[r]]
    share = max((concepts >= 0).sum(), 1) ** -scalars.concept_share
    for k in concepts:
        if k >= 0:
            step = scalars.concept_step / (1.0 + scalars.concept_decay * ratings.practised[row, k])
            kept = _kept(at - ratings.practised_at[row, k], scalars)
            ratings.deviation[row, k] = ratings.deviation[row, k] * kept + share * step * error
            ratings.practised[row, k] += 1.0
            ratings.practised_at[row, k] = at
