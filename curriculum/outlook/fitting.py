"""The hazard fitted on looks of many learners by scikit-learn's ridge logistic regression."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from curriculum.errors import CurriculumError
from curriculum.outlook.hazard import EDGES, Hazard
from curriculum.outlook.looks import Looks

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

# Inverse of the ridge's weight, in the unit of one look and period.
STRENGTH = 1.0
LEAST_EVENTS = 50
LEAST_LEARNERS = 20


class TooFewLooks(CurriculumError):
    """Too few learners, or too few goals reached, to fit a hazard on."""


@dataclass(frozen=True, slots=True, eq=False)
class PersonPeriods:
    """One row per look and period that it went through; r rows.

    Attributes:
        look: [r].
        period: [r].
        reached: [r] whether the goal was reached in it.
    """

    look: IntArray
    period: IntArray
    reached: BoolArray


def person_periods(days: FloatArray, reached: BoolArray) -> PersonPeriods:
    """Return the periods that each look went through to their end, and that of the event.

    A period in which a learner is lost from sight tells nothing and is left out.
    """
    last = np.searchsorted(EDGES, days, side="left")
    # Lost exactly at an edge: that period was seen to its end.
    whole = np.searchsorted(EDGES, days, side="right")
    count = np.where(reached & (last < len(EDGES)), last + 1, np.minimum(whole, len(EDGES)))
    look = np.repeat(np.arange(len(days)), count)
    period = np.arange(len(look)) - np.repeat(np.cumsum(count) - count, count)
    return PersonPeriods(look, period, reached[look] & (period == last[look]))


def fit_hazard(looks: Looks, *, strength: float = STRENGTH) -> Hazard:
    """Return the hazard with the covariance of its coefficients over learners.

    The covariance is the sandwich with scores summed by learner: looks of one learner are alike.

    Args:
        looks: of goals not reached at the look.
        strength: inverse of the ridge's weight.

    Raises:
        TooFewLooks: fewer than 20 learners or 50 goals reached.
    """
    learners, events = len(np.unique(looks.learner)), int(looks.reached.sum())
    if learners < LEAST_LEARNERS or events < LEAST_EVENTS:
        told = f"{learners} learners and {events} goals reached"
        raise TooFewLooks(f"{told}: {LEAST_LEARNERS} and {LEAST_EVENTS} are needed.")
    centre, spread = looks.features.mean(axis=0), looks.features.std(axis=0)
    scale = np.where(spread > 1e-9, spread, 1.0)
    rows = person_periods(looks.days, looks.reached)
    periods = np.eye(len(EDGES))[rows.period]
    inputs = np.hstack([periods, ((looks.features - centre) / scale)[rows.look]])
    model = LogisticRegression(C=strength, fit_intercept=True, max_iter=2_000, tol=1e-6)
    model.fit(inputs, rows.reached)
    weights = model.coef_[0]
    size = len(EDGES)
    # The common intercept is what the ridge leaves alone; periods differ from it.
    intercepts = weights[:size] + model.intercept_[0]
    coefficients = np.concatenate([intercepts, weights[size:]])
    return Hazard(
        intercepts=intercepts,
        weights=weights[size:],
        centre=centre,
        scale=scale,
        covariance=_sandwich(inputs, rows, coefficients, looks.learner, strength),
    )


def _sandwich(
    inputs: FloatArray,
    rows: PersonPeriods,
    coefficients: FloatArray,
    learner: IntArray,
    strength: float,
) -> FloatArray:
    prob = 0.5 * (1.0 + np.tanh(0.5 * (inputs @ coefficients)))
    curvature = (inputs * (prob * (1.0 - prob))[:, None]).T @ inputs
    curvature[np.diag_indices_from(curvature)] += 1.0 / strength
    _, owner = np.unique(learner[rows.look], return_inverse=True)
    scores = np.zeros((owner.max() + 1, inputs.shape[1]))
    np.add.at(scores, owner, inputs * (rows.reached - prob)[:, None])
    bread = np.linalg.inv(curvature)
    few = len(scores) / max(len(scores) - 1, 1)
    return np.asarray(bread @ (few * scores.T @ scores) @ bread)
