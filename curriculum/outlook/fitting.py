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
    """One row per look and period that it went into; r rows.

    Attributes:
        look: [r].
        period: [r].
        reached: [r] whether the goal was reached in it.
        weight: [r] share of the period that was seen, above 0 to 1; 1 where the goal was reached.
    """

    look: IntArray
    period: IntArray
    reached: BoolArray
    weight: FloatArray


def person_periods(days: FloatArray, reached: BoolArray) -> PersonPeriods:
    """Return the periods that each look went into, up to that of the event or the loss.

    Who is lost within a period has gone through a part of it without reaching the goal, and counts
    for that part: left out, the events of the period would stand against too few. By the hazard's
    own reading of a part of a period, going on through a share w of it has the chance (1 - p)^w,
    which is what a weight of w gives.
    """
    last = np.searchsorted(EDGES, days, side="left")
    count = np.minimum(last + 1, len(EDGES))
    look = np.repeat(np.arange(len(days)), count)
    period = np.arange(len(look)) - np.repeat(np.cumsum(count) - count, count)
    event = reached[look] & (period == last[look])
    starts = np.append(0.0, EDGES[:-1])
    seen = np.clip((days[look] - starts[period]) / (EDGES - starts)[period], 0.0, 1.0)
    weight = np.where(event, 1.0, seen)
    kept = weight > 0.0
    return PersonPeriods(look[kept], period[kept], event[kept], weight[kept])


def fit_hazard(looks: Looks, *, strength: float = STRENGTH) -> Hazard:
    """Return the hazard with the covariance of its coefficients over learners.

    The covariance is the sandwich with scores summed by learner: looks of one learner are alike.

    Args:
        looks: of goals not reached at the look.
        strength: inverse of the ridge's weight.

    Raises:
        TooFewLooks: fewer than 20 learners or 50 goals reached, or none within the periods.
    """
    learners, events = len(np.unique(looks.learner)), int(looks.reached.sum())
    if learners < LEAST_LEARNERS or events < LEAST_EVENTS:
        told = f"{learners} learners and {events} goals reached"
        raise TooFewLooks(f"{told}: {LEAST_LEARNERS} and {LEAST_EVENTS} are needed.")
    centre, spread = looks.features.mean(axis=0), looks.features.std(axis=0)
    scale = np.where(spread > 1e-9, spread, 1.0)
    rows = person_periods(looks.days, looks.reached)
    if rows.reached.all() or not rows.reached.any():
        raise TooFewLooks(
            f"{int(rows.reached.sum())} of {len(rows.reached)} periods of up to {EDGES[-1]:.0f} "
            "days reached a goal: some that did and some that did not are needed."
        )
    periods = np.eye(len(EDGES))[rows.period]
    inputs = np.hstack([periods, ((looks.features - centre) / scale)[rows.look]])
    model = LogisticRegression(C=strength, fit_intercept=True, max_iter=2_000, tol=1e-6)
    model.fit(inputs, rows.reached, sample_weight=rows.weight)
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
    curvature = (inputs * (rows.weight * prob * (1.0 - prob))[:, None]).T @ inputs
    curvature[np.diag_indices_from(curvature)] += 1.0 / strength
    _, owner = np.unique(learner[rows.look], return_inverse=True)
    scores = np.zeros((owner.max() + 1, inputs.shape[1]))
    np.add.at(scores, owner, inputs * (rows.weight * (rows.reached - prob))[:, None])
    bread = np.linalg.inv(curvature)
    few = len(scores) / max(len(scores) - 1, 1)
    return np.asarray(bread @ (few * scores.T @ scores) @ bread)
