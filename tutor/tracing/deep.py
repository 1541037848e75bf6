"""Deep predictions as the web process reads them: shifts of the live filter. Numpy only.

Everything here is data in and data out; see docs/decisions/0024.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kt_models.streaming import pool
from kt_models.streaming.pool import PoolWeights, shifted
from kt_models.streaming.psi_filter import ConceptEstimates, FilterParameters
from kt_models.streaming.psi_reading import ConceptEstimate
from kt_models.streaming.psi_survey import Survey
from tutor.content.selectors import CourseBank
from tutor.tracing.shifts import Floats, Shifts

__all__ = [
    "DeepPart",
    "Prediction",
    "Rung",
    "Shifts",
    "Use",
    "lay_over",
    "part_of",
    "pool_concept",
    "pool_concepts",
    "pool_survey",
    "shifted",
    "use",
]


class Rung(enum.StrEnum):
    """What estimates stand on, best first; each step down goes on without what is missing."""

    DEEP = "deep"
    # The deep prediction has not seen the newest answers, or is old: it counts for less.
    STALE = "stale"
    LIVE = "live"
    # Nothing is known of the learner but what holds for all: calibrated or authors' difficulty.
    DIFFICULTY = "difficulty"
    ORDER = "order"


@dataclass(frozen=True, slots=True)
class DeepPart:
    """What a tracer version says of its deep tracer: which network, and how much it counts."""

    network_id: int
    weights: PoolWeights


def part_of(body: Mapping[str, Any]) -> DeepPart | None:
    """Return the deep part of a tracer's body, None for a filter alone."""
    told = body.get("deep")
    if told is None:
        return None
    return DeepPart(int(told["network"]), PoolWeights.from_dict(told["pool"]))


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """A stored prediction.

    Attributes:
        pk: its database id.
        n_responses: answers that it has seen.
        at: epoch seconds when it was made.
    """

    pk: int
    n_responses: int
    at: float
    shifts: Shifts


@dataclass(frozen=True, slots=True, eq=False)
class Use:
    """How a prediction counts at a moment.

    Attributes:
        pk: of the prediction.
        lag: answers that it has not seen.
        age_s: seconds since it was made.
        weight: of its shifts.
        concept_weight: of the mean shift of a concept's items.
        items: (N,) shifts of the bank's items, not weighted; the concepts' mean where an item was
            not predicted.
        predicted: (N,) whether it was.
        concepts: (K,) mean shift of each concept's items.
        distrusted: (K,) concepts of which the deep tracer does not count in the learner's classes;
            None for none. Items go with their main concept.
    """

    pk: int
    lag: int
    age_s: float
    weight: float
    concept_weight: float
    items: Floats
    predicted: npt.NDArray[np.bool_]
    concepts: Floats
    distrusted: npt.NDArray[np.bool_] | None = None

    @property
    def item_weights(self) -> Floats:
        """(N,) weight of each item's shift."""
        return np.where(self.predicted, self.weight, self.concept_weight)

    def weighted(self, bank: CourseBank) -> tuple[Floats, Floats]:
        """Return what is added to the logits of a bank's items (N,) and concepts (K,)."""
        items = self.item_weights * self.items
        if self.distrusted is None:
            return items, self.weighted_concepts
        main = self.distrusted[bank.concepts[:, 0]]
        return np.where(main, 0.0, items), self.weighted_concepts

    @property
    def weighted_concepts(self) -> Floats:
        """(K,) what is added to the logits of the concepts alone."""
        concepts = self.concept_weight * self.concepts
        return concepts if self.distrusted is None else np.where(self.distrusted, 0.0, concepts)

    @property
    def rung(self) -> Rung:
        """The step of the ladder that a learner's estimates stand on, the best of them."""
        if self.weight == 0.0 or (self.distrusted is not None and self.distrusted.all()):
            return Rung.LIVE
        return self._by_age

    def rung_of(self, bank: CourseBank, row: int) -> Rung:
        """Return the step that the estimate of the bank's item in that row stands on."""
        if self.distrusted is not None and self.distrusted[bank.concepts[row, 0]]:
            return Rung.LIVE
        return self._by_age if self.weight_of(bank, row) else Rung.LIVE

    def weight_of(self, bank: CourseBank, row: int) -> float:
        """Return the weight of an item's shift, wherever it is trusted.

        It is 0 where nothing was predicted, neither of the item nor of others of its concepts.
        """
        if not self.predicted[row]:
            own = bank.concepts[row][bank.concepts[row] >= 0]
            if not np.isin(bank.concepts[self.predicted], own).any():
                return 0.0
        return float(self.item_weights[row])

    @property
    def _by_age(self) -> Rung:
        return Rung.DEEP if self.lag <= FRESH_LAG and self.age_s <= FRESH_AGE_S else Rung.STALE


# A prediction counts as fresh if it has seen all but the answer just given: the next item is
# chosen in the request that stores it.
FRESH_LAG = 1
FRESH_AGE_S = 3600.0


def use(
    prediction: Prediction,
    weights: PoolWeights,
    *,
    bank: CourseBank,
    n_responses: int,
    at: float,
    distrusted: npt.NDArray[np.bool_] | None = None,
) -> Use:
    """Return how the prediction counts for a learner with so many answers at `at`."""
    lag, age_s = n_responses - prediction.n_responses, at - prediction.at
    items, concepts, predicted = lay_over(prediction.shifts, bank)
    return Use(
        pk=prediction.pk,
        lag=lag,
        age_s=age_s,
        weight=weights.weight(lag=lag, age_s=age_s),
        concept_weight=weights.concept_weight(lag=lag, age_s=age_s),
        items=items,
        predicted=predicted,
        concepts=concepts,
        distrusted=distrusted,
    )


def lay_over(shifts: Shifts, bank: CourseBank) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Return the shifts (N,) of a bank's items and (K,) of its concepts, and which items have own.

    A concept's is the mean of its items'; an item that was not predicted has the mean of its
    concepts', 0 for concepts of which nothing was predicted. In logits.
    """
    n_concepts = len(bank.concept_ids)
    rows = np.searchsorted(shifts.version_ids, bank.version_ids)
    held = np.minimum(rows, max(len(shifts.steps) - 1, 0))
    known = np.zeros(len(bank.version_ids), dtype=bool)
    if len(shifts.steps):
        known = shifts.version_ids[held] == bank.version_ids
    own = np.where(known, shifts.logits[held], 0.0) if known.any() else np.zeros(len(known))
    # A place more for padding, whose sum is thrown away.
    places = np.where(bank.concepts >= 0, bank.concepts, n_concepts)
    counts = np.bincount(places[known].ravel(), minlength=n_concepts + 1).astype(float)
    each = np.repeat(own[known], places.shape[1])
    sums = np.bincount(places[known].ravel(), weights=each, minlength=n_concepts + 1)
    means = sums / np.maximum(counts, 1.0)
    told = (counts > 0.0) & (np.arange(n_concepts + 1) < n_concepts)
    of_items = (means * told)[places].sum(axis=1) / np.maximum(told[places].sum(axis=1), 1)
    return np.where(known, own, of_items), means[:n_concepts], known


def pool_survey(
    survey: Survey, parameters: FilterParameters, found: Use, bank: CourseBank
) -> Survey:
    """Return the filter's survey with the prediction counted in."""
    items, concepts = found.weighted(bank)
    return pool.pool(survey, parameters, item_shifts=items, concept_shifts=concepts)


def pool_concepts(estimates: ConceptEstimates, found: Use) -> ConceptEstimates:
    """Return the filter's estimates of the bank's K concepts with the prediction counted in."""
    return pool.pool_concepts(estimates, found.weighted_concepts)


def pool_concept(estimate: ConceptEstimate, shift: float) -> ConceptEstimate:
    """Return the filter's estimate of one concept with a weighted shift counted in."""
    if shift == 0.0:
        return estimate
    row = ConceptEstimates(
        logit_mean=np.array([estimate.logit_mean]),
        logit_var=np.array([estimate.logit_var]),
        prob=np.array([estimate.prob]),
        lower_prob=np.array([estimate.lower_prob]),
        evidence_n=np.array([estimate.evidence_n]),
    )
    found = pool.pool_concepts(row, np.array([shift]))
    return ConceptEstimate(
        logit_mean=float(found.logit_mean[0]),
        logit_var=estimate.logit_var,
        prob=float(found.prob[0]),
        lower_prob=float(found.lower_prob[0]),
        evidence_n=estimate.evidence_n,
    )
