"""What the tracer expects of concepts over time; read off their estimates where it does not say."""

import numpy as np
from numpy.typing import NDArray

from curriculum.scheduler.situation import Memory, Situation

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

LOWER_QUANTILE = -1.6448536269514722
# Estimates of 0 or 1 have no logit.
MOST_CERTAIN = 1e-3
LEAST_SD, MOST_SD = 0.05, 2.0


def concept_memory(situation: Situation, concepts: IntArray) -> Memory:
    """Return the memory of some concepts, [C] each.

    Without one from the tracer, a concept that was never practised has its level at 0 and its
    estimate as base, one that was falls back to even odds, and the variance is that of a normal
    logit with the estimate's 5 % quantile.
    """
    if situation.memory is not None:
        memory = situation.memory
        return Memory(
            base=memory.base[concepts],
            level=memory.level[concepts],
            var=memory.var[concepts],
            practised=memory.practised[concepts],
            tau_days=memory.tau_days,
            power=memory.power,
            gain_rho=memory.gain_rho,
        )
    mean = logit(situation.concept_prob[concepts])
    sd = (logit(situation.concept_lower_prob[concepts]) - mean) / LOWER_QUANTILE
    practised = np.isfinite(situation.concept_last_at[concepts])
    return Memory(
        base=np.where(practised, 0.0, mean),
        level=np.where(practised, mean, 0.0),
        var=np.clip(sd, LEAST_SD, MOST_SD) ** 2,
        practised=situation.evidence_n[concepts].astype(np.float64),
    )


def logit(prob: FloatArray) -> FloatArray:
    """Return log(p / (1 - p)), p kept away from 0 and 1."""
    safe = np.clip(prob, MOST_CERTAIN, 1.0 - MOST_CERTAIN)
    return np.asarray(np.log(safe / (1.0 - safe)))
