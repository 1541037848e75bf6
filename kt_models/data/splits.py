"""Splits that keep the future and other learners' answers out of what is learnt."""

import numpy as np
from numpy.typing import NDArray

from kt_models.data.log import ResponseLog
from kt_models.errors import KTModelError


class NothingToSplit(KTModelError):
    """A split would leave one side without learners or answers."""


def split_learners(
    log: ResponseLog, *, test_share: float = 0.2, seed: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (training learners, test learners), each ascending; the same for the same seed.

    Raises:
        NothingToSplit: one side would be empty.
    """
    count = len(log.learner_keys)
    order = np.random.default_rng(seed).permutation(count)
    cut = round(count * test_share)
    if count < 2:
        raise NothingToSplit(f"A split needs at least two learners; the log has {count}.")
    if not 0 < cut < count:
        raise NothingToSplit(f"{count} learners cannot be split with a share of {test_share}.")
    return np.sort(order[cut:]), np.sort(order[:cut])


def learner_folds(
    log: ResponseLog, *, folds: int = 5, seed: int = 0
) -> tuple[NDArray[np.int64], ...]:
    """Return the test learners of each fold, ascending; every learner is tested in one fold.

    Learners are dealt out at random, so sizes differ by one at most. The same for the same seed.

    Raises:
        NothingToSplit: fewer than two folds, or fewer learners than folds.
    """
    count = len(log.learner_keys)
    if not 2 <= folds <= count:
        raise NothingToSplit(f"{count} learners cannot be dealt out over {folds} folds.")
    order = np.random.default_rng(seed).permutation(count)
    return tuple(np.sort(order[fold::folds]) for fold in range(folds))


def split_fold(
    log: ResponseLog, *, fold: int = 0, folds: int = 5, seed: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (training learners, test learners) of one fold of `learner_folds`, each ascending.

    Raises:
        NothingToSplit: there is no such fold, or there are fewer learners than folds.
    """
    if not 0 <= fold < folds:
        raise NothingToSplit(f"Fold {fold} is none of the {folds}, which are numbered from 0.")
    test = learner_folds(log, folds=folds, seed=seed)[fold]
    return np.setdiff1d(np.arange(len(log.learner_keys)), test), test


def split_time(log: ResponseLog, *, train_share: float = 0.8) -> float:
    """Return the moment (epoch seconds) before which `train_share` of the answers were given.

    Train on `log.before(moment)`; fold the whole log and score the answers from `moment` on.

    Raises:
        NothingToSplit: the log has no times, or the share leaves one side empty.
    """
    if not log.has_times or not len(log):
        raise NothingToSplit("A split by time needs answers with answered_at.")
    moment = float(np.quantile(log.answered_at, train_share))
    earlier = int((log.answered_at < moment).sum())
    if not 0 < earlier < len(log):
        raise NothingToSplit(f"A share of {train_share} leaves one side of the split empty.")
    return moment


def first_answers(log: ResponseLog, count: int) -> ResponseLog:
    """Return the first `count` answers of every learner, who may have fewer."""
    return log.only_answers(log.position < count)


def answered_enough(log: ResponseLog, count: int) -> NDArray[np.int64]:
    """Return the learners with at least `count` answers, ascending."""
    return np.flatnonzero(np.diff(log.starts) >= count)
