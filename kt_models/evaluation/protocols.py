"""Protocols: who is learnt from, which answers are scored, and what is known when one is predicted.

- `learner-split`: learn from some learners, predict every answer of the others from their earlier
  ones.
- `cold-start`: the same, of which the first answers of each unseen learner are scored.
- `time-split`: learn from the answers before a moment, score those from it on.
- `forecast`: learn from some learners, and of the others predict answers 11 to 20 from the first
  ten alone, open loop: which items come and when is known, outcomes are not.

No history is ever cut: whatever a learner answered before a scored answer is there to predict from,
but for the open loop, where that is the point.
"""

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kt_models.data.log import ResponseLog
from kt_models.data.splits import (
    NothingToSplit,
    answered_enough,
    first_answers,
    split_fold,
    split_time,
)
from kt_models.errors import KTModelError
from kt_models.models.base import AbstractModel, Fitting

MakeModel = Callable[[], AbstractModel]

GIVEN, ASKED = 10, 10
COLD = 10


class UnknownProtocol(KTModelError):
    """There is no protocol of this name."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What a protocol makes of a log.

    Attributes:
        protocol: its name.
        train: the answers to learn from.
        test: the answers that are predicted, or that others are predicted from.
        scored: [R] which answers of `test` count.
        given: answers of each test learner after which outcomes are hidden; None hides none.
    """

    protocol: str
    train: ResponseLog
    test: ResponseLog
    scored: NDArray[np.bool_]
    given: int | None = None


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a model said in a trial.

    Attributes:
        trial: the protocol's answers.
        prob: [R] P(right) of each answer of `trial.test`; nan where nothing was asked.
        seconds: of fitting and predicting, by the clock.
        model: the fitted model.
    """

    trial: Trial
    prob: NDArray[np.float64]
    seconds: float
    model: AbstractModel


def learner_split(log: ResponseLog, *, fold: int = 0, folds: int = 5, seed: int = 0) -> Trial:
    """Return a fold of a split by learner; every answer of its test learners is scored.

    Raises:
        NothingToSplit: the log has fewer learners than folds.
    """
    training, testing = split_fold(log, fold=fold, folds=folds, seed=seed)
    test = log.only_learners(testing)
    return Trial("learner-split", log.only_learners(training), test, np.ones(len(test), dtype=bool))


def cold_start(
    log: ResponseLog, *, fold: int = 0, folds: int = 5, seed: int = 0, first: int = COLD
) -> Trial:
    """Return a fold of a split by learner that scores the first answers of each test learner.

    Raises:
        NothingToSplit: the log has fewer learners than folds.
    """
    whole = learner_split(log, fold=fold, folds=folds, seed=seed)
    test = first_answers(whole.test, first)
    return Trial("cold-start", whole.train, test, np.ones(len(test), dtype=bool))


def time_split(log: ResponseLog, *, train_share: float = 0.8) -> Trial:
    """Return a split at the moment before which `train_share` of the answers were given.

    Whoever answered on both sides is predicted from the earlier side too.

    Raises:
        NothingToSplit: the log has no times, or one side would be empty.
    """
    moment = split_time(log, train_share=train_share)
    train = log.before(moment)
    train = train.only_learners(answered_enough(train, 1))
    # Who stopped before the moment has nothing to be scored.
    going_on = np.unique(log.learner[log.answered_at >= moment])
    test = log.only_learners(going_on)
    return Trial("time-split", train, test, test.answered_at >= moment)


def forecast(
    log: ResponseLog,
    *,
    fold: int = 0,
    folds: int = 5,
    seed: int = 0,
    given: int = GIVEN,
    asked: int = ASKED,
) -> Trial:
    """Return a fold of a split by learner whose test learners are forecast, open loop.

    Test learners with fewer than `given` + `asked` answers are left out.

    Raises:
        NothingToSplit: no test learner answered that often.
    """
    whole = learner_split(log, fold=fold, folds=folds, seed=seed)
    long_enough = answered_enough(whole.test, given + asked)
    if not len(long_enough):
        longest = int(np.diff(whole.test.starts).max())
        raise NothingToSplit(
            f"forecast predicts {asked} answers from {given} and needs test learners with "
            f"{given + asked}; none of the {len(whole.test.learner_keys)} has more than {longest}."
        )
    test = first_answers(whole.test.only_learners(long_enough), given + asked)
    return Trial("forecast", whole.train, test, test.position >= given, given)


PROTOCOLS = ("learner-split", "time-split", "forecast", "cold-start")


def trial_of(
    log: ResponseLog, protocol: str, *, fold: int = 0, folds: int = 5, seed: int = 0
) -> Trial:
    """Return the trial of a protocol by name, with its usual numbers.

    Args:
        log: the answers of all learners.
        protocol: one of `PROTOCOLS`.
        fold: which learners are tested; `time-split` has one fold.
        folds: how many there are.
        seed: of dealing out the learners.

    Raises:
        UnknownProtocol: the name is none of them.
        NothingToSplit: the log cannot be split so; says why.
    """
    if protocol == "time-split":
        return time_split(log)
    by_name = {"learner-split": learner_split, "forecast": forecast, "cold-start": cold_start}
    if protocol not in by_name:
        known = ", ".join(PROTOCOLS)
        raise UnknownProtocol(f"No protocol is called {protocol}; there are {known}.")
    return by_name[protocol](log, fold=fold, folds=folds, seed=seed)


def run_trial(trial: Trial, make_model: MakeModel, fitting: Fitting | None = None) -> Predictions:
    """Return what a new model, fitted on the trial's training answers, predicts.

    Args:
        trial: of a protocol.
        make_model: returns an unfitted model.
        fitting: seed, folder and progress of the fit.
    """
    began = time.perf_counter()
    model = make_model()
    model.fit(trial.train, fitting or Fitting())
    prob = predict_trial(trial, model)
    return Predictions(trial, prob, time.perf_counter() - began, model)


def predict_trial(trial: Trial, model: AbstractModel) -> NDArray[np.float64]:
    """Return [R] P(right) of a trial's test answers; nan where nothing is asked."""
    if trial.given is None:
        return np.where(trial.scored, model.predict(trial.test), np.nan)
    prob = np.full(len(trial.test), np.nan)
    asked_most = int(np.diff(trial.test.starts).max()) - trial.given
    for ahead in range(asked_most):
        asked, rows = _open_loop(trial.test, trial.given, ahead)
        last = asked.position == trial.given
        prob[rows] = model.predict(asked)[last]
    return prob


def _open_loop(log: ResponseLog, given: int, ahead: int) -> tuple[ResponseLog, NDArray[np.int64]]:
    """Return each learner's given answers and one later question, and the questions' rows.

    What is not known beforehand is blanked, so that even a model that looked could see nothing.
    """
    there = answered_enough(log, given + ahead + 1)
    question = log.position == given + ahead
    asked = log.only_answers((log.position < given) | question).only_learners(there)
    blank = asked.position == given
    blanked = dataclasses.replace(
        asked,
        correct=np.where(blank, 0.0, asked.correct),
        answered_at=np.where(blank, asked.shown_at, asked.answered_at),
        assisted=asked.assisted & ~blank,
    )
    return blanked, np.flatnonzero(question)
