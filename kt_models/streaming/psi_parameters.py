"""The global scalars of the psi-filter: fitted once on a log, shared by all learners."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kt_models.errors import ImpossibleParameter

NON_NEGATIVE = (
    "ability_prior_var",
    "ability_drift_var",
    "ability_drift_var_per_day",
    "concept_prior_var",
    "concept_drift_var",
    "concept_share",
    "decay_power",
    "gain_rho",
)


@dataclass(frozen=True, slots=True)
class FilterParameters:
    """Logits, logits squared and days; the defaults are mild values for a log not yet fitted.

    Attributes:
        ability_prior_mean: logit of a new learner's ability.
        ability_prior_var: its variance.
        ability_drift_var: variance that each answer adds to ability.
        ability_drift_var_per_day: variance that each day adds, up to the prior's.
        concept_prior_var: variance of an untouched concept's deviation; its mean is 0.
        concept_drift_var: variance that each answer adds to its concepts.
        concept_share: an item of M concepts weighs each by M^-concept_share (0 sum, 1 mean).
        decay_tau_days: time scale of forgetting, > 0.
        decay_power: exponent of forgetting; 0 is none.
        gain_right: logits that practising with a right answer adds the first time.
        gain_wrong: the same for a wrong answer.
        gain_rho: gains shrink by (1 + times practised)^-gain_rho.
    """

    ability_prior_mean: float = 0.0
    ability_prior_var: float = 0.6
    ability_drift_var: float = 0.002
    ability_drift_var_per_day: float = 0.002
    concept_prior_var: float = 0.4
    concept_drift_var: float = 0.01
    concept_share: float = 0.5
    decay_tau_days: float = 3.0
    decay_power: float = 0.1
    gain_right: float = 0.1
    gain_wrong: float = 0.1
    gain_rho: float = 0.5

    def __post_init__(self) -> None:
        """Refuse values outside their ranges.

        Raises:
            ImpossibleParameter: a value is not finite, or is negative where it may not be.
        """
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            low = 0.0 if field.name in NON_NEGATIVE else -math.inf
            if not math.isfinite(value) or value < low:
                raise ImpossibleParameter(f"{field.name} = {value}: give a finite number >= {low}.")
        if self.decay_tau_days <= 0.0:
            raise ImpossibleParameter(f"decay_tau_days = {self.decay_tau_days}: give days > 0.")

    def share(self, concept_count: int) -> float:
        """Return the weight of each concept of an item that has `concept_count`."""
        return float(float(concept_count) ** -self.concept_share)

    def shares(self, concept_counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return `share` for many items; an item without concepts gets 1, which weighs nothing."""
        return np.asarray(np.maximum(concept_counts, 1.0) ** -self.concept_share)

    def to_dict(self) -> dict[str, float]:
        """Return the scalars by name, for JSON."""
        return {key: float(value) for key, value in dataclasses.asdict(self).items()}

    @classmethod
    def from_dict(cls, scalars: Mapping[str, float]) -> "FilterParameters":
        """Return the parameters that `to_dict` wrote.

        Raises:
            ImpossibleParameter: a name is unknown or missing, or a value out of range.
        """
        names = {field.name for field in dataclasses.fields(cls)}
        if set(scalars) != names:
            wrong = sorted(set(scalars) ^ names)
            raise ImpossibleParameter(f"Unknown or missing filter parameters: {', '.join(wrong)}.")
        return cls(**{name: float(scalars[name]) for name in names})
