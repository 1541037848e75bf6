"""Learners drawn from the generative model of PSI-KT, and their exact posterior by brute force."""

from dataclasses import dataclass

import numpy as np

from kt_models.data.log import build_log

DAY = 86_400.0
# Means and standard deviations of log alpha, mu, log omega: tau = 1 day, easiness 0.
LOG_ALPHA, LEVEL, LOG_OMEGA = (np.log(0.4), 0.9), (0.0, 0.8), (np.log(1.0), 0.3)


@dataclass(frozen=True, slots=True)
class Simulated:
    """L learners with n answers each.

    Attributes:
        log: their answers, to one item per concept.
        alpha: [L] true rates of forgetting.
        mu: [L] true levels.
        concept: [L, n] asked.
        days: [L, n] since the learner began.
        correct: [L, n].
    """

    log: object
    alpha: np.ndarray
    mu: np.ndarray
    concept: np.ndarray
    days: np.ndarray
    correct: np.ndarray


def simulate(rng, *, learners, answers=200, concepts=5, edges=None, gap=0.7, transfer=1.0):
    """Return learners of the model, with all but traits shared.

    Args:
        rng: numpy generator.
        learners: L.
        answers: n of each.
        concepts: K, asked at random.
        edges: [K, K] prerequisites; none by default.
        gap: mean days between answers, beyond half a day.
        transfer: gamma.
    """
    alpha = np.exp(rng.normal(*LOG_ALPHA, learners))
    mu = rng.normal(*LEVEL, learners)
    omega = np.exp(rng.normal(*LOG_OMEGA, learners))
    days = np.cumsum(0.5 + rng.exponential(gap, (learners, answers)), axis=1)
    concept = rng.integers(0, concepts, (learners, answers))
    above = np.zeros((learners, concepts))
    last = np.full((learners, concepts), np.nan)
    correct = np.empty((learners, answers))
    who = np.arange(learners)
    for t in range(answers):
        k = concept[:, t]
        carried = np.zeros(learners)
        if edges is not None and t:
            age = np.nan_to_num(days[:, t - 1, None] - last, nan=0.0)
            faded = above * np.exp(-alpha[:, None] * np.log1p(age))
            carried = transfer * (faded * edges[:, k].T).sum(axis=1)
        age = days[:, t] - last[who, k]
        r = np.where(np.isnan(age), 0.0, np.exp(-alpha * np.log1p(np.nan_to_num(age))))
        mean = r * above[who, k] + (1.0 - r) * carried
        above[who, k] = rng.normal(mean, omega * np.sqrt(1.0 - r * r))
        last[who, k] = days[:, t]
        logit = mu + above[who, k]
        correct[:, t] = rng.random(learners) < 1.0 / (1.0 + np.exp(-logit))
    names = np.repeat([f"l{k:04d}" for k in range(learners)], answers)
    flat = concept.ravel().tolist()
    log = build_log(
        learners=names.tolist(),
        items=[f"i{k}" for k in flat],
        concepts=[(f"k{k}",) for k in flat],
        correct=correct.ravel(),
        answered_at=1.6e9 + DAY * days.ravel(),
        shown_at=1.6e9 + DAY * days.ravel(),
    )
    return Simulated(log, alpha, mu, concept, days, correct)


def exact_posterior_means(simulated, learner, *, points=61):
    """Return the posterior means of a learner's log alpha and mu, the population being known.

    Quadrature over (log alpha, mu, log omega); given these, concepts are independent hidden Markov
    chains, which are summed over a grid of z. No Gaussian is assumed of any posterior.
    """
    log_alpha, prior_alpha = grid(*LOG_ALPHA, 13)
    mu, prior_mu = grid(*LEVEL, 21)
    log_omega, prior_omega = grid(*LOG_OMEGA, 5)
    z = np.linspace(-4.0, 4.0, points)
    stationary = np.exp(-0.5 * z * z)
    stationary /= stationary.sum()
    total = np.log(prior_alpha[:, None, None] * prior_mu[:, None] * prior_omega)
    for k in np.unique(simulated.concept[learner]).tolist():
        turns = np.flatnonzero(simulated.concept[learner] == k)
        logit = mu[:, None, None] + np.exp(log_omega)[:, None] * z
        right = 1.0 / (1.0 + np.exp(-logit))
        belief = np.broadcast_to(stationary, (len(log_alpha), *right.shape))
        last = None
        for t in turns.tolist():
            now = simulated.days[learner, t]
            if last is not None:
                kernel = transition(z, np.exp(-np.exp(log_alpha) * np.log1p(now - last)))
                belief = np.einsum("amoz,azw->amow", belief, kernel, optimize=True)
            seen = right if simulated.correct[learner, t] else 1.0 - right
            belief = belief * seen
            mass = belief.sum(axis=3)
            total = total + np.log(mass)
            belief = belief / mass[..., None]
            last = now
    weight = np.exp(total - total.max())
    weight /= weight.sum()
    return float((weight.sum(axis=(1, 2)) * log_alpha).sum()), float(
        (weight.sum(axis=(0, 2)) * mu).sum()
    )


def grid(mean, sd, count):
    """Return an even grid over three standard deviations and a Gaussian's weights on it."""
    x = np.linspace(-3.0, 3.0, count)
    weight = np.exp(-0.5 * x * x)
    return mean + sd * x, weight / weight.sum()


def transition(z, r):
    """Return [A, Z, Z] the chance of going from z to w, for standardised z and [A] shares kept."""
    spread = np.sqrt(1.0 - r * r)[:, None, None]
    away = (z[None, None, :] - r[:, None, None] * z[None, :, None]) / spread
    kernel = np.exp(-0.5 * away * away)
    return kernel / kernel.sum(axis=2, keepdims=True)
