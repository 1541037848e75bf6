"""The one protocol: fit on some learners, predict every answer of the others before it is known."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kt_models.data.log import ResponseLog
from kt_models.data.splits import split_learners
from kt_models.errors import KTModelError
from kt_models.evaluation import metrics, resampling
from kt_models.evaluation.figures import first_meetings
from kt_models.evaluation.resampling import Interval
from kt_models.models import MODELS

__all__ = ["Comparison", "Scores", "UnknownModel", "compare_models", "first_meetings", "score"]


class UnknownModel(KTModelError):
    """There is no model of this name."""


@dataclass(frozen=True, slots=True)
class Scores:
    """What one model reached on the test learners.

    Attributes:
        model: its name.
        prob: [R] its prediction of each test answer.
        auc: chance is 0.5.
        log_loss: nats per answer.
        brier: mean squared error.
        calibration_error: over 20 bins of equally many answers.
    """

    model: str
    prob: NDArray[np.float64]
    auc: Interval
    log_loss: Interval
    brier: Interval
    calibration_error: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Models on one split: `test` is the log of the test learners that all of them predicted."""

    train: ResponseLog
    test: ResponseLog
    scores: tuple[Scores, ...]


def compare_models(
    log: ResponseLog,
    *,
    models: Sequence[str],
    seed: int,
    test_share: float = 0.2,
    resamples: int = 500,
    progress: Callable[[str], object] | None = None,
) -> Comparison:
    """Return the scores of models on one split by learner, on the same answers.

    Args:
        log: the answers of all learners.
        models: names out of `MODELS`.
        seed: of the split and of the bootstrap.
        test_share: share of the learners that is tested on.
        resamples: of the bootstrap by learner.
        progress: called with each model's name when its turn comes.

    Raises:
        UnknownModel: a name is not in `MODELS`.
        NothingToSplit: the log has too few learners.
    """
    strange = [name for name in models if name not in MODELS]
    if strange:
        known = ", ".join(MODELS)
        raise UnknownModel(f"No model is called {', '.join(strange)}; there are {known}.")
    training, testing = split_learners(log, test_share=test_share, seed=seed)
    train, test = log.only_learners(training), log.only_learners(testing)
    scores = []
    for name in models:
        if progress is not None:
            progress(name)
        model = MODELS[name]()
        model.fit(train)
        prob = model.predict(test)
        scores.append(score(name, test, prob, seed=seed, resamples=resamples))
    return Comparison(train, test, tuple(scores))


def score(
    model: str,
    log: ResponseLog,
    prob: NDArray[np.float64],
    *,
    seed: int,
    resamples: int = 500,
) -> Scores:
    """Return the scores of predictions of all answers in a log."""
    found = {
        name: resampling.by_learner(
            metric,
            correct=log.correct,
            prob=prob,
            learner=log.learner,
            seed=seed,
            resamples=resamples,
        )
        for name, metric in (
            ("auc", metrics.auc),
            ("log_loss", metrics.log_loss),
            ("brier", metrics.brier),
        )
    }
    return Scores(
        model=model,
        prob=prob,
        calibration_error=metrics.calibration_error(log.correct, prob),
        **found,
    )
