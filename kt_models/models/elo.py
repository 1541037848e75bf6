"""Elo ratings of learners, their concepts and items (Pelánek 2016), all steps fitted.

The logit of a right answer is  ability + m^-share * sum over the item's m concepts of the learner's
deviation on each + easiness of the item.  After an answer, ability and deviations move by
K (correct - P(right)), where K falls with the answers behind a rating: first / (1 + decay n).
Deviations fade by a power law of time. Easiness is what training learners leave: the value at which
the prequential errors of an item cancel, which is where small Elo steps of the item come to rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from typing_extensions import override

from kt_models.data.log import ResponseLog
from kt_models.models import elo_kernel
from kt_models.models.base import Fitting, States
from kt_models.models.folding import FoldingModel, offsets_of_answers, require_shapes
from kt_models.settings import require_above_zero, require_at_least

# Name, start, least and largest of what is fitted. The first steps are on a log scale.
SCALARS = (
    ("ability_step", 0.3, 0.01, 3.0),
    ("ability_decay", 0.1, 1e-4, 3.0),
    ("concept_step", 0.15, 0.001, 3.0),
    ("concept_decay", 0.05, 1e-4, 3.0),
    ("concept_share", 0.5, 0.0, 1.0),
    ("fading_days", 3.0, 0.01, 1000.0),
    ("fading_power", 0.05, 0.0, 3.0),
    ("right_weight", 1.0, 0.2, 3.0),
)
ON_LOG = np.array([name.endswith(("step", "decay", "days", "weight")) for name, *_ in SCALARS])
POWER = [name for name, *_ in SCALARS].index("fading_power")


@dataclass(frozen=True, slots=True)
class EloConfig:
    """What Elo decides beforehand.

    Attributes:
        fades: whether deviations fade with time.
        item_var: variance of items around their mean, which draws rare items to it.
        sweeps: Newton steps on the items between two fits of the scalars.
        turns: fits of the scalars.
        sample: answers of training learners drawn at random that the scalars are fitted on.
    """

    fades: bool = True
    item_var: float = 1.0
    sweeps: int = 6
    turns: int = 2
    sample: int = 150_000

    def __post_init__(self) -> None:
        """Refuse what cannot be built.

        Raises:
            ImpossibleSetting: naming the setting.
        """
        require_above_zero(self, "item_var")
        require_at_least(self, 1, "sweeps", "turns", "sample")


class Elo(FoldingModel):
    """Elo ratings.

    A state holds ability [B] and the answers behind it [B]; per concept deviation [B, K], the
    answers behind it [B, K], and the epoch second of the last of them [B, K].
    """

    name: ClassVar[str] = "elo"
    config: EloConfig

    def __init__(self, config: EloConfig | None = None) -> None:
        """Create an unfitted model."""
        super().__init__(config or EloConfig())
        self.scalars = np.array([start for _, start, _, _ in SCALARS])
        self.item = np.empty(0)
        self.concept = np.empty(0)
        self.mean = 0.0

    @override
    def _fit(self, train: ResponseLog, held_out: ResponseLog, fitting: Fitting) -> None:
        if not self.config.fades:
            self.scalars[POWER] = 0.0
        sample = _sample(train, answers=self.config.sample, seed=fitting.seed)
        self.item = self.vocabulary.item_logits
        for turn in range(self.config.turns):
            self._fit_items(train)
            self._fit_scalars(sample)
            fitting.report(turn + 1, self.config.turns, {})
        self._fit_items(train)
        self._finish_items(train)

    def _fit_items(self, log: ResponseLog) -> None:
        size = len(log.item_keys)
        count = np.bincount(log.item, minlength=size)
        for _ in range(self.config.sweeps):
            prob = self._rated(log, self.item[log.item])
            slope = np.bincount(log.item, log.correct - prob, minlength=size)
            curvature = np.bincount(log.item, prob * (1.0 - prob), minlength=size)
            mean = float(curvature @ self.item / curvature.sum())
            spread = self.config.item_var
            step = (slope - (self.item - mean) / spread) / (curvature + 1.0 / spread)
            self.item = np.where(count > 0, self.item + np.clip(step, -1.0, 1.0), mean)
            self.mean = mean

    def _finish_items(self, log: ResponseLog) -> None:
        """Give new items the mean of their concepts' items, by answers."""
        rows, columns = np.nonzero(log.concepts >= 0)
        met, size = log.concepts[rows, columns], len(log.concept_keys)
        # A few answers' worth of the overall mean stands behind every concept.
        total = np.bincount(met, self.item[log.item[rows]], minlength=size) + 5.0 * self.mean
        self.concept = total / (np.bincount(met, minlength=size) + 5.0)
        self.item[self.vocabulary.item_counts == 0] = np.nan

    def _fit_scalars(self, log: ResponseLog) -> None:
        offsets = self.item[log.item]
        free = np.array([name != "fading_power" or self.config.fades for name, *_ in SCALARS])
        low, high = (np.array([row[k] for row in SCALARS]) for k in (2, 3))
        bounds = np.stack([_to_scale(low), _to_scale(high)], axis=1)[free]

        def loss(x: NDArray[np.float64], /) -> float:
            full = _to_scale(self.scalars)
            full[free] = x
            prob = np.clip(self._rated(log, offsets, _from_scale(full)), 1e-9, 1.0 - 1e-9)
            losses = log.correct * np.log(prob) + (1.0 - log.correct) * np.log1p(-prob)
            return -float(np.mean(losses))

        found = minimize(
            loss,
            _to_scale(self.scalars)[free],
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": 60, "eps": 1e-4, "ftol": 2e-7},
        )
        full = _to_scale(self.scalars)
        full[free] = found.x
        self.scalars = _from_scale(full)

    def _rated(
        self,
        log: ResponseLog,
        offsets: NDArray[np.float64],
        scalars: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float64]:
        """Return [R] prequential predictions of a whole log."""
        # One learner's room serves all of them, one after the other.
        room = self.init(1)
        return _rate(log, offsets, self.scalars if scalars is None else scalars, room, shared=True)

    @override
    def init(self, count: int) -> States:
        shape = (count, len(self.vocabulary.concept_keys))
        return {
            "ability": np.zeros(count),
            "answers": np.zeros(count),
            "deviation": np.zeros(shape),
            "practised": np.zeros(shape),
            "practised_at": np.zeros(shape),
        }

    @override
    def _predict(self, log: ResponseLog) -> NDArray[np.float64]:
        return self._rated(log, self._offsets(log))

    @override
    def _fold(self, log: ResponseLog, states: States, *, learning: bool) -> NDArray[np.float64]:
        return _rate(log, self._offsets(log), self.scalars, states, learning=learning)

    def _offsets(self, log: ResponseLog) -> NDArray[np.float64]:
        return offsets_of_answers(log, item=self.item, concept=self.concept, unknown=self.mean)

    @override
    def arrays(self) -> dict[str, NDArray[Any]]:
        mean = np.array([self.mean])
        return {
            "scalars": self.scalars,
            "item": self.item,
            "concept": self.concept,
            "mean": mean,
        }

    @override
    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        shapes = {
            "scalars": (len(SCALARS),),
            "item": (len(self.vocabulary.item_keys),),
            "concept": (len(self.vocabulary.concept_keys),),
            "mean": (1,),
        }
        require_shapes(arrays, shapes)
        self.scalars, self.mean = arrays["scalars"], float(arrays["mean"][0])
        self.item, self.concept = arrays["item"], arrays["concept"]


def _to_scale(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(ON_LOG, np.log(np.maximum(values, 1e-12)), values)


def _from_scale(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(ON_LOG, np.exp(np.where(ON_LOG, values, 0.0)), values)


def _sample(log: ResponseLog, *, answers: int, seed: int) -> ResponseLog:
    """Return the log of learners drawn at random until they hold that many answers."""
    order = np.random.default_rng(seed).permutation(len(log.learner_keys))
    held = np.cumsum(np.diff(log.starts)[order])
    return log.only_learners(np.sort(order[: int(np.searchsorted(held, answers)) + 1]))


def _rate(
    log: ResponseLog,
    offsets: NDArray[np.float64],
    scalars: NDArray[np.float64],
    states: States,
    *,
    learning: bool = True,
    shared: bool = False,
) -> NDArray[np.float64]:
    """Return [R] predictions; `shared` states are one learner's, blank again for each."""
    known = states["deviation"].shape[1]
    prob = np.empty(len(log))
    answers = elo_kernel.Answers(
        concept_set=log.concept_set,
        concept_sets=np.where(log.concept_sets < known, log.concept_sets, -1),
        correct=log.correct,
        shown_at=log.shown_at,
        answered_at=log.answered_at,
        offset=offsets,
    )
    elo_kernel.rate_answers(
        log.starts,
        answers,
        elo_kernel.Scalars(*scalars),
        elo_kernel.Ratings(**states),
        prob,
        learning,
        shared,
    )
    return prob
