"""Fit the psi-filter to a log by maximising its own prequential likelihood.

The score of a choice of scalars is the log loss of every answer predicted from the learner's
earlier ones, so one objective serves fitting, forecasting and live use, with no amortisation gap.
Scalars and item offsets take turns: L-BFGS on the scalars over a sample of learners, Newton sweeps
on the offsets over all of them.
"""

import dataclasses
import datetime as dt
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from kt_models.checkpoints import FittedFilter, Provenance
from kt_models.data.log import ResponseLog
from kt_models.errors import KTModelError
from kt_models.streaming.psi_parameters import FilterParameters
from kt_models.training import psi_fold
from kt_models.training.item_offsets import Offsets, first_offsets, refine_offsets

Progress = Callable[[int], object]

SWEEPS = 8
# Answers that the scalars are fitted on, turn by turn. More move them by less than their standard
# error and cost time in proportion; the first turn only brings them near.
SAMPLE_ANSWERS = (40_000, 120_000)
# With a smaller share of answers without help, those with help are scored as well.
LEAST_ALONE = 0.05
# Finite differences: forecasts are exact to 1e-13, so a step this small is still clean.
DIFFERENCE = 1e-4
# Relative gain of one optimiser step below which the scalars are good enough.
TOLERANCE = 2e-7


class LogTooSmall(KTModelError):
    """A log has too few answers to fit a model on."""


@dataclass(frozen=True, slots=True)
class _Coordinate:
    """How the optimiser sees one scalar: on a log or a plain scale, bounded, held by a prior.

    `spread` is the standard deviation, on that scale, of a Gaussian around the default. Its force
    is that of one answer's log loss, so it matters only where a log says next to nothing.
    """

    name: str
    low: float
    high: float
    spread: float
    is_log: bool = True


# Gains are held at or above 0: a fitted loss from practice is the shadow of items in a fixed order,
# costs no log loss to forbid, and would teach a scheduler to avoid practice.
COORDINATES = (
    _Coordinate("ability_prior_var", 1e-3, 20.0, 1.0),
    _Coordinate("ability_drift_var", 1e-6, 0.3, 1.5),
    _Coordinate("ability_drift_var_per_day", 1e-6, 0.3, 1.5),
    _Coordinate("concept_prior_var", 1e-3, 10.0, 1.0),
    _Coordinate("concept_drift_var", 1e-6, 0.3, 1.5),
    _Coordinate("concept_share", 0.0, 1.0, 0.3, is_log=False),
    _Coordinate("decay_tau_days", 1e-3, 1000.0, 2.0),
    _Coordinate("decay_power", 0.0, 3.0, 0.3, is_log=False),
    _Coordinate("gain_right", 0.0, 1.0, 0.2, is_log=False),
    _Coordinate("gain_wrong", 0.0, 1.0, 0.2, is_log=False),
    _Coordinate("gain_rho", 0.0, 3.0, 0.5, is_log=False),
)


def fit_filter(
    log: ResponseLog,
    *,
    seed: int,
    fitted_on: dt.date,
    start: FilterParameters | None = None,
    scored: NDArray[np.bool_] | None = None,
    progress: Progress | None = None,
) -> FittedFilter:
    """Return the filter fitted to a log; the same for the same log and seed.

    Args:
        log: the answers; all learners in it are training learners.
        seed: of the sample of learners that the scalars are fitted on.
        fitted_on: date for the provenance; this package reads no clock.
        start: scalars to begin from.
        scored: [R] answers that the filter is to expect well; by default those without help, since
            what it tells is the chance of an unassisted right answer; all where hardly any is. The
            others move the learner who gave them and nothing else.
        progress: called with the hundredths of the work done since the call before.

    Raises:
        LogTooSmall: fewer than two answers to score.
    """
    judged = _without_help(log) if scored is None else scored
    if judged.sum() < 2:
        raise LogTooSmall(f"{judged.sum()} answers are too few to fit a filter on.")
    report = progress or _say_nothing
    learners = np.arange(len(log.learner_keys))
    parameters, offsets = start or FilterParameters(), first_offsets(log, judged)
    for answers in SAMPLE_ANSWERS:
        offsets = refine_offsets(log, parameters, offsets, judged, sweeps=SWEEPS)
        report(10)
        learners = _sample_learners(log, answers=answers, seed=seed)
        parameters = _fit_scalars(log, parameters, offsets, judged, learners)
        report(30)
    offsets = refine_offsets(log, parameters, offsets, judged, sweeps=SWEEPS)
    loss = _loss(log, parameters, offsets, judged)
    report(20)
    # Items without an answer in this log get their concepts' offset when asked for, not one here.
    met = np.flatnonzero(offsets.item_n).tolist()
    return FittedFilter(
        parameters=parameters,
        intercept=offsets.intercept,
        item_offsets={log.item_keys[i]: float(offsets.item[i]) for i in met},
        item_ns={log.item_keys[i]: int(offsets.item_n[i]) for i in met},
        concept_offsets=dict(zip(log.concept_keys, offsets.concept.tolist(), strict=True)),
        provenance=Provenance(
            log_sha256=log.sha256(),
            learners=len(log.learner_keys),
            answers=len(log),
            seed=seed,
            fitted_on=fitted_on.isoformat(),
            sample_learners=len(learners),
            sample_answers=int(np.diff(log.starts)[learners].sum()),
            log_loss=loss,
        ),
    )


def offsets_of_answers(fitted: FittedFilter, log: ResponseLog) -> NDArray[np.float64]:
    """Return [R] the offset of each answer's item; unknown items get that of their concepts."""
    pair = log.item * len(log.concept_sets) + log.concept_set
    distinct, first, which = np.unique(pair, return_index=True, return_inverse=True)
    table = np.empty(len(distinct))
    for row, r in enumerate(first.tolist()):
        concepts = [log.concept_keys[k] for k in log.concept_sets[log.concept_set[r]] if k >= 0]
        table[row] = fitted.offset_of(log.item_keys[log.item[r]], concepts)
    return table[which]


def forecast(fitted: FittedFilter, log: ResponseLog) -> psi_fold.Forecasts:
    """Return prequential forecasts of every answer in a log of learners, seen or not."""
    return psi_fold.forecast_log(log, fitted.parameters, offsets=offsets_of_answers(fitted, log))


def _without_help(log: ResponseLog) -> NDArray[np.bool_]:
    """Return [R] whether an answer is scored: those without help, or all if they are too few."""
    alone = ~log.assisted
    # A log that marks every answer, as some tools' exports do, still tells who does better.
    return alone if alone.sum() >= LEAST_ALONE * len(log) else np.ones(len(log), dtype=bool)


def _say_nothing(hundredths: int) -> None:
    """Take the place of a progress callback."""
    del hundredths


def _sample_learners(log: ResponseLog, *, answers: int, seed: int) -> NDArray[np.int64]:
    """Return learners drawn at random until they hold that many answers, ascending."""
    order = np.random.default_rng(seed).permutation(len(log.learner_keys))
    held = np.cumsum(np.diff(log.starts)[order])
    enough = int(np.searchsorted(held, answers)) + 1
    return np.sort(order[:enough])


def _fit_scalars(
    log: ResponseLog,
    start: FilterParameters,
    offsets: Offsets,
    scored: NDArray[np.bool_],
    learners: NDArray[np.int64],
) -> FilterParameters:
    sample = log.only_learners(learners)
    judged = np.concatenate([scored[log.starts[k] : log.starts[k + 1]] for k in learners])
    default = _coordinates_of(FilterParameters())
    spread = np.array([c.spread for c in COORDINATES])

    def objective(x: NDArray[np.float64], /) -> float:
        loss = _loss(sample, _parameters_at(x), offsets, judged)
        return loss + 0.5 * float(np.sum(((x - default) / spread) ** 2)) / len(sample)

    bounds = [(_scaled(c, c.low), _scaled(c, c.high)) for c in COORDINATES]
    found = minimize(
        objective,
        _coordinates_of(start),
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": 60, "eps": DIFFERENCE, "ftol": TOLERANCE},
    )
    return _parameters_at(np.asarray(found.x))


def _loss(
    log: ResponseLog,
    parameters: FilterParameters,
    offsets: Offsets,
    scored: NDArray[np.bool_],
) -> float:
    """Return the mean prequential log loss of the answers to score, in nats; 0 if there is none."""
    found = psi_fold.forecast_log(log, parameters, offsets=offsets.item[log.item])
    shrunk = found.logit_mean / np.sqrt(1.0 + np.pi / 8.0 * found.logit_var)
    # log(1 + e^x) - y x is the log loss at logit x, for partial credit too, without overflow.
    losses = np.logaddexp(0.0, shrunk) - log.correct * shrunk
    return float(losses[scored].mean()) if scored.any() else 0.0


def _scaled(coordinate: _Coordinate, value: float) -> float:
    if not coordinate.is_log:
        return value
    return math.log(max(value, coordinate.low))


def _coordinates_of(parameters: FilterParameters) -> NDArray[np.float64]:
    return np.array([_scaled(c, getattr(parameters, c.name)) for c in COORDINATES])


def _parameters_at(x: NDArray[np.float64]) -> FilterParameters:
    values = {
        c.name: math.exp(value) if c.is_log else value
        for c, value in zip(COORDINATES, x.tolist(), strict=True)
    }
    return dataclasses.replace(FilterParameters(), **values)
