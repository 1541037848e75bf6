"""Learners' traits, read from what a filter or a recognition network holds of them."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kt_models.models.psi_trait_filter import Scalars, State

# Of a central 95 % interval of a Gaussian.
REACH = 1.96


@dataclass(frozen=True, slots=True)
class Traits:
    """Four traits of B learners with 95 % intervals, [B, 4] each.

    The columns are alpha (how fast deviations fade, per unit of log(1 + days / tau)), mu (long-term
    level, logits), sigma (volatility, logits per square root of that time) and gamma (1 takes over
    all that the prerequisites are above the level). alpha and sigma are positive; their intervals
    are Gaussian on the logarithm.
    """

    estimate: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def traits_of(*, means: Tensor, variances: Tensor) -> Traits:
    """Return traits from Gaussians on (log alpha, mu, log sigma, gamma), [B, 4] each."""
    center = means.double().cpu().numpy()
    spread = REACH * np.sqrt(variances.double().cpu().numpy())
    estimate, low, high = center.copy(), center - spread, center + spread
    for values in (estimate, low, high):
        values[:, [0, 2]] = np.exp(values[:, [0, 2]])
    return Traits(estimate, low, high)


def filtered_traits(state: State, scalars: Scalars) -> Traits:
    """Return the traits of B learners from a filter's states, nodes averaged out by moments."""
    weight = state["log_weight"].exp()
    log_alpha = scalars.alpha.log().expand_as(weight)
    log_sigma = log_alpha / 2.0 + (scalars.omega * 2.0**0.5).log()
    mu, gamma = state["level"].unbind(dim=2)
    within = torch.zeros_like(weight)
    values = torch.stack([log_alpha, mu, log_sigma, gamma], dim=2)
    own = torch.stack(
        [within, state["level_cov"][..., 0], within, state["level_cov"][..., 2]], dim=2
    )
    means = (weight[..., None] * values).sum(dim=1)
    spread = own + (values - means[:, None]).square()
    return traits_of(means=means, variances=(weight[..., None] * spread).sum(dim=1))
