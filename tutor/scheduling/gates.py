"""What a learnt policy has to show on learners it has not seen before it serves anybody."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from curriculum.errors import CurriculumError
from curriculum.evaluation import DecisionLog, Limits, evaluate, find_target
from curriculum.evaluation.estimators import find_terms


@dataclass(frozen=True, slots=True)
class Gate:
    """A condition that a version has to meet, and what was found."""

    name: str
    passed: bool
    found: str

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"name": self.name, "passed": self.passed, "found": self.found}


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy by name and parameters."""

    name: str
    parameters: Mapping[str, Any]


def judge(
    held_out: DecisionLog, candidate: Policy, *, live: Policy, seed: int, learners: float
) -> list[Gate]:
    """Return what held-out learners' decisions say of a candidate beside the policy in use.

    Both are estimated on the same decisions (doubly robust) and compared learner by learner. Nights
    follow each other, so the bar is higher than for one look: 99 %.

    Args:
        held_out: decisions that the candidate was not learnt from.
        candidate: what was learnt.
        live: what would go on serving.
        seed: of folds and bootstrap.
        learners: fewest that are enough; half of them for half of the learners.
    """
    try:
        whole = _difference(held_out, candidate, live, seed=seed, learners=learners)
        weakest = held_out.only(_weakest_half(held_out))
        half = _difference(weakest, candidate, live, seed=seed, learners=learners / 2)
    except CurriculumError as problem:
        return [Gate("better", passed=False, found=str(problem))]
    return [
        Gate(
            "better",
            passed=whole.low_99 > 0.0,
            found=f"{whole.told} than {live.name} in use (99 % above {whole.low_99:+.5f})",
        ),
        Gate(
            "fair-to-the-weakest",
            # They must not lose, and may not be in danger of losing all that the others gain.
            passed=half.value >= 0.0 and half.low > -whole.value,
            found=f"{half.told} for the half with the lower mastery",
        ),
    ]


@dataclass(frozen=True, slots=True)
class _Difference:
    """What a candidate earns more per decision: mean, 95 % interval by learner, 99 % lower end."""

    value: float
    low: float
    high: float
    low_99: float
    decisions: int
    learners: int

    @property
    def told(self) -> str:
        """The figures in words."""
        return (
            f"{self.value:+.5f} mastery a minute more (95 %: {self.low:+.5f} to {self.high:+.5f}; "
            f"{self.decisions} decisions of {self.learners} learners)"
        )


def _difference(
    log: DecisionLog, candidate: Policy, live: Policy, *, seed: int, learners: float
) -> _Difference:
    limits = Limits(min_learners=max(int(learners), 2), seed=seed)
    # Refused where the log says too little of the candidate.
    evaluate(log, candidate.name, parameters=candidate.parameters, limits=limits)
    own, other = (
        find_terms(
            log, find_target(log, one.name, one.parameters), clip=limits.clip, seed=seed
        ).robust
        for one in (candidate, live)
    )
    _, owner = np.unique(log.learner, return_inverse=True)
    sums, counts = np.bincount(owner, weights=own - other), np.bincount(owner)
    rng, share = np.random.default_rng([seed, 6]), np.full(len(counts), 1.0 / len(counts))
    drawn = rng.multinomial(len(counts), share, size=limits.resamples)
    means = (drawn @ sums) / (drawn @ counts)
    low_99, low, high = np.percentile(means, (0.5, 2.5, 97.5))
    return _Difference(
        value=float(sums.sum() / counts.sum()),
        low=float(low),
        high=float(high),
        low_99=float(low_99),
        decisions=len(log),
        learners=len(counts),
    )


def _weakest_half(log: DecisionLog) -> npt.NDArray[np.bool_]:
    """Return [n] whether a decision's learner is in the half with the lower mean mastery."""
    mastery = log.values[log.chosen, log.features.index("mastery")]
    _, owner = np.unique(log.learner, return_inverse=True)
    mean = np.bincount(owner, weights=mastery) / np.bincount(owner)
    return np.asarray((mean <= np.median(mean))[owner])
