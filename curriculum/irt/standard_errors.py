"""Standard errors of item parameters, from the cross-products of the learners' scores.

A learner's score is the gradient of the log marginal likelihood of that learner's answers. The sum
of its cross-products estimates the information in the answers (Louis, 1982; the "crossprod" of
mirt), which the priors add to. A variational guide knows no covariance between items and abilities,
so its own sds are too small: these are taken in their place, whichever engine made the estimates.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_array

from curriculum.irt.curves import sigmoid
from curriculum.irt.likelihood import Posterior, design_of, posterior_on
from curriculum.irt.models import Fit, ItemModel, Priors
from curriculum.irt.population import ability_points
from curriculum.irt.responses import Responses

# Above this many items the covariance between items is left out: inverting it would take minutes.
MOST_ITEMS_TOGETHER = 1_000
_AT_ONCE = 100_000


@dataclass(frozen=True, slots=True)
class StandardErrors:
    """[I] standard errors in logits; nan for what is not estimated: anchors, items nobody saw.

    `discrimination` is that of the discrimination itself (not its log), by the delta method.
    """

    difficulty: NDArray[np.float64]
    log_discrimination: NDArray[np.float64]
    discrimination: NDArray[np.float64]


def standard_errors(
    responses: Responses,
    fit: Fit,
    *,
    model: ItemModel,
    priors: Priors,
    anchored: NDArray[np.bool_] | None = None,
) -> StandardErrors:
    """Return the standard errors of a fit to the same responses.

    Args:
        responses: what was fitted.
        fit: its outcome.
        model: as fitted.
        priors: as fitted.
        anchored: [I] items whose parameters were given; the population's were then estimated, and
            what is not known about them widens the others' errors.
    """
    count = len(responses.items)
    known = np.zeros(count, dtype=bool) if anchored is None else anchored
    posterior = posterior_on(design_of(responses), fit.bank, population=fit.population)
    by_slope, by_place = _scores(responses, fit, posterior)
    estimated = (responses.answered > 0) & ~known
    if count > MOST_ITEMS_TOGETHER:
        slope, place = _item_by_item(responses, by_slope, by_place, model=model, priors=priors)
    else:
        extra = _population_scores(fit, posterior) if known.any() else None
        slope, place = _together(
            responses, by_slope, by_place, extra, estimated, model=model, priors=priors
        )
    slope, place = (np.where(estimated, x, np.nan) for x in (slope, place))
    if model is ItemModel.ONE and known.any():
        slope = np.full(count, np.nan)
    return StandardErrors(
        difficulty=place,
        log_discrimination=slope,
        discrimination=slope * fit.bank.discrimination,
    )


def _scores(
    responses: Responses, fit: Fit, posterior: Posterior
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return [R] derivatives of each answer's log chance, averaged over the learner's posterior."""
    bank, points = fit.bank, ability_points()
    a, chance = bank.discrimination[:, None], bank.guessing[:, None]
    z = a * (points - bank.difficulty[:, None])
    known = sigmoid(z)
    along = (1.0 - chance) * known * (1.0 - known) / (chance + (1.0 - chance) * known)
    by_slope, by_place = np.empty(len(responses)), np.empty(len(responses))
    for first in range(0, len(responses), _AT_ONCE):
        rows = slice(first, first + _AT_ONCE)
        item, right = responses.item[rows], responses.correct[rows, None] > 0.5
        weight = posterior.weight[responses.learner[rows]]
        weight *= np.where(right, along[item], -known[item])
        by_slope[rows] = (weight * z[item]).sum(axis=1)
        by_place[rows] = -bank.discrimination[item] * weight.sum(axis=1)
    return by_slope, by_place


def _population_scores(fit: Fit, posterior: Posterior) -> NDArray[np.float64]:
    """Return [L, 2] derivatives by the population's mean and log sd."""
    away = (ability_points() - fit.population.mean) / fit.population.sd
    return np.stack(
        [posterior.weight @ away / fit.population.sd, posterior.weight @ (away**2 - 1.0)], axis=1
    )


def _together(
    responses: Responses,
    by_slope: NDArray[np.float64],
    by_place: NDArray[np.float64],
    extra: NDArray[np.float64] | None,
    estimated: NDArray[np.bool_],
    *,
    model: ItemModel,
    priors: Priors,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return [I] errors of log discrimination and difficulty from the whole information matrix."""
    count, learners = len(responses.items), len(responses.learners)
    # Column of each parameter; the one slope of the 1PL stands in the first.
    shared = model is ItemModel.ONE
    slopes = 1 if shared else count
    at_slope = np.zeros(len(responses), dtype=np.int64) if shared else responses.item
    rows = np.concatenate([responses.learner, responses.learner])
    columns = np.concatenate([at_slope, slopes + responses.item])
    values = np.concatenate([by_slope, by_place])
    score = csr_array((values, (rows, columns)), shape=(learners, slopes + count))
    precision = np.concatenate(
        [
            np.full(slopes, priors.log_discrimination_sd**-2),
            np.full(count, priors.difficulty_sd**-2),
        ]
    )
    information = np.asarray((score.T @ score).todense()) + np.diag(precision)
    # With anchors the one slope is theirs.
    keep = np.concatenate([np.array([extra is None]) if shared else estimated, estimated])
    if extra is not None:
        mixed = np.asarray(score.T @ extra)
        information = np.block([[information, mixed], [mixed.T, extra.T @ extra]])
        keep = np.concatenate([keep, [True, True]])
    variance = np.full(len(keep), np.nan)
    factor = cho_factor(information[np.ix_(keep, keep)])
    variance[keep] = np.diag(cho_solve(factor, np.eye(int(keep.sum()))))
    error = np.sqrt(variance)
    return np.broadcast_to(error[:slopes], count).copy(), error[slopes : slopes + count]


def _item_by_item(
    responses: Responses,
    by_slope: NDArray[np.float64],
    by_place: NDArray[np.float64],
    *,
    model: ItemModel,
    priors: Priors,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return [I] errors as if the other items were known, which they nearly are in a large bank."""

    def total(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(responses.item, values, len(responses.items)).astype(np.float64)

    slope_slope = total(by_slope**2) + priors.log_discrimination_sd**-2
    place_place = total(by_place**2) + priors.difficulty_sd**-2
    if model is ItemModel.ONE:
        # One slope from all answers: its own uncertainty is nothing beside an item's.
        every = float((by_slope**2).sum()) + priors.log_discrimination_sd**-2
        return np.full(len(place_place), every**-0.5), place_place**-0.5
    slope_place = total(by_slope * by_place)
    room = slope_slope * place_place - slope_place**2
    return np.sqrt(place_place / room), np.sqrt(slope_slope / room)
