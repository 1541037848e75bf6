"""The arithmetic of one answer in the closed-form PSI-KT filter, on plain floats.

Every function here is interpreted by the streaming filter and compiled, from this same source, by
the training kernel. One source in one order of operations is what makes a bulk fold equal to the
streaming one to the last bit. So: floats in, floats out, `math` only, no containers.
"""

import math

SECONDS_PER_DAY = 86_400.0
# Matching a logistic and a Gaussian: E sigmoid(x) = sigmoid(m / sqrt(1 + pi v / 8)), MacKay 1992.
LOGIT_SHRINK = math.pi / 8.0


def sigmoid(x: float) -> float:
    """Return 1 / (1 + exp(-x)) without overflow for large |x|."""
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)


def elapsed_days(earlier: float, later: float) -> float:
    """Return the days between two epoch seconds; 0 if the second is not later.

    A late row or a tie must not make a learner remember backwards.
    """
    return max(later - earlier, 0.0) / SECONDS_PER_DAY


def retained(days: float, tau_days: float, power: float) -> float:
    """Return the share of a deviation that is left after `days`: (1 + days/tau)^-power."""
    if days <= 0.0 or power == 0.0:
        return 1.0
    return float((1.0 + days / tau_days) ** -power)


def faded_var(var: float, kept: float, prior_var: float) -> float:
    """Return the variance of a deviation of which the share `kept` is left.

    It goes back to the prior variance, so a concept not met for long is as uncertain as a new one.
    """
    return kept * kept * var + (1.0 - kept * kept) * prior_var


def evidence(logit_mean: float, logit_var: float, correct: float) -> tuple[float, float]:
    """Return what an answer says: slope and curvature of log P(answer) in the logit's mean.

    The slope d log P / d m times a variance moves a mean; the curvature -d2 log P / d m2 times a
    squared variance narrows it (moment matching). The curvature does not depend on the answer.
    """
    shrink = 1.0 / math.sqrt(1.0 + LOGIT_SHRINK * logit_var)
    prob = sigmoid(shrink * logit_mean)
    return shrink * (correct - prob), shrink * shrink * prob * (1.0 - prob)


def damping(times_practised: float, rho: float) -> float:
    """Return how much of the first practice gain is left: (1 + n)^-rho."""
    return float((1.0 + times_practised) ** -rho)


def wandered_var(var: float, days: float, per_day: float, prior_var: float) -> float:
    """Return the variance of ability after `days` without an answer.

    It never grows past the prior: a learner away for years is at most as unknown as a new one.
    """
    return max(var, min(var + per_day * days, prior_var))


def moved_mean(mean: float, var: float, weight: float, slope: float, gain: float) -> float:
    """Return a mean after an answer whose logit holds it with this weight, and after practice."""
    return mean + weight * var * slope + gain


def narrowed_var(var: float, weight: float, curvature: float, drift_var: float) -> float:
    """Return a variance after an answer whose logit holds it with this weight."""
    return var - weight * weight * var * var * curvature + drift_var


def practice_gain(correct: float, gain_right: float, gain_wrong: float) -> float:
    """Return the undamped gain of practising with a share `correct` right."""
    return correct * gain_right + (1.0 - correct) * gain_wrong
