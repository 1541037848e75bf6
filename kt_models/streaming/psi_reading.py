"""What a state says at a moment, as arrays: shared by the filter's predictions and the survey."""

import numpy as np
from numpy.typing import NDArray

from kt_models.streaming import psi_core
from kt_models.streaming.psi_parameters import FilterParameters
from kt_models.streaming.psi_state import FilterState

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


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
