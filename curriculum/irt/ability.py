"""How able learners are, from their answers to calibrated items. Needs numpy only.

The expected a posteriori estimate (Bock & Mislevy, 1982): the mean of the posterior over a grid of
abilities, and its standard deviation. Finite for a learner with every answer right, with every
answer wrong, and with none, who gets the population's mean and sd.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from curriculum.irt.curves import log_chances
from curriculum.irt.errors import ImpossibleResponse
from curriculum.irt.parameters import ItemParameters
from curriculum.irt.population import REFERENCE, Population, ability_points

# Rows of a grid that are held in memory at once.
_AT_ONCE = 100_000


@dataclass(frozen=True, slots=True)
class Ability:
    """One learner's ability in logits: estimate, its standard error, and answers behind it."""

    mean: float
    sd: float
    n: int


@dataclass(frozen=True, slots=True)
class Abilities:
    """The abilities of L learners: [L] means, [L] standard errors in logits, [L] answers."""

    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    n: NDArray[np.int64]


def estimate_ability(
    *,
    correct: ArrayLike,
    bank: ItemParameters,
    population: Population = REFERENCE,
    points: NDArray[np.float64] | None = None,
) -> Ability:
    """Return one learner's ability from one answer to each item of a bank.

    Args:
        correct: [I] 1 right, 0 wrong, nan not answered.
        bank: the I items.
        population: where learners come from.
        points: [Q] abilities to integrate over; by default 61 from -6 to 6.

    Raises:
        ImpossibleResponse: another number of answers than items, or an answer that is neither.
    """
    given = np.asarray(correct, dtype=np.float64)
    if given.shape != (len(bank),):
        raise ImpossibleResponse(f"{given.size} answers to {len(bank)} items.")
    there = np.isfinite(given)
    found = estimate_abilities(
        learner=np.zeros(int(there.sum()), dtype=np.int64),
        item=np.flatnonzero(there),
        correct=given[there],
        learners=1,
        bank=bank,
        population=population,
        points=points,
    )
    return Ability(mean=float(found.mean[0]), sd=float(found.sd[0]), n=int(found.n[0]))


def estimate_abilities(
    *,
    learner: NDArray[np.int64],
    item: NDArray[np.int64],
    correct: NDArray[np.float64],
    learners: int,
    bank: ItemParameters,
    population: Population = REFERENCE,
    points: NDArray[np.float64] | None = None,
) -> Abilities:
    """Return the abilities of L learners from R answers.

    Args:
        learner: [R] 0 to L - 1, never falling.
        item: [R] places in the bank.
        correct: [R] 1 right, 0 wrong.
        learners: L.
        bank: the items.
        population: where learners come from.
        points: [Q] abilities to integrate over; by default 61 from -6 to 6.

    Raises:
        ImpossibleResponse: an answer is neither right nor wrong, or learners are not in order.
    """
    if not np.isin(correct, (0.0, 1.0)).all():
        raise ImpossibleResponse("An answer is neither 1 (right) nor 0 (wrong).")
    if len(learner) and (np.diff(learner) < 0).any():
        raise ImpossibleResponse("Answers must come learner after learner.")
    grid = ability_points() if points is None else points
    density = np.tile(population.log_weights(grid), (learners, 1))
    right, wrong = log_chances(
        grid,
        difficulty=bank.difficulty,
        discrimination=bank.discrimination,
        guessing=bank.guessing,
    )
    for first in range(0, len(learner), _AT_ONCE):
        rows = slice(first, first + _AT_ONCE)
        told = np.where(correct[rows, None] > 0.5, right[item[rows]], wrong[item[rows]])
        who, starts = np.unique(learner[rows], return_index=True)
        density[who] += np.add.reduceat(told, starts, axis=0)
    mean, sd = moments(density, grid)
    return Abilities(mean=mean, sd=sd, n=np.bincount(learner, minlength=learners))


def moments(
    log_density: NDArray[np.float64], points: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return [L] means and [L] sds of densities given as [L, Q] logs, up to a constant each."""
    weight = np.exp(log_density - log_density.max(axis=1, keepdims=True))
    weight /= weight.sum(axis=1, keepdims=True)
    mean = weight @ points
    spread = weight @ points**2 - mean**2
    return mean, np.sqrt(np.maximum(spread, 0.0))
