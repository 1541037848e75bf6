"""Marginal maximum likelihood by expectation and maximisation (Bock & Aitkin, 1981), with priors.

The plain twin of the fit by py-irt: the same model and priors, no gradient descent, and fast. Its
estimates are the modes of the posterior of (difficulty, log discrimination).
"""

import math

import numpy as np
from numpy.typing import NDArray

from curriculum.irt.errors import NothingToCalibrate
from curriculum.irt.likelihood import design_of, expected_counts, posterior_on
from curriculum.irt.maximising import Maximiser
from curriculum.irt.models import WEAK_PRIORS, Anchors, Fit, ItemModel, Priors
from curriculum.irt.parameters import ItemParameters
from curriculum.irt.population import REFERENCE, Population, ability_points
from curriculum.irt.responses import Responses
from curriculum.irt.starting import start_of


def fit_em(
    responses: Responses,
    *,
    model: ItemModel = ItemModel.TWO,
    guessing: NDArray[np.float64] | None = None,
    priors: Priors = WEAK_PRIORS,
    anchors: Anchors | None = None,
    earlier: ItemParameters | None = None,
    most_iterations: int = 500,
    tolerance: float = 1e-4,
) -> Fit:
    """Return the parameters of all I items of the responses.

    With anchors, their parameters stay as given, and the population's mean and sd are estimated;
    without, the population has mean 0 and sd 1 and so defines the scale. An item that nobody
    answered stays at the centre of its prior.

    Args:
        responses: first attempts.
        model: 1PL (one discrimination for all), 2PL, or 3PL with guessing given.
        guessing: [I] chance of a right answer by guessing; 0 where None.
        priors: of difficulty and log discrimination.
        anchors: items whose parameters are known.
        earlier: parameters of some items to start from.
        most_iterations: after which it ends without convergence.
        tolerance: largest change of a parameter, in logits, at which it has converged.

    Raises:
        NothingToCalibrate: there is no response.
        ImpossibleParameters: see `start_of`.
    """
    if not len(responses):
        raise NothingToCalibrate("There is no response to calibrate from.")
    begin = start_of(responses, model=model, guessing=guessing, anchors=anchors, earlier=earlier)
    maximiser = Maximiser(model=model, priors=priors, begin=begin)
    design, bank = design_of(responses), begin.bank
    population, converged, iteration = REFERENCE, False, 0
    while iteration < most_iterations and not converged:
        iteration += 1
        posterior = posterior_on(design, bank, population=population)
        new = maximiser.improve(bank, *expected_counts(design, posterior))
        last = population
        if anchors is not None:
            population = _population_of(posterior.weight.mean(axis=0))
        converged = _change(bank, new, last, population) < tolerance
        bank = new
    posterior = posterior_on(design, bank, population=population)
    return Fit(
        bank=bank,
        population=population,
        log_likelihood=float(posterior.log_marginal.sum()),
        iterations=iteration,
        converged=converged,
    )


def _population_of(share: NDArray[np.float64]) -> Population:
    points = ability_points()
    mean = float(share @ points)
    return Population(mean=mean, sd=math.sqrt(float(share @ points**2) - mean**2))


def _change(old: ItemParameters, new: ItemParameters, last: Population, now: Population) -> float:
    moved = (
        np.abs(new.difficulty - old.difficulty).max(),
        np.abs(np.log(new.discrimination / old.discrimination)).max(),
        abs(now.mean - last.mean),
        abs(now.sd - last.sd),
    )
    return float(max(moved))
