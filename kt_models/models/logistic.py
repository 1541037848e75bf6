"""The strong logistic model: Best-LR with time windows.

Item and concept intercepts, the learner's totals, and per concept its totals, as in Best-LR
(Gervet, Koedinger, Schneider & Mitchell 2020); and counts over windows of an hour, a day, a week, a
month and ever, as in DAS3H (Choffin, Popineau, Bourda & Vie 2019), of the item's concepts, of the
learner and of the item itself; and the last five outcomes and whether the last answer was to this
very item. Windows have weights that all concepts share: weights per concept, as published,
predicted no better on validation learners. A count n enters as log(1 + n), of all answers, of right
and of wrong ones: their logarithms say what none of them says alone.
"""

import itertools
import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from typing_extensions import override

from kt_models.data.log import ResponseLog
from kt_models.errors import ImpossibleSetting
from kt_models.models.base import States
from kt_models.models.linear import LinearModel
from kt_models.settings import require_above_zero, require_at_least
from kt_models.training.window_counts import LAST, blank, count_windows

HOUR, DAY = 3600.0, 86_400.0


@dataclass(frozen=True, slots=True)
class LogisticConfig:
    """What the logistic model decides beforehand.

    Attributes:
        penalty: of the ridge, on every weight.
        windows: lengths in seconds, ascending; one over all of the past is added.
        memory: a learner's last answers, among which windows count.
    """

    penalty: float = 1.0
    windows: tuple[float, ...] = (HOUR, DAY, 7.0 * DAY, 30.0 * DAY)
    memory: int = 256

    def __post_init__(self) -> None:
        """Refuse what cannot be built.

        Raises:
            ImpossibleSetting: naming the setting.
        """
        require_above_zero(self, "penalty")
        require_at_least(self, LAST, "memory")
        ends = (0.0, *self.windows, math.inf)
        if not all(before < after for before, after in itertools.pairwise(ends)):
            raise ImpossibleSetting(f"windows = {self.windows} must be above 0 and ascend.")


class Logistic(LinearModel):
    """Best-LR with the time windows of DAS3H; see `window_counts.blank` for the state."""

    name: ClassVar[str] = "logistic"
    config: LogisticConfig

    def __init__(self, config: LogisticConfig | None = None) -> None:
        """Create an unfitted model."""
        super().__init__(config or LogisticConfig())

    @override
    def init(self, count: int) -> States:
        concepts = len(self.vocabulary.concept_keys)
        return blank(count, memory=self.config.memory, concepts=concepts)

    @override
    def _features(self, log: ResponseLog, states: States, *, learning: bool) -> sparse.csr_array:
        vocabulary = self.vocabulary
        concepts = len(vocabulary.concept_keys)
        seconds = np.array([*self.config.windows, np.inf])
        counted = count_windows(
            log,
            states,
            seconds=seconds,
            items=len(vocabulary.item_keys),
            concept_sets=vocabulary.concept_sets,
            learning=learning,
        )
        of_learner, of_item, of_concept = map(_logs, counted[:3])
        sets = log.concept_sets
        present = ((sets >= 0) & (sets < concepts))[log.concept_set]
        many = np.maximum(present.sum(axis=1), 1)[:, None]
        ever = of_concept[:, :, len(seconds) - 1 :: len(seconds)]
        blocks = [
            _by_concept(log, present, np.ones_like(ever[:, :, :1]), concepts),
            _by_concept(log, present, ever, concepts),
            sparse.csr_array((of_concept * present[..., None]).sum(axis=1) / many),
            sparse.csr_array(of_learner),
            sparse.csr_array(of_item),
            sparse.csr_array(counted.last),
        ]
        return sparse.csr_array(sparse.hstack(blocks, format="csr"))


def _logs(counted: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return [.., 3 W] log(1 + answers), log(1 + right), log(1 + wrong) from answers and right."""
    answers, right = np.split(counted, 2, axis=-1)
    found: NDArray[np.float32] = np.log1p(
        np.concatenate([answers, right, np.maximum(answers - right, 0.0)], axis=-1)
    )
    return found


def _by_concept(
    log: ResponseLog, present: NDArray[np.bool_], values: NDArray[np.float32], concepts: int
) -> sparse.csr_array:
    """Return [R, K * V] the values [R, M, V] in the columns of their concepts."""
    width = values.shape[2]
    rows, places = np.nonzero(present)
    taken = values[rows, places]
    columns = log.concepts[rows, places][:, None] * width + np.arange(width)
    met = taken != 0.0
    entries = (taken[met], (np.broadcast_to(rows[:, None], met.shape)[met], columns[met]))
    return sparse.csr_array(entries, shape=(len(log), concepts * width))
