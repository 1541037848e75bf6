"""What a learnt policy has to show on learners it has not seen before it serves anybody."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from curriculum.errors import CurriculumError
from curriculum.evaluation import DecisionLog, Limits, evaluate, find_target
from curriculum.evaluation.estimators import find_terms

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# The normal quantile of 0.8.
FOUR_IN_FIVE = 0.8416


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
    follow each other, so the bar is higher than for one look: the whole 99 % interval has to lie
    above 0, so that nothing is promoted for being "not worse". What the look could have seen is
    told too: where few learners are held out, a refusal says little.

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
            found=f"{whole.told} than {live.name} in use (99 % above {whole.low_99:+.5f}; a gain "
            f"of {whole.seen_from:.5f} would have passed four times in five)",
        ),
        Gate(
            "fair-to-the-weakest",
            # They must not lose, and may not be in danger of losing all that the others gain.
            passed=half.value >= 0.0 and half.low > -whole.value,
            found=f"{half.told} for the half with the lower mastery",
        ),
    ]


@dataclass(frozen=True, slots=True)
class Difference:
    """What a candidate earns more per decision.

    Attributes:
        value: the mean.
        low, high: its 95 % interval, by learner.
        low_99: lower end of the 99 % interval.
        seen_from: true gain of which `low_99` is above 0 four times in five.
        decisions, learners: that it is from.
    """

    value: float
    low: float
    high: float
    low_99: float
    seen_from: float
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
) -> Difference:
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
    return compare(sums, counts, resamples=limits.resamples, seed=seed)


def compare(sums: Floats, counts: Ints, *, resamples: int, seed: int) -> Difference:
    """Return a mean per decision with intervals that resample whole learners.

    By the bootstrap of the studentised mean (Efron and Tibshirani 1993, 12.5): percentiles of the
    mean alone are too narrow with the 40 learners that a small course holds out.

    Args:
        sums, counts: [L] of each learner's decisions.
        resamples: of the bootstrap.
        seed: of it.
    """
    size = len(counts)
    value, error = (float(one[0]) for one in _mean_and_error(np.ones((1, size)), sums, counts))
    rng, share = np.random.default_rng([seed, 6]), np.full(size, 1.0 / size)
    means, errors = _mean_and_error(rng.multinomial(size, share, size=resamples), sums, counts)
    ratios = np.sort((means - value) / np.maximum(errors, 1e-300))
    # The interval is turned round: where resamples fall too low, the truth lies higher.
    above_99, above, below = np.percentile(ratios, (99.5, 97.5, 2.5))
    return Difference(
        value=value,
        low=value - float(above) * error,
        high=value - float(below) * error,
        low_99=value - float(above_99) * error,
        seen_from=(float(above_99) + FOUR_IN_FIVE) * error,
        decisions=int(counts.sum()),
        learners=size,
    )


def _mean_and_error(drawn: Floats, sums: Floats, counts: Ints) -> tuple[Floats, Floats]:
    """Return [R] means per decision of learners drawn so often, and their standard errors.

    Args:
        drawn: [R, L] how often each learner is in each draw.
        sums, counts: [L].
    """
    size, total = len(counts), drawn @ counts
    means = (drawn @ sums) / total
    spread = (
        drawn @ sums**2 - 2.0 * means * (drawn @ (sums * counts)) + means**2 * (drawn @ counts**2)
    )
    scale = size / max(size - 1, 1)
    return means, np.sqrt(scale * np.maximum(spread, 0.0)) / total


def _weakest_half(log: DecisionLog) -> npt.NDArray[np.bool_]:
    """Return [n] whether a decision's learner is in the half with the lower mean mastery."""
    mastery = log.values[log.chosen, log.features.index("mastery")]
    _, owner = np.unique(log.learner, return_inverse=True)
    mean = np.bincount(owner, weights=mastery) / np.bincount(owner)
    return np.asarray((mean <= np.median(mean))[owner])
