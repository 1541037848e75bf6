"""The marginal likelihood of sparse responses on a grid of abilities, and its expected counts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from curriculum.irt.curves import log_chances
from curriculum.irt.parameters import ItemParameters
from curriculum.irt.population import Population, ability_points
from curriculum.irt.responses import Responses


@dataclass(frozen=True, slots=True)
class Posterior:
    """What responses say about the abilities of L learners at Q points.

    Attributes:
        weight: [L, Q] posterior shares; each row adds up to 1.
        log_marginal: [L] log of the probability of each learner's answers.
    """

    weight: NDArray[np.float64]
    log_marginal: NDArray[np.float64]

    @classmethod
    def of(cls, told: NDArray[np.float64], log_weights: NDArray[np.float64]) -> "Posterior":
        """Return the posterior from [L, Q] log-likelihoods, which it overwrites, and a prior."""
        told += log_weights
        top = told.max(axis=1)
        told -= top[:, None]
        np.exp(told, out=told)
        total = told.sum(axis=1)
        told /= total[:, None]
        return cls(weight=told, log_marginal=top + np.log(total))


def design_of(responses: Responses) -> csr_array:
    """Return [L, 2 I] ones: column i for a right answer to item i, column I + i for a wrong one.

    One product with the items' log chances is then the log-likelihood of all learners, and one
    with its transpose all expected counts: every answer is touched twice an iteration.
    """
    count = len(responses.items)
    column = np.where(responses.correct > 0.5, responses.item, responses.item + count)
    starts = np.searchsorted(responses.learner, np.arange(len(responses.learners) + 1))
    shape = (len(responses.learners), 2 * count)
    return csr_array((np.ones(len(responses)), column.astype(np.int32), starts), shape=shape)


def posterior_on(design: csr_array, bank: ItemParameters, *, population: Population) -> Posterior:
    """Return every learner's posterior over `ability_points` under a bank and a population."""
    points = ability_points()
    chances = log_chances(
        points,
        difficulty=bank.difficulty,
        discrimination=bank.discrimination,
        guessing=bank.guessing,
    )
    told = np.asarray(design @ np.concatenate(chances))
    return Posterior.of(told, population.log_weights(points))


def expected_counts(
    design: csr_array, posterior: Posterior
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return [I, Q] expected right and wrong answers to each item at each ability.

    These are all that the items' estimates need from the answers (Bock & Aitkin, 1981).
    """
    counts = np.asarray(design.T @ posterior.weight)
    half = len(counts) // 2
    return counts[:half], counts[half:]
