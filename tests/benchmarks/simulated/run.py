"""One run: simulate a cohort, fit the filter on half of it, judge it on the other half."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np

from curriculum.simulation import Cohort, Population, SimulatedCourse, simulate_cohort
from kt_models.checkpoints import FittedFilter
from kt_models.training.psi_filter import fit_filter, forecast
from tests.benchmarks.simulated import estimates, scores

LEARNERS = 300
PARTICLES = 8_000
SHUFFLES = 10
# A fixed moment, so that a run is the same on any day.
END_AT = 1_790_000_000.0


@dataclass(frozen=True, slots=True)
class Halves:
    """Who is learnt from and who is judged: of the first 300, the even and the odd half.

    Learners are alike by construction, so the order carries nothing.
    """

    training: range
    test: range


def run(
    course: SimulatedCourse, population: Population, *, seed: int, extra: int = 0
) -> dict[str, Any]:
    """Return all figures of one run.

    Args:
        course: what is taught.
        population: who learns.
        seed: of the cohort; also of the items' true parameters.
        extra: learners simulated beyond the 300, to fit on instead of the half of 150.
    """
    cohort = simulate_cohort(
        course, learners=LEARNERS + extra, seed=seed, end_at=END_AT, population=population
    )
    halves = Halves(
        range(LEARNERS, LEARNERS + extra) if extra else range(0, LEARNERS, 2),
        range(1, LEARNERS, 2),
    )
    fitted = fit_filter(
        estimates.log_of(cohort, halves.training),
        seed=seed,
        fitted_on=dt.datetime.fromtimestamp(END_AT, dt.UTC).date(),
    )
    return _judge(cohort, halves, fitted, seed=seed) | {
        "seed": seed,
        "fitted_on_learners": len(halves.training),
        "parameters": {k: round(v, 4) for k, v in fitted.parameters.to_dict().items()},
    }


def _judge(cohort: Cohort, halves: Halves, fitted: FittedFilter, *, seed: int) -> dict[str, Any]:
    pairs = estimates.practised_pairs(cohort, halves.test)
    outcomes = cohort.responses.correct
    own = estimates.filter_estimates(cohort, pairs, fitted, correct=outcomes)
    best = estimates.posterior_estimates(cohort, pairs, particles=PARTICLES)
    return {
        "pairs": len(pairs.learner),
        "targets": {
            target: _compare(pairs, target, own[target], best[target], seed=seed)
            for target in estimates.TARGETS
        },
        "peers": _peers(cohort, pairs, halves),
        "shuffled_answers": _shuffled(cohort, pairs, fitted, seed=seed),
        "calibration": _calibration(cohort, halves, fitted, seed=seed),
    }


def _compare(
    pairs: estimates.Pairs,
    target: str,
    own: np.ndarray,
    best: np.ndarray,
    *,
    seed: int,
) -> dict[str, Any]:
    """Return how near filter and posterior come to the truth, and the ratio of the two."""
    truth = pairs.truth[target]
    centred = [scores.within_concepts(values, pairs.concept) for values in (truth, own, best)]

    def ratio(weight: np.ndarray, of: list[np.ndarray]) -> float:
        return scores.correlation(of[0], of[1], weight) / scores.correlation(of[0], of[2], weight)

    even = np.ones(len(truth))
    return {
        "filter": round(scores.correlation(truth, own, even), 4),
        "posterior": round(scores.correlation(truth, best, even), 4),
        "ratio": scores.bootstrap(
            lambda weight: ratio(weight, [truth, own, best]), pairs.learner, seed=seed
        ).rounded(),
        "within_concept_filter": round(scores.correlation(centred[0], centred[1], even), 4),
        "within_concept_posterior": round(scores.correlation(centred[0], centred[2], even), 4),
        "within_concept_ratio": round(ratio(even, centred), 4),
    }


def _shuffled(
    cohort: Cohort, pairs: estimates.Pairs, fitted: FittedFilter, *, seed: int
) -> dict[str, float]:
    """Return what is left when the filter reads outcomes shuffled over all answers.

    `blank` is the correlation of its states with the true ones within concepts when every outcome
    is the average one: what the sequence of items and hints alone gives away. `mean` and `sd` are
    those of shuffled outcomes beyond that, near 0 if the benchmark does not leak.
    """
    rng = np.random.default_rng([seed, 2])
    outcomes = cohort.responses.correct.astype(float)
    even = np.ones(len(pairs.learner))
    truth = scores.within_concepts(pairs.truth["state"], pairs.concept)

    def state_from(correct: np.ndarray) -> np.ndarray:
        found = estimates.filter_estimates(cohort, pairs, fitted, correct=correct)["state"]
        return scores.within_concepts(found, pairs.concept)

    blank = state_from(np.full(len(outcomes), outcomes.mean()))
    left = scores.beyond(truth, blank)
    found = [
        scores.correlation(left, scores.beyond(state_from(rng.permutation(outcomes)), blank), even)
        for _ in range(SHUFFLES)
    ]
    return {
        "blank": round(scores.correlation(truth, blank, even), 4),
        "mean": round(float(np.mean(found)), 4),
        "sd": round(float(np.std(found)), 4),
    }


def _peers(cohort: Cohort, pairs: estimates.Pairs, halves: Halves) -> dict[str, dict[str, float]]:
    """Return the weak peers' correlations with state and mastery."""
    even = np.ones(len(pairs.learner))
    return {
        name: {
            target: round(scores.correlation(pairs.truth[target], values, even), 4)
            for target in ("state", "mastery_prob")
        }
        for name, values in estimates.peer_estimates(cohort, pairs, halves.training).items()
    }


def _calibration(
    cohort: Cohort, halves: Halves, fitted: FittedFilter, *, seed: int
) -> dict[str, Any]:
    """Return the calibration of the forecasts of all unassisted answers of the test half.

    `floor` is the error of the true probabilities themselves: what chance alone leaves.
    """
    log = estimates.log_of(cohort, halves.test)
    kept = ~log.assisted
    rows = np.concatenate([np.r_[cohort.rows_of(learner)] for learner in halves.test])
    prob, correct = forecast(fitted, log).prob[kept], log.correct[kept]
    true_prob = cohort.responses.prob[rows][kept]
    even = np.ones(len(prob))
    return {
        "answers": int(kept.sum()),
        "error": scores.bootstrap(
            lambda weight: scores.calibration_error(prob, correct, weight),
            log.learner[kept],
            seed=seed,
        ).rounded(),
        "floor": round(scores.calibration_error(true_prob, correct, even), 4),
        "log_loss": round(_log_loss(prob, correct), 4),
        "log_loss_of_truth": round(_log_loss(true_prob, correct), 4),
    }


def _log_loss(prob: np.ndarray, correct: np.ndarray) -> float:
    return float(-np.mean(np.log(np.where(correct > 0.5, prob, 1.0 - prob))))
