"""The figures that are reported of one model's predictions, all of them on the same answers."""

import dataclasses
import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kt_models.data.log import ResponseLog
from kt_models.errors import ShapeMismatch
from kt_models.evaluation import metrics, resampling
from kt_models.evaluation.metrics import PositionBin, ReliabilityBin
from kt_models.evaluation.protocols import Predictions
from kt_models.evaluation.resampling import RESAMPLES, Interval


@dataclass(frozen=True, slots=True)
class ScoredAnswers:
    """The answers that count and what a model said of them; R of them.

    Attributes:
        learner: [R] index of the learner among the test learners.
        position: [R] answers of that learner before this one.
        item: [R] index of the item in the log.
        correct: [R] 0 to 1.
        prob: [R] P(right) as predicted.
    """

    learner: NDArray[np.int64]
    position: NDArray[np.int64]
    item: NDArray[np.int64]
    correct: NDArray[np.float64]
    prob: NDArray[np.float64]

    @classmethod
    def of(cls, predictions: Predictions) -> "ScoredAnswers":
        """Return the scored answers of a trial."""
        test, scored = predictions.trial.test, predictions.trial.scored
        return cls(
            learner=test.learner[scored],
            position=test.position[scored],
            item=test.item[scored],
            correct=test.correct[scored],
            prob=predictions.prob[scored],
        )

    def sha256(self) -> str:
        """Return a hash of which answers these are; the same for every model asked them."""
        digest = hashlib.sha256()
        for name in ("learner", "position", "item", "correct"):
            digest.update(np.ascontiguousarray(getattr(self, name)).tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Figures:
    """What a model reached.

    Attributes:
        auc: chance is 0.5.
        log_loss: nats per answer.
        brier: mean squared error.
        calibration_error: over 20 bins of equally many answers.
        accuracy: share of answers on whose side of a half the prediction lay.
        majority_rate: accuracy of always naming the commoner kind.
        n: answers scored.
        learners: whose answers they are.
        auc_by_position: AUC by how many answers the learner gave before.
        reliability: points of the reliability diagram.
    """

    auc: Interval
    log_loss: Interval
    brier: Interval
    calibration_error: float
    accuracy: float
    majority_rate: float
    n: int
    learners: int
    auc_by_position: tuple[PositionBin, ...]
    reliability: tuple[ReliabilityBin, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values; a figure with an interval has `_low` and `_high` beside it."""
        values: dict[str, Any] = {}
        for name in ("auc", "log_loss", "brier"):
            found: Interval = getattr(self, name)
            values |= {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
        for name in ("calibration_error", "accuracy", "majority_rate", "n", "learners"):
            values[name] = getattr(self, name)
        for name in ("auc_by_position", "reliability"):
            values[name] = [dataclasses.asdict(one) for one in getattr(self, name)]
        return values


def figures_of(answers: ScoredAnswers, *, seed: int, resamples: int = RESAMPLES) -> Figures:
    """Return the figures of predictions.

    Args:
        answers: what was predicted and what came.
        seed: of the bootstrap by learner.
        resamples: of it.

    Raises:
        OneKindOfAnswer: all answers are right, or all are wrong.
        ShapeMismatch: there is no answer, or a prediction is no probability.
    """
    correct, prob = answers.correct, answers.prob
    if not ((prob >= 0.0) & (prob <= 1.0)).all():
        raise ShapeMismatch("Every scored answer needs a prediction between 0 and 1.")
    intervals = {
        metric.__name__: resampling.by_learner(
            metric,
            correct=correct,
            prob=prob,
            learner=answers.learner,
            seed=seed,
            resamples=resamples,
        )
        for metric in (metrics.auc, metrics.log_loss, metrics.brier)
    }
    return Figures(
        calibration_error=metrics.calibration_error(correct, prob),
        accuracy=metrics.accuracy(correct, prob),
        majority_rate=metrics.majority_rate(correct),
        n=len(correct),
        learners=len(np.unique(answers.learner)),
        auc_by_position=metrics.auc_by_position(correct, prob, answers.position),
        reliability=metrics.reliability(correct, prob),
        **intervals,
    )


def first_meetings(log: ResponseLog) -> NDArray[np.bool_]:
    """Return [R] whether the learner meets the item for the first time in the log."""
    pair = log.learner * len(log.item_keys) + log.item
    _, first = np.unique(pair, return_index=True)
    fresh = np.zeros(len(log), dtype=bool)
    fresh[first] = True
    return fresh
