"""How much a deep tracer's shifts of the filter count, fitted and judged on held-out answers.

See `kt_models.streaming.pool` for what a shift is. The weight of each lag is one number of its own,
since a prediction has one lag; those of one half of the learners judge the other half.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from kt_models.data.splits import NothingToSplit
from kt_models.evaluation import metrics, resampling
from kt_models.evaluation.metrics import Metric
from kt_models.streaming.pool import LARGEST_WEIGHT, PoolWeights
from kt_models.streaming.psi_reading import sigmoid
from kt_models.training.logits import to_logit
from kt_models.training.pool_replay import Replay

FloatArray = NDArray[np.float64]

AGED_AFTER_S = 3600.0
# Pulls a weight to 0, the filter alone: little against thousands of answers, and all there is
# where nothing was seen of a lag. In units of 1 / weight^2, for the summed log loss in nats.
RIDGE = 5.0
SCORES: dict[str, Metric] = {
    "log_loss": metrics.log_loss,
    "brier": metrics.brier,
    "auc": metrics.auc,
}


@dataclass(frozen=True, slots=True)
class PoolFit:
    """Weights and what they are worth.

    Attributes:
        weights: fitted on all learners of the replay.
        figures: JSON values. `filter`, `deep` (the deep tracer alone, which has seen every answer)
            and `pooled`, one for each lag, each judged by weights from learners other than those
            that they judge: `log_loss`, `brier`, `auc`, `calibration_error`; of `pooled` also
            `above_filter` and `above_deep`: by score, the difference and its 95 % interval by
            learner. `concepts` is the pool at lag 0 had the item itself not been predicted and its
            concepts' mean shift stood for it, by the concepts' own weight; in
            `concepts_as_items` by the items'.
    """

    weights: PoolWeights
    figures: dict[str, Any]


def fit_pool(
    replay: Replay,
    *,
    aged_after_s: float = AGED_AFTER_S,
    seed: int = 0,
    resamples: int = 300,
) -> PoolFit:
    """Return the weights of a replayed log, and how the pool fares beside its parts.

    Args:
        replay: of learners whom no model has learnt from.
        aged_after_s: seconds after which a prediction counts as aged.
        seed: of the halves and of the bootstrap.
        resamples: of the bootstrap.

    Raises:
        NothingToSplit: fewer than two learners.
        OneKindOfAnswer: all answers are right, or all wrong.
    """
    logits = _judged(replay, aged_after_s=aged_after_s, seed=seed)
    judge = _Judge(replay, seed, resamples)
    lags = replay.shifts.shape[1]
    predicted = np.isfinite(replay.shifts).mean(axis=0).tolist()
    by_concept = float(np.isfinite(replay.concept_shifts).mean())
    return PoolFit(
        weights=dataclasses.replace(
            fit_weights(replay, aged_after_s=aged_after_s),
            concepts=fit_concept_weight(replay, aged_after_s=aged_after_s),
        ),
        figures={
            "learners": len(np.unique(replay.learner)),
            "answers": len(replay.learner),
            "filter": judge.scores(replay.filter_prob),
            "deep": judge.scores(replay.deep_prob),
            "pooled": [
                {"lag": lag, "predicted": predicted[lag]} | judge.beside(sigmoid(logits[:, lag]))
                for lag in range(lags)
            ],
            "concepts": {"predicted": by_concept} | judge.beside(sigmoid(logits[:, lags])),
            "concepts_as_items": judge.beside(sigmoid(logits[:, lags + 1])),
        },
    )


def fit_weights(replay: Replay, *, aged_after_s: float = AGED_AFTER_S) -> PoolWeights:
    """Return the weights of least log loss, held to 0 by a light ridge and within 0 to 1.5."""
    known = to_logit(replay.filter_prob)
    old = replay.ages > aged_after_s

    def fitted(lag: int, rows: NDArray[np.bool_]) -> float:
        there = rows & np.isfinite(replay.shifts[:, lag])
        return _weight(known[there], replay.shifts[there, lag], replay.correct[there])

    lags = tuple(fitted(lag, ~old[:, lag]) for lag in range(replay.shifts.shape[1]))
    return PoolWeights(lags=lags, aged=fitted(0, old[:, 0]), aged_after_s=aged_after_s)


def fit_concept_weight(replay: Replay, *, aged_after_s: float = AGED_AFTER_S) -> float:
    """Return the weight of least log loss of the concepts' mean shift, where it is not aged."""
    there = np.isfinite(replay.concept_shifts) & (replay.ages[:, 0] <= aged_after_s)
    part = replay.rows(there)
    return _weight(to_logit(part.filter_prob), part.concept_shifts, part.correct)


def pooled_logits(replay: Replay, weights: PoolWeights) -> FloatArray:
    """Return [R, L] logits as they would be served at each lag; the filter's without a prediction.

    Args:
        replay: the answers.
        weights: of at least L lags.
    """
    shifts = np.nan_to_num(replay.shifts)
    return to_logit(replay.filter_prob)[:, None] + _weights_of(replay, weights) * shifts


def _weights_of(replay: Replay, weights: PoolWeights) -> FloatArray:
    """Return [R, L] `PoolWeights.weight` of each prediction."""
    fresh = np.array(weights.lags[: replay.shifts.shape[1]])
    old = replay.ages > weights.aged_after_s
    return np.where(old, np.minimum(fresh, weights.aged), fresh)


def _weight(known: FloatArray, shift: FloatArray, correct: FloatArray) -> float:
    """Return the w of least log loss of known + w shift; the loss is convex in it."""

    def slope(w: float) -> float:
        error = sigmoid(known + w * shift) - correct
        return float(error @ shift) + RIDGE * w

    if slope(0.0) >= 0.0:
        return 0.0
    if slope(LARGEST_WEIGHT) <= 0.0:
        return LARGEST_WEIGHT
    return float(brentq(slope, 0.0, LARGEST_WEIGHT, xtol=1e-6))


def _judged(replay: Replay, *, aged_after_s: float, seed: int) -> FloatArray:
    """Return [R, L + 2] logits from weights that other learners gave: pooled, then by concepts."""
    names, member = np.unique(replay.learner, return_inverse=True)
    if len(names) < 2:
        raise NothingToSplit("Weights are judged on other learners: give at least two.")
    side = np.random.default_rng(seed).permutation(len(names)) % 2 == 0
    mine = side[member]
    lags = replay.shifts.shape[1]
    logits = np.empty((len(replay.learner), lags + 2))
    for here in (mine, ~mine):
        others, part = replay.rows(~here), replay.rows(here)
        weights = fit_weights(others, aged_after_s=aged_after_s)
        own = fit_concept_weight(others, aged_after_s=aged_after_s)
        by_concept = dataclasses.replace(weights, lags=(own,))
        instead = dataclasses.replace(
            part, shifts=part.concept_shifts[:, None], ages=part.ages[:, :1]
        )
        logits[here, :lags] = pooled_logits(part, weights)
        logits[here, lags] = pooled_logits(instead, by_concept)[:, 0]
        logits[here, lags + 1] = pooled_logits(instead, weights)[:, 0]
    return logits


@dataclass(frozen=True, slots=True)
class _Judge:
    replay: Replay
    seed: int
    resamples: int

    def scores(self, prob: FloatArray) -> dict[str, Any]:
        correct, once = self.replay.correct, np.ones(len(prob))
        found = {name: score(correct, prob, once) for name, score in SCORES.items()}
        return found | {"calibration_error": metrics.calibration_error(correct, prob)}

    def beside(self, prob: FloatArray) -> dict[str, Any]:
        return self.scores(prob) | {
            "above_filter": self._differences(prob, self.replay.filter_prob),
            "above_deep": self._differences(prob, self.replay.deep_prob),
        }

    def _differences(self, prob: FloatArray, other: FloatArray) -> dict[str, list[float]]:
        return {name: self._difference(score, prob, other) for name, score in SCORES.items()}

    def _difference(self, score: Metric, prob: FloatArray, other: FloatArray) -> list[float]:
        found = resampling.paired(
            score,
            correct=self.replay.correct,
            prob=prob,
            other=other,
            learner=self.replay.learner,
            seed=self.seed,
            resamples=self.resamples,
        )
        return [found.value, found.low, found.high]
