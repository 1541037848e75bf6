"""What a policy would have done at logged decisions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curriculum.bandits import LinearSoftmax, make_policy
from curriculum.evaluation.decisions import DecisionLog
from curriculum.evaluation.errors import TargetUnknown
from curriculum.scheduler import Rules
from curriculum.scheduler.features import FEATURES, PRIOR
from curriculum.scheduler.policy import capped_softmax

FloatArray = NDArray[np.float64]

LOGGED = "logged"


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A policy's chances at n decisions with T arms in all.

    Attributes:
        name: of the policy.
        pair: [n] chance of the logged arm and item.
        arms: [T] chance of each open arm; sums to 1 over a decision.
    """

    name: str
    pair: FloatArray
    arms: FloatArray


def find_target(log: DecisionLog, name: str, parameters: Mapping[str, Any] | None = None) -> Target:
    """Return what a policy would have done at every decision of a log.

    `logged` is what was done; `uniform` draws any open pair; `linear-softmax` and `gain-softmax`
    are made from the arms' features, with items drawn within an arm by the scheduler's own rule;
    any other policy can be evaluated if its chances were written down with every decision.

    Raises:
        TargetUnknown: the log does not say.
        UnknownPolicy, InvalidPolicy: no such policy, or impossible parameters.
    """
    if name == LOGGED:
        return Target(LOGGED, log.propensity, log.arm_propensity)
    if name in log.targets and not parameters:
        return Target(name, *log.targets[name])
    policy = make_policy(name, parameters)
    if name == "uniform":
        return Target(name, log.uniform, log.arm_uniform)
    if name == "gain-softmax":
        return _linear(log, name, PRIOR)
    if isinstance(policy, LinearSoftmax):
        return _linear(log, name, policy.coefficients)
    known = ", ".join(sorted({LOGGED, "uniform", "gain-softmax", "linear-softmax", *log.targets}))
    raise TargetUnknown(
        f"The log does not say what {name} would have done: its chances depend on more than the "
        f"arms' features, and they were not written down. It can be told for: {known}.",
        policy=name,
    )


def _linear(log: DecisionLog, name: str, coefficients: tuple[float, ...]) -> Target:
    if log.features != FEATURES:
        raise TargetUnknown(
            f"The log has other features than {name} reads: it was written by another version.",
            policy=name,
        )
    scores = log.values @ np.array(coefficients)
    arms = np.empty_like(scores)
    pair = np.empty(len(log))
    rules: dict[tuple[float, float], Rules] = {}
    for row in range(len(log)):
        settings = (float(log.temperature[row]), float(log.top_share[row]))
        if settings not in rules:
            rules[settings] = Rules(temperature=settings[0], top_share=settings[1])
        span = slice(int(log.starts[row]), int(log.starts[row + 1]))
        shares = capped_softmax(scores[span], rules=rules[settings])
        epsilon = float(log.epsilon[row])
        arms[span] = (1.0 - epsilon) * shares + epsilon * log.arm_uniform[span]
        share = float(shares[int(log.chosen[row]) - span.start])
        pair[row] = (1.0 - epsilon) * share * log.within[row] + epsilon * log.uniform[row]
    return Target(name, pair, arms)
