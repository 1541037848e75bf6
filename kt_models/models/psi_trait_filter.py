"""The arithmetic of the trait filter: what one answer says of levels, concepts and traits.

A learner has four traits: how fast knowledge fades (alpha), the long-term level (mu), how far
concepts stray from it (omega, the stationary standard deviation; the diffusion's volatility is
sigma = omega sqrt(2 alpha)) and how much carries over between concepts (gamma). Knowledge of
concept k follows an Ornstein-Uhlenbeck process towards mu + gamma C_k, where C_k is the weighted
mean of what its prerequisites are above the level:

    z_k' | z_k ~ N(r z_k + (1 - r)(mu + gamma C_k), (1 - r^2) omega^2)      r = exp(-alpha D)

with D = log(1 + days / tau) since concept k was last practised; a concept never met stands at its
target (r = 0). So the process forgets by the power law (1 + days / tau)^-alpha.

alpha and omega enter nonlinearly, so they are held on a grid of J nodes, each with a weight
(Rao-Blackwellisation: all else is Gaussian given the node). Given a node and theta = (mu, gamma),
the z_k are independent Gaussians whose means are linear in theta:

    z_k | theta ~ N(a_k + l_k mu + g_k gamma, v_k)         theta ~ N(theta_mean, theta_cov)

which one answer leaves so, but for the Bernoulli, which is matched by its moments (MacKay 1992).
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

# sigmoid(x) averaged over N(m, v) is close to sigmoid(m / sqrt(1 + pi v / 8)).
SHRINK = float(np.pi / 8.0)

State = dict[str, Tensor]
"""Of B learners: log_weight [B, J], level [B, J, 2] and level_cov [B, J, 3] (mu mu, mu gamma, gamma
gamma), concept [B, J, K + 1, 4] (a, l, g, v; place 0 is no concept), age [B, K + 1] days since
practice, met [B, K + 1]."""


@dataclass(frozen=True, slots=True)
class Scalars:
    """What all learners share.

    Attributes:
        alpha: [J] forgetting at each node.
        omega: [J] stationary standard deviation of a concept at each node, logits.
        log_weight: [J] prior of the nodes.
        level: [2] prior mean of mu and gamma.
        level_cov: [3] their prior (co)variances.
        level_drift: [2] variance that each answer adds to mu and to gamma.
        concept_drift: variance that each answer adds to its concepts.
        gain: [2] logits that practice adds to a concept by a wrong and by a right answer.
        tau: days, the unit of the logarithmic time.
        memory: share of the nodes' evidence that is kept from one answer to the next.
    """

    alpha: Tensor
    omega: Tensor
    log_weight: Tensor
    level: Tensor
    level_cov: Tensor
    level_drift: Tensor
    concept_drift: Tensor
    gain: Tensor
    tau: Tensor
    memory: float


@dataclass(frozen=True, slots=True)
class Asked:
    """B learners' concepts of one question each, moved to the moment when it is shown.

    Attributes:
        concept: [B, J, M, 4] a, l, g, v.
        moved: [B, J, M] share of each concept that has gone over to its target, 1 - r.
        share: [B, 1, M] weight of each concept in the logit; 0 in padding.
        mean: [B, J] of the logit.
        var: [B, J] of the logit.
        cross: [B, J, 2] covariance of the logit with (mu, gamma).
        slope: [B, J, 2] what mu and gamma count in the logit.
    """

    concept: Tensor
    moved: Tensor
    share: Tensor
    mean: Tensor
    var: Tensor
    cross: Tensor
    slope: Tensor


def start(scalars: Scalars, *, count: int, concepts: int) -> State:
    """Return the states of learners who have not answered."""
    nodes = len(scalars.alpha)
    blank = scalars.alpha.new_zeros
    return {
        "log_weight": scalars.log_weight.expand(count, nodes),
        "level": scalars.level.expand(count, nodes, 2),
        "level_cov": scalars.level_cov.expand(count, nodes, 3),
        "concept": blank(count, nodes, concepts + 1, 4),
        "age": blank(count, concepts + 1),
        "met": blank(count, concepts + 1),
    }


def deviations(state: State, scalars: Scalars) -> Tensor:
    """Return [B, J, K + 1] how far each concept is above the level now; 0 where never met."""
    concept, level = state["concept"], state["level"]
    mu, gamma = level[..., :1], level[..., 1:]
    mean = concept[..., 0] + concept[..., 1] * mu + concept[..., 2] * gamma
    kept = _kept(state["age"], scalars) * state["met"][:, None]
    return (mean - mu) * kept


def ask(
    state: State,
    scalars: Scalars,
    *,
    concepts: Tensor,
    days: Tensor,
    offset: Tensor,
    carried: Tensor | None,
) -> Asked:
    """Return what is expected of one question to each of B learners.

    Args:
        state: of B learners.
        scalars: what all learners share.
        concepts: [B, M] 1 + concept, 0 for none.
        days: [B] from the last answer until the question is shown.
        offset: [B] how easy the item is, logits.
        carried: [B, J, M] what the prerequisites of each concept are above the level; None for 0.
    """
    present = (concepts > 0).float()
    # An item without a known concept stands for one never met.
    alone = (present.sum(dim=1, keepdim=True) == 0).float()
    present = torch.cat([present[:, :1] + alone, present[:, 1:]], dim=1)
    share = (present / present.sum(dim=1, keepdim=True))[:, None]
    nodes = len(scalars.alpha)
    place = concepts[:, None, :, None].expand(-1, nodes, -1, 4)
    held = torch.gather(state["concept"], 2, place)
    age = torch.gather(state["age"], 1, concepts) + days[:, None]
    met = torch.gather(state["met"], 1, concepts) * (concepts > 0)
    kept = _kept(age, scalars) * met[:, None]
    moved = 1.0 - kept
    a = kept * held[..., 0]
    of_mu = kept * held[..., 1] + moved
    of_gamma = kept * held[..., 2] + (0.0 if carried is None else moved * carried)
    omega = scalars.omega[:, None]
    v = kept * kept * held[..., 3] + (1.0 - kept * kept) * omega * omega
    slope = torch.stack([(share * of_mu).sum(dim=2), (share * of_gamma).sum(dim=2)], dim=2)
    cross = _times(state["level_cov"], slope)
    mean = offset[:, None] + (share * a).sum(dim=2) + (slope * state["level"]).sum(dim=2)
    var = (share * share * v).sum(dim=2) + (cross * slope).sum(dim=2)
    return Asked(torch.stack([a, of_mu, of_gamma, v], dim=3), moved, share, mean, var, cross, slope)


def log_chances(asked: Asked) -> tuple[Tensor, Tensor]:
    """Return log P(wrong) and log P(right) at each node, [B, J]."""
    shrunk = asked.mean / torch.sqrt(1.0 + SHRINK * asked.var)
    return torch.nn.functional.logsigmoid(-shrunk), torch.nn.functional.logsigmoid(shrunk)


def expected_logit(state: State, asked: Asked) -> Tensor:
    """Return [B] the logit of P(right), averaged over the nodes."""
    wrong, right = log_chances(asked)
    mixed = torch.logsumexp(state["log_weight"] + right, dim=1)
    return mixed - torch.logsumexp(state["log_weight"] + wrong, dim=1)


def sensitivity(state: State, scalars: Scalars, asked: Asked) -> Tensor:
    """Return [B, M, K + 1] change of the expected logit per unit of each edge into each concept."""
    shrink = torch.rsqrt(1.0 + SHRINK * asked.var)[..., None]
    weight = state["log_weight"].exp()[..., None] * asked.moved * shrink * asked.share
    above = deviations(state, scalars) * state["level"][..., 1:]
    return torch.einsum("bjm,bjk->bmk", weight, above)


def absorb(
    state: State,
    scalars: Scalars,
    asked: Asked,
    *,
    concepts: Tensor,
    correct: Tensor,
    measures: Tensor,
    came: Tensor,
    days: Tensor,
) -> State:
    """Return the states after one answer of each of B learners.

    Args:
        state: before the answer.
        scalars: what all learners share.
        asked: what `ask` returned for the question.
        concepts: [B, M], as for `ask`.
        correct: [B] 0 to 1.
        measures: [B] 1 where the answer shows something, 0 where help explains it.
        came: [B] 1 where there is an answer, 0 where the learner is left as they are.
        days: [B] from the learner's last answer to this one.
    """
    wrong, right = log_chances(asked)
    credit, counts = correct[:, None], (measures * came)[:, None]
    evidence = counts * (credit * right + (1.0 - credit) * wrong)
    forgot = came[:, None] * (1.0 - scalars.memory)
    log_weight = (1.0 - forgot) * state["log_weight"] + forgot * scalars.log_weight + evidence
    shrink = torch.rsqrt(1.0 + SHRINK * asked.var)
    prob = torch.exp(right)
    pull = counts * shrink * (credit - prob)
    narrow = counts * shrink * shrink * prob * (1.0 - prob)
    one = came[:, None, None]
    level = state["level"] + pull[..., None] * asked.cross
    outer = torch.stack(
        [
            asked.cross[..., 0] ** 2,
            asked.cross[..., 0] * asked.cross[..., 1],
            asked.cross[..., 1] ** 2,
        ],
        dim=2,
    )
    drift = torch.stack(
        [scalars.level_drift[0], torch.zeros_like(scalars.tau), scalars.level_drift[1]]
    )
    level_cov = state["level_cov"] - narrow[..., None] * outer + one * drift
    new = _concepts_after(state, scalars, asked, pull=pull, narrow=narrow, correct=correct)
    nodes = len(scalars.alpha)
    place = concepts[:, None, :, None].expand(-1, nodes, -1, 4)
    old = torch.gather(state["concept"], 2, place)
    kept = torch.where((concepts > 0)[:, None, :, None] & (one[..., None] > 0), new, old)
    touched = (concepts > 0) & (came[:, None] > 0)
    age = state["age"] + (days * came)[:, None]
    age = age.scatter(1, concepts, torch.gather(age, 1, concepts) * ~touched)
    met = state["met"].scatter(
        1, concepts, torch.gather(state["met"], 1, concepts).where(~touched, 1.0)
    )
    return {
        "log_weight": log_weight - torch.logsumexp(log_weight, dim=1, keepdim=True),
        "level": level,
        "level_cov": level_cov,
        "concept": state["concept"].scatter(2, place, kept),
        "age": age,
        "met": met,
    }


def _concepts_after(
    state: State, scalars: Scalars, asked: Asked, *, pull: Tensor, narrow: Tensor, correct: Tensor
) -> Tensor:
    """Return [B, J, M, 4] the asked concepts given theta, after the answer and its practice.

    The answer acts as a Gaussian observation of the logit. Its pull on z_k given theta follows from
    the one averaged over theta by taking out the share of theta's own variance.
    """
    a, of_mu, of_gamma, v = asked.concept.unbind(dim=3)
    of_theta = (asked.cross * asked.slope).sum(dim=2)
    ratio = 1.0 / (1.0 - narrow * of_theta)
    inner = narrow * ratio
    weight = asked.share * v
    towards = pull * ratio + inner * (asked.slope * state["level"]).sum(dim=2)
    gain = (scalars.gain[1] * correct + scalars.gain[0] * (1.0 - correct))[:, None, None]
    narrowed = (v - weight * weight * inner[..., None]).clamp(min=1e-6)
    return torch.stack(
        [
            a + weight * towards[..., None] + gain,
            of_mu - weight * (inner * asked.slope[..., 0])[..., None],
            of_gamma - weight * (inner * asked.slope[..., 1])[..., None],
            narrowed + scalars.concept_drift,
        ],
        dim=3,
    )


def _kept(days: Tensor, scalars: Scalars) -> Tensor:
    """Return [B, J, ...] r, the share of a deviation that is left after so many days [B, ...]."""
    elapsed = torch.log1p(days / scalars.tau)
    alpha = scalars.alpha.reshape(1, -1, *[1] * (days.dim() - 1))
    return torch.exp(-alpha * elapsed[:, None])


def _times(cov: Tensor, slope: Tensor) -> Tensor:
    """Return [.., 2] a symmetric [.., 3] matrix times [.., 2]."""
    first = cov[..., 0] * slope[..., 0] + cov[..., 1] * slope[..., 1]
    second = cov[..., 1] * slope[..., 0] + cov[..., 2] * slope[..., 1]
    return torch.stack([first, second], dim=-1)
