"""How PSI-KT's knowledge states move, and the terms of its variational bound, in closed form.

Zhou, Bamler, Wu & Tejero-Cantero (2024), arXiv 2403.13179. Between two answers on concept k

    z' | z, s ~ N(r z + (1 - r)(mu + gamma C), (1 - r^2) omega^2)        r = exp(-alpha D)

(see `psi_trait_filter` for D, C and omega). Every Gaussian is a mean and a variance; expectations
over mu, gamma and z are exact, but for C, which is taken at the states' means; those over log
alpha, log omega and the logit are Gauss-Hermite sums.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from kt_models.models.psi_trait_filter import SHRINK

# Places of the traits: log alpha, mu, log omega, gamma.
ALPHA, MU, OMEGA, GAMMA = range(4)
ALPHA_NODES = 3
OMEGA_NODES = 7
LOGIT_NODES = 20


@dataclass(frozen=True, slots=True)
class Gaussian:
    """Independent Gaussians: means and variances of one shape."""

    mean: Tensor
    var: Tensor


def pushed(traits: Gaussian, *, first: Gaussian, kept: Tensor, drift: Tensor) -> Gaussian:
    """Return traits one answer later: s' | s ~ N(first + kept (s - first), drift).

    Args:
        traits: [.., 4] now.
        first: [4] of a learner who has not answered.
        kept: [4] the diagonal of H.
        drift: [4] the diagonal of R.
    """
    mean = first.mean + kept * (traits.mean - first.mean)
    return Gaussian(mean, kept * kept * traits.var + drift)


def retained(traits: Gaussian, elapsed: Tensor) -> Tensor:
    """Return [.., J] r at the nodes of log alpha, for [..] elapsed times and [.., 4] traits."""
    nodes, _ = hermite(ALPHA_NODES, elapsed)
    spread = traits.var[..., ALPHA].sqrt()
    alpha = torch.exp(traits.mean[..., ALPHA, None] + spread[..., None] * nodes)
    return torch.exp(-alpha * elapsed[..., None])


def expected(
    state: Gaussian, traits: Gaussian, *, elapsed: Tensor, met: Tensor, carried: Tensor
) -> Gaussian:
    """Return the knowledge that is expected when a question is shown, traits averaged out.

    Args:
        state: [..] of the concept at its last answer.
        traits: [.., 4] pushed to now.
        elapsed: [..] D since then.
        met: [..] 1 where there was one; a concept never met stands at its target.
        carried: [..] C.
    """
    r = retained(traits, elapsed) * met[..., None]
    _, weight = hermite(ALPHA_NODES, elapsed)
    once, twice = (r * weight).sum(dim=-1), (r * r * weight).sum(dim=-1)
    target = traits.mean[..., MU] + traits.mean[..., GAMMA] * carried
    unsure = traits.var[..., MU] + traits.var[..., GAMMA] * carried * carried
    mean = once * state.mean + (1.0 - once) * target
    away = (state.mean - target).square()
    var = (
        twice * state.var
        + (1.0 - twice) * torch.exp(2.0 * traits.mean[..., OMEGA] + 2.0 * traits.var[..., OMEGA])
        + (1.0 - 2.0 * once + twice) * unsure
        + (twice - once * once) * away
    )
    return Gaussian(mean, var)


def transition_divergence(
    now: Gaussian,
    before: Gaussian,
    traits: Gaussian,
    *,
    elapsed: Tensor,
    met: Tensor,
    carried: Tensor,
) -> Tensor:
    """Return [..] E_q(s) KL(q(z') || p(z' | s)), the earlier z being integrated out of p.

    Both E log var and E 1 / var of the transition's variance are averaged over log omega: its mean
    alone would make the divergence too small and so the bound none. The nodes are exact for
    polynomials up to the 13th degree; at Var(log omega) = 0.8 E 1 / var is off by less than 1e-4
    of itself.

    Args:
        now: [..] q(z').
        before: [..] q(z) at the concept's last answer.
        traits: [.., 4] q(s).
        elapsed: [..] as for `expected`, like the rest.
        met: [..].
        carried: [..].
    """
    r = retained(traits, elapsed) * met[..., None]
    _, weight = hermite(ALPHA_NODES, elapsed)
    target = traits.mean[..., MU] + traits.mean[..., GAMMA] * carried
    unsure = traits.var[..., MU] + traits.var[..., GAMMA] * carried * carried
    # Shapes from here on: [.., J] over nodes of log alpha, [.., J, W] with those of log omega.
    nodes, chance = hermite(OMEGA_NODES, elapsed)
    spread = traits.var[..., OMEGA].sqrt()
    noise = torch.exp(2.0 * (traits.mean[..., OMEGA, None] + spread[..., None] * nodes))
    kept = r * r
    var = (kept * before.var[..., None])[..., None] + (1.0 - kept)[..., None] * noise[..., None, :]
    log_var, precision = (var.log() * chance).sum(dim=-1), (chance / var).sum(dim=-1)
    mean = r * before.mean[..., None] + (1.0 - r) * target[..., None]
    squared = (now.mean[..., None] - mean).square() + (1.0 - r).square() * unsure[..., None]
    away = (now.var[..., None] + squared) * precision
    each = 0.5 * (log_var - now.var[..., None].log() + away - 1.0)
    return (each * weight).sum(dim=-1)


def divergence(one: Gaussian, other: Gaussian) -> Tensor:
    """Return [..] KL(one || other), summed over the last axis."""
    ratio = one.var / other.var
    away = (one.mean - other.mean).square() / other.var
    return 0.5 * (ratio + away - 1.0 - torch.log(ratio)).sum(dim=-1)


def expected_log_chance(logit: Gaussian, correct: Tensor) -> Tensor:
    """Return [..] E log P(the answer that came) over a Gaussian logit."""
    nodes, weight = hermite(LOGIT_NODES, logit.mean)
    at = logit.mean[..., None] + logit.var.sqrt()[..., None] * nodes
    right = torch.nn.functional.logsigmoid(at)
    # log P(wrong) = log P(right) - logit
    return ((right - (1.0 - correct[..., None]) * at) * weight).sum(dim=-1)


def predicted_logit(logit: Gaussian) -> Tensor:
    """Return [..] the logit of P(right) averaged over a Gaussian logit (MacKay 1992)."""
    return logit.mean / torch.sqrt(1.0 + SHRINK * logit.var)


def hermite(count: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return [count] nodes and weights that average over a standard normal."""
    nodes, weight = np.polynomial.hermite_e.hermegauss(count)
    scaled = weight / math.sqrt(2.0 * math.pi)
    return like.new_tensor(nodes.tolist()), like.new_tensor(scaled.tolist())
