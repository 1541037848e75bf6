"""A deep tracer's estimates pooled with the filter's, on the logit scale.

A deep prediction of an item is kept as its shift: by how much its logit lay above the filter's at
the same moment and after the same answers. Asked later, an item's chance is

    logit P = logit P_filter + w shift,

so that answers given since count through the filter. The weight w, fitted on held-out learners,
depends on how many answers the prediction has not seen and on its age: 0 is the filter, 1 the deep
tracer carried to now. A logarithmic pool (Genest & Zidek, 1986, doi 10.1214/ss/1177013825).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kt_models.errors import ImpossibleParameter
from kt_models.streaming import psi_core
from kt_models.streaming.psi_filter import ConceptEstimates, Prediction
from kt_models.streaming.psi_parameters import FilterParameters
from kt_models.streaming.psi_reading import LOWER_QUANTILE, sigmoid
from kt_models.streaming.psi_survey import Survey

FloatArray = NDArray[np.float64]

LARGEST_WEIGHT = 1.5


@dataclass(frozen=True, slots=True)
class PoolWeights:
    """How much of a shift counts.

    Attributes:
        lags: weight of a prediction that has not seen 0, 1, 2, ... answers; beyond them it is 0.
        aged: weight at most of one that is older than `aged_after_s`.
        aged_after_s: seconds.
        concepts: weight at most of the mean shift of a concept's items, for items that were not
            predicted and for the concept itself.
    """

    lags: tuple[float, ...]
    aged: float = 0.0
    aged_after_s: float = 3600.0
    concepts: float = 0.0

    def __post_init__(self) -> None:
        """Refuse weights that are none.

        Raises:
            ImpossibleParameter: a weight is outside 0 to 1.5, or the time is negative.
        """
        for weight in (*self.lags, self.aged, self.concepts):
            if not 0.0 <= weight <= LARGEST_WEIGHT:
                raise ImpossibleParameter(f"A weight of {weight}: give 0 to {LARGEST_WEIGHT}.")
        if not self.aged_after_s >= 0.0:
            raise ImpossibleParameter(f"aged_after_s = {self.aged_after_s}: give seconds >= 0.")

    def weight(self, *, lag: int, age_s: float) -> float:
        """Return the weight of a prediction.

        Args:
            lag: answers that it has not seen; negative for one that has seen too many.
            age_s: seconds since it was made; negative where clocks differ.
        """
        if not 0 <= lag < len(self.lags):
            return 0.0
        fresh = self.lags[lag]
        return fresh if age_s <= self.aged_after_s else min(fresh, self.aged)

    def concept_weight(self, *, lag: int, age_s: float) -> float:
        """Return the same for what was not predicted itself and goes with its concepts."""
        return min(self.weight(lag=lag, age_s=age_s), self.concepts)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "lags": list(self.lags),
            "aged": self.aged,
            "aged_after_s": self.aged_after_s,
            "concepts": self.concepts,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "PoolWeights":
        """Return what `to_dict` wrote."""
        return cls(
            tuple(values["lags"]),
            values["aged"],
            values["aged_after_s"],
            values.get("concepts", 0.0),
        )


def pool(
    survey: Survey,
    parameters: FilterParameters,
    *,
    item_shifts: FloatArray,
    concept_shifts: FloatArray,
) -> Survey:
    """Return the survey with weighted shifts added; where they are 0, the very same numbers.

    The uncertainty stays the filter's. Gains follow the new chances.

    Args:
        survey: the filter's, of N items and K concepts.
        parameters: those of the filter.
        item_shifts: [N] weight times shift, logits of the predicted chance.
        concept_shifts: [K] the same of the concepts' reference items.
    """
    items = survey.items
    moved = _moved(items.logit_mean, items.logit_var, item_shifts)
    prob = np.where(item_shifts == 0.0, items.prob, shrunk_prob(moved, items.logit_var))
    right, wrong = parameters.gain_right, parameters.gain_wrong
    before = items.prob * right + (1.0 - items.prob) * wrong
    after = prob * right + (1.0 - prob) * wrong
    scale = np.divide(after, before, out=np.ones_like(before), where=before != 0.0)
    return Survey(
        items=Prediction(moved, items.logit_var, prob),
        gains=survey.gains * scale,
        concepts=pool_concepts(survey.concepts, concept_shifts),
        last_at=survey.last_at,
    )


def pool_concepts(concepts: ConceptEstimates, shifts: FloatArray) -> ConceptEstimates:
    """Return the filter's estimates of K concepts with weighted shifts (K,) added."""
    mean = _moved(concepts.logit_mean, concepts.logit_var, shifts)
    lower = sigmoid(mean + LOWER_QUANTILE * np.sqrt(concepts.logit_var))
    still = shifts == 0.0
    return ConceptEstimates(
        logit_mean=mean,
        logit_var=concepts.logit_var,
        prob=np.where(still, concepts.prob, shrunk_prob(mean, concepts.logit_var)),
        lower_prob=np.where(still, concepts.lower_prob, lower),
        evidence_n=concepts.evidence_n,
    )


def shift_of(deep_prob: FloatArray, filter_prob: FloatArray) -> FloatArray:
    """Return by how many logits deep chances lie above the filter's, both in (0, 1)."""
    return np.asarray(_logit(deep_prob) - _logit(filter_prob))


def shifted(prob: float, shift: float) -> float:
    """Return a chance in (0, 1) moved by a weighted shift."""
    return psi_core.sigmoid(math.log(prob / (1.0 - prob)) + shift)


def _moved(mean: FloatArray, var: FloatArray, shifts: FloatArray) -> FloatArray:
    # A shift is of the chance's logit; the mean's is larger by what its variance takes away.
    return mean + shifts * np.sqrt(1.0 + psi_core.LOGIT_SHRINK * var)


def shrunk_prob(mean: FloatArray, var: FloatArray) -> FloatArray:
    """Return the chances of logits known with such variances, as the filter reckons them."""
    return sigmoid(mean / np.sqrt(1.0 + psi_core.LOGIT_SHRINK * var))


def _logit(prob: FloatArray) -> FloatArray:
    # A network in single precision can say 0 or 1.
    inside = np.clip(prob, 1e-6, 1.0 - 1e-6)
    return np.log(inside) - np.log1p(-inside)
