"""What a state says at a moment, as arrays: shared by the filter's predictions and the survey.

And of a single concept on plain floats, where arrays would cost ten times as much.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kt_models.streaming import psi_core
from kt_models.streaming.psi_parameters import FilterParameters
from kt_models.streaming.psi_state import FilterState

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


# The 5 % quantile of the standard normal.
LOWER_QUANTILE = -1.6448536269514722


@dataclass(frozen=True, slots=True)
class ConceptEstimate:
    """What the filter believes of one concept; see `psi_filter.ConceptEstimates`."""

    logit_mean: float
    logit_var: float
    prob: float
    lower_prob: float
    evidence_n: int


def concept_estimate(
    state: FilterState,
    parameters: FilterParameters,
    *,
    concept_id: int,
    concept_offset: float,
    at: float,
) -> ConceptEstimate:
    """Return mastery of one concept at epoch second `at`: `concept_estimates` up to rounding."""
    row = int(state.concept_ids.searchsorted(concept_id))
    mean, var, evidence = 0.0, parameters.concept_prior_var, 0
    if row < len(state.concept_ids) and state.concept_ids[row] == concept_id:
        mean, var, last_at, _, measured, _ = state.values[row].tolist()
        days = psi_core.elapsed_days(last_at, at)
        kept = psi_core.retained(days, parameters.decay_tau_days, parameters.decay_power)
        mean *= kept
        var = psi_core.faded_var(var, kept, parameters.concept_prior_var)
        evidence = int(measured)
    logit_mean = state.ability_mean + mean + concept_offset
    logit_var = ability_var_at(state, parameters, at) + var
    shrunk = logit_mean / math.sqrt(1.0 + psi_core.LOGIT_SHRINK * logit_var)
    lower = logit_mean + LOWER_QUANTILE * math.sqrt(logit_var)
    return ConceptEstimate(
        logit_mean, logit_var, psi_core.sigmoid(shrunk), psi_core.sigmoid(lower), evidence
    )


def ability_var_at(state: FilterState, parameters: FilterParameters, at: float) -> float:
    """Return the variance of ability at `at`; a new learner's does not depend on the time."""
    days = psi_core.elapsed_days(state.t_last, at) if state.n else 0.0
    per_day = parameters.ability_drift_var_per_day
    return psi_core.wandered_var(state.ability_var, days, per_day, parameters.ability_prior_var)


def rows_of(state: FilterState, concepts: IntArray) -> IntArray:
    """Return where each concept lies: its row, K if untouched, K + 1 if padding."""
    ids = state.concept_ids
    size = len(ids)
    rows = np.searchsorted(ids, concepts)
    if size:
        rows[ids[np.minimum(rows, size - 1)] != concepts] = size
    rows[concepts < 0] = size + 1
    return rows


def faded(
    state: FilterState, parameters: FilterParameters, at: float
) -> tuple[FloatArray, FloatArray]:
    """Return means and variances [K + 2] at `at`; the last two: an untouched concept, padding."""
    size = len(state.concept_ids)
    means, variances = np.zeros(size + 2), np.zeros(size + 2)
    variances[size] = parameters.concept_prior_var
    days = np.maximum(at - state.values[:, 2], 0.0) / psi_core.SECONDS_PER_DAY
    kept = (1.0 + days / parameters.decay_tau_days) ** -parameters.decay_power
    means[:size] = kept * state.values[:, 0]
    kept *= kept
    variances[:size] = kept * state.values[:, 1] + (1.0 - kept) * parameters.concept_prior_var
    return means, variances


def sigmoid(x: FloatArray) -> FloatArray:
    """Return 1 / (1 + exp(-x)) without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * x))
