"""The compiled twin of the streaming psi-filter: folds a whole log, equal to the last bit.

It compiles the very functions of `psi_core` that the streaming update interprets. No fastmath: a
reordered or fused operation would break that equality.
"""

import hashlib
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numba
import numpy as np
from numba.extending import register_jitable
from numpy.typing import NDArray

from kt_models.streaming import psi_core
from kt_models.streaming.psi_parameters import FilterParameters

elapsed_days = register_jitable(psi_core.elapsed_days)
retained = register_jitable(psi_core.retained)
faded_var = register_jitable(psi_core.faded_var)
sigmoid = register_jitable(psi_core.sigmoid)
evidence = register_jitable(psi_core.evidence)
damping = register_jitable(psi_core.damping)
wandered_var = register_jitable(psi_core.wandered_var)
moved_mean = register_jitable(psi_core.moved_mean)
narrowed_var = register_jitable(psi_core.narrowed_var)
practice_gain = register_jitable(psi_core.practice_gain)


_SOURCE = hashlib.sha256(Path(psi_core.__file__).read_bytes()).hexdigest()[:12]


def _compiled(function: Callable[..., None]) -> Any:
    """Compile an entry point and keep the machine code for later processes.

    Numba looks only at the entry's own file to see whether kept code is stale; the name carries the
    arithmetic's hash, so that a change there is seen too.
    """
    function.__qualname__ += f"_{_SOURCE}"
    return numba.njit(cache=True)(function)


# A call between compiled functions would count references to every array of the tuple it passes,
# which costs more than the arithmetic.
_inlined = numba.njit(inline="always")


class Scalars(NamedTuple):
    """`FilterParameters` in a form that compiled code can take."""

    ability_prior_mean: float
    ability_prior_var: float
    ability_drift_var: float
    ability_drift_var_per_day: float
    concept_prior_var: float
    concept_drift_var: float
    concept_share: float
    decay_tau_days: float
    decay_power: float
    gain_right: float
    gain_wrong: float
    gain_rho: float

    @classmethod
    def of(cls, parameters: FilterParameters) -> "Scalars":
        """Return the scalars of `parameters`."""
        return cls(**parameters.to_dict())


class Answers(NamedTuple):
    """What the kernel reads of R answers; see `ResponseLog` for the meaning.

    Attributes:
        offset: [R] logit offset of the answer's item.
        concept_set: [R] row of `concept_sets`.
        concept_sets: [S, M] ascending, padded with -1 at the end.
        set_sizes: [S] concepts in each set.
        set_shares: [S] weight of each concept of the set.
        correct: [R].
        shown_at: [R].
        answered_at: [R].
        assisted: [R].
        offset_var: [R] variance of the offset; inf where the answer is not counted.
        damping: [D] `psi_core.damping` of 0, 1, … times practised; beyond D it is computed.
    """

    offset: NDArray[np.float64]
    concept_set: NDArray[np.int64]
    concept_sets: NDArray[np.int64]
    set_sizes: NDArray[np.int64]
    set_shares: NDArray[np.float64]
    correct: NDArray[np.float64]
    shown_at: NDArray[np.float64]
    answered_at: NDArray[np.float64]
    assisted: NDArray[np.bool_]
    offset_var: NDArray[np.float64]
    damping: NDArray[np.float64]


class Passing(NamedTuple):
    """When a concept counts as passed at the moment of an answer to it; K concepts.

    Attributes:
        offset: [K] logit offset of the concept's reference item.
        evidence: fewest answers that measured the concept.
        logit: what the low quantile of the reference item's logit has to reach.
        margin: a quantile nearer to `logit` than this is left undecided.
        quantile: standard normal deviate of the low quantile.
    """

    offset: NDArray[np.float64]
    evidence: float
    logit: float
    margin: float
    quantile: float


# What `fold_answers` leaves in its marks.
NEVER, PASSED, UNDECIDED = 0, 1, 2


@_inlined
def _wandered(ability: Any, scalars: Any, at: float) -> float:
    """Return the variance of ability [4] (mean, variance, time, answers) at `at`."""
    days = elapsed_days(ability[2], at) if ability[3] > 0.0 else 0.0
    per_day = scalars.ability_drift_var_per_day
    return wandered_var(ability[1], days, per_day, scalars.ability_prior_var)


# Elements are indexed one by one: a view of a row costs more than the arithmetic done on it.


@_inlined
def _forecast(answers: Any, r: int, rows: Any, ability: Any, scalars: Any) -> tuple[float, float]:
    """Return logit mean and variance of answer r for the moment its item was shown."""
    at, which = answers.shown_at[r], answers.concept_set[r]
    share = answers.set_shares[which]
    mean, var = ability[0] + answers.offset[r], _wandered(ability, scalars, at)
    var += answers.offset_var[r] if answers.offset_var[r] < math.inf else 0.0
    for j in range(answers.set_sizes[which]):
        k = answers.concept_sets[which, j]
        days = elapsed_days(rows[k, 2], at)
        kept = retained(days, scalars.decay_tau_days, scalars.decay_power)
        mean += share * (rows[k, 0] * kept)
        var += share * share * faded_var(rows[k, 1], kept, scalars.concept_prior_var)
    return mean, var


@_inlined
def _damping(answers: Any, times: float, rho: float) -> float:
    """Return `psi_core.damping`, looked up where it can be: powers are most of a fold's cost."""
    if times < len(answers.damping):
        return float(answers.damping[int(times)])
    return damping(times, rho)


@_inlined
def _assimilate(answers: Any, r: int, rows: Any, ability: Any, scalars: Any) -> None:
    """Update rows [K, 6] and ability [4] by answer r, in place.

    The twin of `psi_filter.update`; keep the two in one order of operations.
    """
    s, correct, at, which = (
        scalars,
        answers.correct[r],
        answers.answered_at[r],
        answers.concept_set[r],
    )
    share, size = answers.set_shares[which], answers.set_sizes[which]
    ability_var = _wandered(ability, s, at)
    logit_mean, logit_var = ability[0] + answers.offset[r], ability_var + answers.offset_var[r]
    for j in range(size):
        k = answers.concept_sets[which, j]
        kept = retained(elapsed_days(rows[k, 2], at), s.decay_tau_days, s.decay_power)
        rows[k, 0] = rows[k, 0] * kept
        rows[k, 1] = faded_var(rows[k, 1], kept, s.concept_prior_var)
        logit_mean += share * rows[k, 0]
        logit_var += share * share * rows[k, 1]
    slope = curvature = 0.0
    measures = not (answers.assisted[r] and correct > 0.5)
    if measures:
        slope, curvature = evidence(logit_mean, logit_var, correct)
    gain = practice_gain(correct, s.gain_right, s.gain_wrong)
    for j in range(size):
        k = answers.concept_sets[which, j]
        damped = gain * _damping(answers, rows[k, 3], s.gain_rho)
        mean, var = rows[k, 0], rows[k, 1]
        rows[k, 0] = moved_mean(mean, var, share, slope, damped)
        rows[k, 1] = narrowed_var(var, share, curvature, s.concept_drift_var)
        rows[k, 2] = max(rows[k, 2], at)
        rows[k, 3] += 1.0
        rows[k, 4] += 1.0 if measures else 0.0
        rows[k, 5] += correct
    ability[0] = moved_mean(ability[0], ability_var, 1.0, slope, 0.0)
    ability[1] = narrowed_var(ability_var, 1.0, curvature, s.ability_drift_var)
    ability[2] = max(ability[2], at)
    ability[3] += 1.0


@_inlined
def _mark(answers: Any, r: int, rows: Any, ability: Any, passing: Any, marks: Any) -> None:
    """Mark the concepts of answer r that are passed now, right after it; marks [K], in place.

    At that moment nothing has faded since the rows were written, so they are taken as they are.
    """
    which = answers.concept_set[r]
    for j in range(answers.set_sizes[which]):
        k = answers.concept_sets[which, j]
        if marks[k] == PASSED or rows[k, 4] < passing.evidence:
            continue
        mean = ability[0] + rows[k, 0] + passing.offset[k]
        above = mean + passing.quantile * math.sqrt(ability[1] + rows[k, 1]) - passing.logit
        if above > passing.margin:
            marks[k] = PASSED
        elif above >= -passing.margin:
            marks[k] = UNDECIDED


@_inlined
def _forget_learner(answers: Any, first: int, last: int, rows: Any, prior_var: float) -> None:
    """Set the rows of the concepts in answers first to last - 1 to untouched ones."""
    for r in range(first, last):
        which = answers.concept_set[r]
        for j in range(answers.set_sizes[which]):
            k = answers.concept_sets[which, j]
            rows[k, :] = 0.0
            rows[k, 1] = prior_var
            rows[k, 2] = -np.inf


@_compiled
def forecast_log(
    starts: Any, learners: Any, answers: Any, scalars: Any, rows: Any, forecasts: Any
) -> None:
    """Predict every answer of some learners from their earlier ones.

    Args:
        starts: [L + 1] bounds of the learners' answers.
        learners: the learners to fold.
        answers: `Answers`.
        scalars: `Scalars`.
        rows: [K, 6] room to work in; overwritten.
        forecasts: [R, 2] logit mean and variance, filled in place.
    """
    ability = np.empty(4)
    for learner in learners:
        first, last = starts[learner], starts[learner + 1]
        _forget_learner(answers, first, last, rows, scalars.concept_prior_var)
        ability[0] = scalars.ability_prior_mean
        ability[1] = scalars.ability_prior_var
        ability[2] = -np.inf
        ability[3] = 0.0
        for r in range(first, last):
            forecasts[r, 0], forecasts[r, 1] = _forecast(answers, r, rows, ability, scalars)
            if answers.offset_var[r] < math.inf:
                _assimilate(answers, r, rows, ability, scalars)


@_compiled
def fold_answers(
    starts: Any, answers: Any, scalars: Any, passing: Any, rows: Any, ability: Any, marks: Any
) -> None:
    """Fold the answers of every learner into rows [L, K, 6], ability [L, 4] and marks [L, K]."""
    for learner in range(len(starts) - 1):
        known, able, marked = rows[learner], ability[learner], marks[learner]
        for r in range(starts[learner], starts[learner + 1]):
            if answers.offset_var[r] < math.inf:
                _assimilate(answers, r, known, able, scalars)
                _mark(answers, r, known, able, passing, marked)
