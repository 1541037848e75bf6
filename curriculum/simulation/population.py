"""Who the simulated learners are: the population, and traits drawn from it."""

from dataclasses import dataclass, fields
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """The global parameters of the generator; levels are in logits, times in days.

    A learner's level on a concept is ability + deviation + stable + fresh. The deviation is
    inherited in part from the prerequisites' deviations; `stable` and `fresh` are what
    teaching and practice built, forgotten slowly and fast.

    Attributes:
        ability_sd: spread of the general ability.
        deviation_sd: spread of the concept deviations.
        inheritance: correlation of a deviation with the mean of its prerequisites' ones.
        schooling: mean stable level on concepts taught before the learner's entry point.
        learning: "gradual" adds skewed random amounts; "insight" is all or nothing.
        rate: median share of the remaining headroom gained from one answer.
        rate_log_sd: heterogeneity of that rate between learners.
        ceiling: the most that stable + fresh can reach.
        wrong_share: gain from a wrong answer (and its feedback) relative to a right one.
        gate_floor: share of the growth left when prerequisites are missing entirely.
        gate_level: level of the weakest prerequisite at which the gate is half open.
        gate_slope: steepness of the gate, per logit.
        stable_days: time constant of slow forgetting.
        fresh_days: time constant of fast forgetting.
        forgetting_log_sd: heterogeneity of forgetting between learners.
        massed_share: share of a gain that is stable when the last practice was just now.
        spaced_share: the same after a long pause (the spacing effect).
        form_sd: spread of the daily form, one draw per session.
        fatigue_mean: mean loss of level over ten answers in one session.
        slip_mean: mean probability of failing what is known.
        hint_mean: mean propensity to take a hint on an item not known.
        hint_boost: what hints add to the level, on that answer only.
        misconception_prob: chance that a learner carries a given misconception.
    """

    ability_sd: float = 0.9
    deviation_sd: float = 0.6
    inheritance: float = 0.5
    schooling: float = 1.2
    learning: Literal["gradual", "insight"] = "gradual"
    rate: float = 0.22
    rate_log_sd: float = 0.45
    ceiling: float = 2.5
    wrong_share: float = 0.7
    gate_floor: float = 0.15
    gate_level: float = 0.2
    gate_slope: float = 2.0
    stable_days: float = 120.0
    fresh_days: float = 3.0
    forgetting_log_sd: float = 0.4
    massed_share: float = 0.45
    spaced_share: float = 0.8
    form_sd: float = 0.3
    fatigue_mean: float = 0.2
    slip_mean: float = 0.04
    hint_mean: float = 0.2
    hint_boost: float = 1.0
    misconception_prob: float = 0.35


HARSH = Population(
    deviation_sd=0.8,
    rate_log_sd=0.7,
    gate_floor=0.05,
    gate_slope=3.0,
    gate_level=0.5,
    stable_days=45.0,
    fresh_days=1.5,
    forgetting_log_sd=0.7,
    form_sd=0.45,
    slip_mean=0.07,
)
"""A harder world: steep gates, quick and uneven forgetting, bad days, more slips."""

INSIGHT = Population(learning="insight", rate=0.3)
"""Learning as sudden insight: nothing, then most of the headroom at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What stays the same about a learner; arrays of shape (rows,), one row per learner.

    Attributes:
        ability: general level, logits.
        rate: share of headroom gained per answer.
        forgetting: multiplies the speed of forgetting; median 1.
        slip: probability of failing what is known.
        hint: propensity to take a hint on an item not known.
        fatigue: level lost over ten answers of one session.
        pace: offset of log answering time.
    """

    ability: FloatArray
    rate: FloatArray
    forgetting: FloatArray
    slip: FloatArray
    hint: FloatArray
    fatigue: FloatArray
    pace: FloatArray

    def take(self, rows: IntArray) -> Self:
        """Return the traits of the given rows, in that order."""
        return type(self)(**{one.name: getattr(self, one.name)[rows] for one in fields(self)})


def draw_traits(population: Population, *, rows: int, rng: np.random.Generator) -> Traits:
    """Return the traits of `rows` learners drawn independently from the population."""
    slips, hints = 40.0, 8.0  # prior counts of the Beta spreads: slips differ little, hints a lot
    return Traits(
        ability=population.ability_sd * rng.standard_normal(rows),
        rate=population.rate * np.exp(population.rate_log_sd * rng.standard_normal(rows)),
        forgetting=np.exp(population.forgetting_log_sd * rng.standard_normal(rows)),
        slip=rng.beta(slips * population.slip_mean, slips * (1 - population.slip_mean), rows),
        hint=rng.beta(hints * population.hint_mean, hints * (1 - population.hint_mean), rows),
        fatigue=rng.exponential(population.fatigue_mean, rows),
        pace=0.3 * rng.standard_normal(rows),
    )
