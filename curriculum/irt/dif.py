"""Differential item functioning: is an item harder for one group than for equally able others?"""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import chi2, norm

from curriculum.irt.errors import ImpossibleResponse

LEAST_IN_GROUP = 200
_NEWTON_STEPS = 50


class EtsClass(StrEnum):
    """How much it matters, by the rules of the Educational Testing Service (Zieky, 1993)."""

    NEGLIGIBLE = "A"  # |D| < 1, or not different from 0
    MODERATE = "B"
    LARGE = "C"  # |D| >= 1.5, and more than 1 beyond chance


@dataclass(frozen=True, slots=True)
class MantelHaenszel:
    """The comparison of one item between two groups, matched by ability.

    Attributes:
        odds_ratio: common over the strata, reference over focal; above 1 if the focal group does
            worse than equally able learners of the reference group.
        delta: MH D-DIF, -2.35 log odds ratio; below 0 if the item works against the focal group.
        delta_se: its standard error (Robins, Breslow & Greenland, 1986).
        chi2: with continuity correction, one degree of freedom.
        p: of chi2.
        ets: A, B or C.
        n_reference: answers of the reference group in strata that have both groups.
        n_focal: likewise.
    """

    odds_ratio: float
    delta: float
    delta_se: float
    chi2: float
    p: float
    ets: EtsClass
    n_reference: int
    n_focal: int


@dataclass(frozen=True, slots=True)
class LogisticDif:
    """Likelihood-ratio tests of logistic curves (Swaminathan & Rogers, 1990).

    Attributes:
        uniform: log odds by which the focal group differs at equal ability.
        p_uniform: of a difference that is the same at all abilities (1 df).
        p_nonuniform: of one that changes with ability (1 df).
        r2_change: Nagelkerke's R² gained by both; 0.035 is moderate, 0.07 large (Jodoin & Gierl).
    """

    uniform: float
    p_uniform: float
    p_nonuniform: float
    r2_change: float


def mantel_haenszel(
    *, correct: NDArray[np.float64], focal: NDArray[np.bool_], stratum: NDArray[np.int64]
) -> MantelHaenszel | None:
    """Return the comparison of N answers to one item, or None if no stratum tells anything.

    Args:
        correct: [N] 1 right, 0 wrong.
        focal: [N] whether the learner belongs to the focal group.
        stratum: [N] learners of like ability share a number from 0.

    Raises:
        ImpossibleResponse: the arrays differ in length.
    """
    if not len(correct) == len(focal) == len(stratum):
        raise ImpossibleResponse("correct, focal and stratum need one value per answer.")
    strata = int(stratum.max(initial=-1)) + 1

    def count(chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        return np.bincount(stratum[chosen], minlength=strata).astype(np.float64)

    right = correct > 0.5
    a, b = count(right & ~focal), count(~right & ~focal)
    c, d = count(right & focal), count(~right & focal)
    both = (a + b > 0) & (c + d > 0)
    a, b, c, d = a[both], b[both], c[both], d[both]
    n = a + b + c + d
    up, down = float((a * d / n).sum()), float((b * c / n).sum())
    variance = _variance(a, b, c, d)
    if not up > 0.0 or not down > 0.0 or not variance > 0.0:
        return None
    expected = ((a + b) * (a + c) / n).sum()
    statistic = max(abs(float(a.sum() - expected)) - 0.5, 0.0) ** 2 / variance
    odds = up / down
    p, q, r, s = (a + d) / n, (b + c) / n, a * d / n, b * c / n
    log_variance = (
        float((p * r).sum()) / (2.0 * up**2)
        + float((p * s + q * r).sum()) / (2.0 * up * down)
        + float((q * s).sum()) / (2.0 * down**2)
    )
    delta, error = -2.35 * math.log(odds), 2.35 * math.sqrt(log_variance)
    chance = float(chi2.sf(statistic, 1))
    return MantelHaenszel(
        odds_ratio=odds,
        delta=delta,
        delta_se=error,
        chi2=statistic,
        p=chance,
        ets=ets_class(delta=delta, delta_se=error, p=chance),
        n_reference=int((a + b).sum()),
        n_focal=int((c + d).sum()),
    )


def _variance(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    c: NDArray[np.float64],
    d: NDArray[np.float64],
) -> float:
    n = a + b + c + d
    several = n > 1
    terms = (a + b) * (c + d) * (a + c) * (b + d)
    return float((terms[several] / (n[several] ** 2 * (n[several] - 1.0))).sum())


def ets_class(*, delta: float, delta_se: float, p: float) -> EtsClass:
    """Return A, B or C from MH D-DIF, its standard error and the p of its chi-square."""
    size = abs(delta)
    if size < 1.0 or p >= 0.05:
        return EtsClass.NEGLIGIBLE
    beyond_one = float(norm.sf((size - 1.0) / delta_se)) < 0.05
    return EtsClass.LARGE if size >= 1.5 and beyond_one else EtsClass.MODERATE


def logistic_dif(
    *, correct: NDArray[np.float64], focal: NDArray[np.bool_], ability: NDArray[np.float64]
) -> LogisticDif | None:
    """Return the tests of N answers to one item, or None if a curve cannot be fitted.

    Args:
        correct: [N] 1 right, 0 wrong.
        focal: [N] whether the learner belongs to the focal group.
        ability: [N] in logits.

    Raises:
        ImpossibleResponse: the arrays differ in length.
    """
    if not len(correct) == len(focal) == len(ability):
        raise ImpossibleResponse("correct, focal and ability need one value per answer.")
    group = focal.astype(np.float64)
    columns = np.stack([np.ones(len(group)), ability, group, ability * group], axis=1)
    fits = [_logistic(columns[:, :k], correct) for k in (1, 2, 3, 4)]
    empty, matched, uniform, full = fits
    if empty is None or matched is None or uniform is None or full is None:
        return None
    return LogisticDif(
        uniform=float(uniform[0][2]),
        p_uniform=float(chi2.sf(2.0 * (uniform[1] - matched[1]), 1)),
        p_nonuniform=float(chi2.sf(2.0 * (full[1] - uniform[1]), 1)),
        r2_change=_nagelkerke(full[1], empty[1], len(group))
        - _nagelkerke(matched[1], empty[1], len(group)),
    )


def _logistic(
    columns: NDArray[np.float64], correct: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float] | None:
    """Return weights and log-likelihood by Newton's method; None if they run away."""
    weights = np.zeros(columns.shape[1])
    for _ in range(_NEWTON_STEPS):
        chance = expit(columns @ weights)
        curvature = columns.T @ (columns * (chance * (1.0 - chance))[:, None])
        if np.linalg.matrix_rank(curvature) < len(weights):
            return None
        step = np.linalg.solve(curvature, columns.T @ (correct - chance))
        weights += np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-8:
            z = columns @ weights
            return weights, float((correct * z - np.logaddexp(0.0, z)).sum())
    return None


def _nagelkerke(log_likelihood: float, of_nothing: float, n: int) -> float:
    gained = 1.0 - math.exp(2.0 * (of_nothing - log_likelihood) / n)
    return gained / (1.0 - math.exp(2.0 * of_nothing / n))
