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
    if not 0 < cut < count:
        raise NothingToSplit(f"{count} learners cannot be split with a share of {test_share}.")
    return np.sort(order[cut:]), np.sort(order[:cut])


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
