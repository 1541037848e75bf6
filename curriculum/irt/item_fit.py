"""How well each item's answers agree with its curve: infit, outfit and item-rest correlation.

Infit and outfit are the mean squares of Wright & Masters (1982), weighted and not weighted by the
answers' variance. They are averaged over each learner's posterior in place of a point estimate, so
that they have expectation 1 however few answers a learner gave.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curriculum.irt.curves import log_chances, probability
from curriculum.irt.likelihood import Posterior, design_of, expected_counts
from curriculum.irt.models import Fit
from curriculum.irt.population import ability_points
from curriculum.irt.responses import Responses

_AT_ONCE = 100_000


@dataclass(frozen=True, slots=True)
class ItemFit:
    """[I] each; nan where there is nothing to judge by.

    Attributes:
        infit: variance-weighted mean square; below 1 too regular, above 1 noisier than the curve.
        outfit: unweighted mean square, sensitive to answers far from the item's difficulty.
        item_rest: correlation of a right answer with the ability that all *other* answers of the
            learner show; the point-biserial, corrected for the item's own part.
        item_rest_high: upper end of its 90 % interval (Fisher's z).
    """

    infit: NDArray[np.float64]
    outfit: NDArray[np.float64]
    item_rest: NDArray[np.float64]
    item_rest_high: NDArray[np.float64]


def item_fit(responses: Responses, fit: Fit, posterior: Posterior) -> ItemFit:
    """Return the fit of every item.

    Args:
        responses: what was fitted.
        fit: its outcome.
        posterior: of the learners under it, see `curriculum.irt.likelihood.posterior_on`.
    """
    right, wrong = expected_counts(design_of(responses), posterior)
    chance = probability(
        ability_points(),
        difficulty=fit.bank.difficulty[:, None],
        discrimination=fit.bank.discrimination[:, None],
        guessing=fit.bank.guessing[:, None],
    )
    other = 1.0 - chance
    variance = ((right + wrong) * chance * other).sum(axis=1)
    squared = (right * other**2 + wrong * chance**2).sum(axis=1)
    standardised = (right * _over(other, chance) + wrong * _over(chance, other)).sum(axis=1)
    count = responses.answered
    correlation = _item_rest(responses, fit, posterior)
    with np.errstate(divide="ignore", invalid="ignore"):
        high = np.tanh(np.arctanh(correlation) + 1.645 / np.sqrt(np.maximum(count - 3, 0)))
    return ItemFit(
        infit=_over(squared, variance, nothing=np.nan),
        outfit=_over(standardised, count.astype(np.float64), nothing=np.nan),
        item_rest=correlation,
        item_rest_high=np.where(count > 3, high, np.nan),
    )


def _over(
    a: NDArray[np.float64], b: NDArray[np.float64] | NDArray[np.int64], *, nothing: float = 0.0
) -> NDArray[np.float64]:
    return np.asarray(np.divide(a, b, out=np.full(a.shape, nothing), where=b > 0.0))


def _item_rest(responses: Responses, fit: Fit, posterior: Posterior) -> NDArray[np.float64]:
    rest = abilities_without_item(responses, fit, posterior)
    correct, item, items = responses.correct, responses.item, len(responses.items)

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return _over(
            np.bincount(item, values, items).astype(np.float64),
            responses.answered.astype(np.float64),
        )

    mean_right, mean_rest = mean(correct), mean(rest)
    covariance = mean(correct * rest) - mean_right * mean_rest
    spread_right = mean_right - mean_right**2
    spread_rest = mean(rest**2) - mean_rest**2
    both = np.sqrt(np.maximum(spread_right, 0.0) * np.maximum(spread_rest, 0.0))
    # An item all got right, or answered by people of one ability, correlates with nothing.
    return np.where(both > 1e-9, _over(covariance, both), np.nan)


def abilities_without_item(
    responses: Responses, fit: Fit, posterior: Posterior
) -> NDArray[np.float64]:
    """Return [R] the learner's expected ability from all answers but this one, in logits."""
    points = ability_points()
    right, wrong = log_chances(
        points,
        difficulty=fit.bank.difficulty,
        discrimination=fit.bank.discrimination,
        guessing=fit.bank.guessing,
    )
    rest = np.empty(len(responses))
    for first in range(0, len(responses), _AT_ONCE):
        rows = slice(first, first + _AT_ONCE)
        item, correct = responses.item[rows], responses.correct[rows, None] > 0.5
        # Dividing by the answer's own chance takes it out of the posterior again.
        weight = posterior.weight[responses.learner[rows]]
        weight *= np.exp(-np.where(correct, right[item], wrong[item]))
        rest[rows] = (weight @ points) / weight.sum(axis=1)
    return rest
