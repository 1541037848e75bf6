"""How much the diagonal, analytic form of PSI-KT's bound saves over the dense-covariance form.

    .venv/bin/python -m tests.benchmarks.psi_kt_speed --out FILE.json

The dense form is the paper's: ten Monte Carlo samples of all K states from Gaussians with full
covariance matrices, and the log density and entropy of each. Both compute, for the same tensors,
the terms of the bound and their gradients by the means and variances of the states; in turns, one
thread, processor time.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import torch
from torch.distributions import MultivariateNormal

from kt_models.models import psi_kt_dynamics as dynamics
from kt_models.models.psi_kt_dynamics import Gaussian
from tests.benchmarks.product.circumstances import measured

SAMPLES = 10
BATCH, STEPS = 8, 10


def main(arguments):
    """Run the benchmark; return 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--concepts", type=int, nargs="*", default=[102, 263])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    result = {"batch": BATCH, "steps": STEPS, "samples": SAMPLES, "measured": measured()}
    for concepts in options.concepts:
        tensors = states(concepts)
        forms = {"dense": dense, "every_concept": analytic, "answered_concepts": answered}
        best = dict.fromkeys(forms, float("inf"))
        for _ in range(options.rounds):
            for name, form in forms.items():
                best[name] = min(best[name], seconds(form, tensors))
        ratios = {f"dense_over_{name}": best["dense"] / best[name] for name in list(forms)[1:]}
        result[f"concepts_{concepts}"] = best | ratios
    options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))
    return 0


def states(concepts):
    """Return means and variances [B, T, K] of states, traits, elapsed times, and who was asked."""
    generator = torch.Generator().manual_seed(0)
    shape = (BATCH, STEPS, concepts)
    mean = torch.randn(shape, generator=generator)
    var = 0.2 + torch.rand(shape, generator=generator)
    traits = Gaussian(torch.zeros(BATCH, STEPS, 4), torch.full((BATCH, STEPS, 4), 0.1))
    elapsed = torch.rand(BATCH, STEPS, generator=generator) + 0.1
    asked = torch.randint(0, concepts, (BATCH, STEPS, 1), generator=generator)
    correct = torch.rand(BATCH, STEPS, generator=generator).round()
    return mean, var, traits, elapsed, asked, correct


def seconds(form, tensors):
    mean, var, *rest = tensors
    mean, var = mean.clone().requires_grad_(), var.clone().requires_grad_()
    began = time.process_time()
    form(mean, var, *rest).backward()
    return time.process_time() - began


def dense(mean, var, traits, elapsed, asked, correct):
    """Sample and score all states as the paper's form does, with full covariance matrices."""
    posterior = MultivariateNormal(mean, covariance_matrix=torch.diag_embed(var))
    z = posterior.rsample((SAMPLES,))
    alpha, omega = traits.mean[..., 0].exp(), traits.mean[..., 2].exp()
    r = torch.exp(-alpha * elapsed)[:, 1:, None]
    expected = r * mean[:, :-1] + (1.0 - r) * traits.mean[:, 1:, 1:2]
    noise = ((1.0 - r * r) * omega[:, 1:, None] ** 2).expand_as(expected)
    prior = MultivariateNormal(expected, covariance_matrix=torch.diag_embed(noise))
    logit = torch.gather(z, 3, asked.expand(SAMPLES, -1, -1, 1))[..., 0]
    answer = torch.nn.functional.logsigmoid((2.0 * correct - 1.0) * logit)
    return -(prior.log_prob(z[:, :, 1:]).mean() + posterior.entropy().mean() + answer.mean())


def analytic(mean, var, traits, elapsed, asked, correct):
    """Return the same terms of every concept in closed form."""
    size = mean.shape[2]
    return scored(mean, var, traits, elapsed, asked, correct, size)


def answered(mean, var, traits, elapsed, asked, correct):
    """Return what PSI-KT trains on: the terms of the answered concepts alone."""
    own, own_var = torch.gather(mean, 2, asked), torch.gather(var, 2, asked)
    first = torch.zeros_like(asked)
    return scored(own, own_var, traits, elapsed, first, correct, 1)


def scored(mean, var, traits, elapsed, asked, correct, size):
    now, before = Gaussian(mean[:, 1:], var[:, 1:]), Gaussian(mean[:, :-1], var[:, :-1])
    spread = Gaussian(
        *(part[:, 1:, None].expand(-1, -1, size, -1) for part in (traits.mean, traits.var))
    )
    moved = dynamics.transition_divergence(
        now,
        before,
        spread,
        elapsed=elapsed[:, 1:, None].expand_as(now.mean),
        met=torch.ones_like(now.mean),
        carried=torch.zeros_like(now.mean),
    )
    logit = Gaussian(*(torch.gather(part, 2, asked)[..., 0] for part in (mean, var)))
    return moved.sum(dim=2).mean() - dynamics.expected_log_chance(logit, correct).mean()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
