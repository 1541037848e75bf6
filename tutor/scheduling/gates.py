"""What a learnt policy has to show on learners it has not seen before it serves anybody."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from curriculum.errors import CurriculumError
from curriculum.evaluation import DecisionLog, Limits, evaluate
from tutor.scheduling import engine


@dataclass(frozen=True, slots=True)
class Gate:
    """A condition that a version has to meet, and what was found."""

    name: str
    passed: bool
    found: str

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"name": self.name, "passed": self.passed, "found": self.found}


def judge(
    held_out: DecisionLog, parameters: Mapping[str, Any], *, seed: int, learners: float
) -> list[Gate]:
    """Return what held-out learners' decisions say of the learnt policy.

    Args:
        held_out: decisions that the coefficients were not learnt from.
        parameters: of the policy.
        seed: of the bootstrap.
        learners: fewest that are enough; half of them for half of the learners.
    """
    limits = Limits(min_learners=int(learners), seed=seed)
    better = _over_logged(
        "better", held_out, parameters, limits, lambda low, _: low > 0.0, "above the log's own"
    )
    weakest = held_out.only(_weakest_half(held_out))
    fair = _over_logged(
        "fair-to-the-weakest",
        weakest,
        parameters,
        Limits(min_learners=int(learners / 2), seed=seed),
        lambda _, high: high >= 0.0,
        "for the half with the lower mastery",
    )
    return [better, fair]


def _over_logged(
    name: str,
    log: DecisionLog,
    parameters: Mapping[str, Any],
    limits: Limits,
    holds: Callable[[float, float], bool],
    of: str,
) -> Gate:
    try:
        found = evaluate(log, engine.LEARNT, parameters=parameters, limits=limits)
    except CurriculumError as problem:
        return Gate(name, passed=False, found=str(problem))
    one = found.estimates["dr"]
    text = (
        f"{one.over_logged:+.5f} mastery a minute {of} "
        f"(95 %: {one.over_low:+.5f} to {one.over_high:+.5f}; doubly robust, "
        f"{found.decisions} decisions, effective {found.effective:.0f})"
    )
    return Gate(name, passed=holds(one.over_low, one.over_high), found=text)


def _weakest_half(log: DecisionLog) -> npt.NDArray[np.bool_]:
    """Return [n] whether a decision's learner is in the half with the lower mean mastery."""
    mastery = log.values[log.chosen, log.features.index("mastery")]
    _, owner = np.unique(log.learner, return_inverse=True)
    mean = np.bincount(owner, weights=mastery) / np.bincount(owner)
    return np.asarray((mean <= np.median(mean))[owner])
