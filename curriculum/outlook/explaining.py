"""What a forecast hangs on, and the smallest change of habits at which it would be another.

Both speak of the model and of learners seen before: of what goes together, not of what would follow
from a change (Susnjak, "Beyond Predictive Learning Analytics Modelling and onto Explainable
Artificial Intelligence with Prescriptive Analytics and ChatGPT", arXiv:2208.14582).
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curriculum.outlook.features import NAMES
from curriculum.outlook.hazard import Hazard

FloatArray = NDArray[np.float64]

# What a person can make sense of, and the features that it stands for.
DRIVERS: Mapping[str, tuple[str, ...]] = {
    "work-left": ("left", "reached_share"),
    "distance": ("gap_mean", "gap_max", "sd_mean", "ability"),
    "untouched": ("untouched_share", "evidence"),
    "practice": ("answers_per_day", "days_per_week"),
    "success": ("right_share", "trend"),
    "help": ("help_share",),
    "idle": ("idle",),
    "pace": ("pace",),
    "focus": ("on_goal_share",),
}


@dataclass(frozen=True, slots=True)
class Driver:
    """One group's part of a forecast: what it adds to the log odds of reaching the goal."""

    name: str
    effect: float


def drivers(hazard: Hazard, features: FloatArray) -> list[Driver]:
    """Return the groups' parts, the largest first; they sum to `hazard.linear`.

    Shapley values of the log odds against the average learner of the fit, exact: of a linear model
    they are weight times distance from the mean (Lundberg and Lee 2017, arXiv:1705.07874, corollary
    1), and a group's is the sum of its features'. The same in every period.

    Args:
        hazard: fitted.
        features: [F] of one look.
    """
    parts = (features - hazard.centre) / hazard.scale * hazard.weights
    of = dict(zip(NAMES, parts.tolist(), strict=True))
    found = [Driver(name, sum(of[one] for one in own)) for name, own in DRIVERS.items()]
    return sorted(found, key=lambda one: -abs(one.effect))


@dataclass(frozen=True, slots=True)
class Habit:
    """Something that can be done otherwise.

    Attributes:
        feature: its name in `NAMES`.
        step: the smallest change that one would speak of, in its own unit; its sign is the way to
            go.
        is_log: the feature is log(1 + it).
    """

    feature: str
    step: float
    is_log: bool = False

    def to_own(self, value: float) -> float:
        """Return a feature's value in its own unit."""
        return float(np.expm1(value)) if self.is_log else value

    def to_feature(self, own: float) -> float:
        """Return the feature of a value in its own unit."""
        return float(np.log1p(own)) if self.is_log else own


HABITS = (
    Habit("days_per_week", 1.0),
    Habit("answers_per_day", 2.0, is_log=True),
    Habit("on_goal_share", 0.1),
    Habit("help_share", -0.1),
)
MOST_STEPS = 12


@dataclass(frozen=True, slots=True)
class Step:
    """A habit that differs, in its own unit."""

    feature: str
    now: float
    then: float


@dataclass(frozen=True, slots=True)
class Change:
    """A difference at which the chance would pass a line.

    Attributes:
        steps: one habit, or two where one is not enough.
        chance: with them, 0..1.
    """

    steps: tuple[Step, ...]
    chance: float


def list_changes(
    hazard: Hazard,
    features: FloatArray,
    *,
    days: float,
    line: float,
    ranges: Mapping[str, tuple[float, float]],
) -> Iterator[Change]:
    """Yield changes of habits at which the chance by the date reaches `line`, smallest first.

    Small is measured in standard deviations of learners. Habits stay within what was seen; one of
    them comes before two; those that go together with a lower chance are no advice. None where
    nothing within the ranges does it, or nothing has to change.

    Args:
        hazard: fitted.
        features: [F] of one look.
        days: until the date.
        line: chance wanted, 0..1.
        ranges: feature -> the lowest and highest value to go to, as the feature is stored.
    """
    if float(hazard.chances(features[None, :], days)[0]) >= line:
        return
    tries = {habit.feature: _tries(hazard, features, habit, ranges) for habit in HABITS}
    for size in (1, 2):
        found = [
            one
            for names in itertools.combinations(tries, size)
            for one in _changes(hazard, features, [tries[name] for name in names], days, line)
        ]
        yield from (change for _, change in sorted(found, key=lambda pair: pair[0]))


def _tries(
    hazard: Hazard, features: FloatArray, habit: Habit, ranges: Mapping[str, tuple[float, float]]
) -> list[tuple[Step, float, float]]:
    """Return (step, the feature's new value, its distance in standard deviations)."""
    place = NAMES.index(habit.feature)
    if hazard.weights[place] * habit.step <= 0.0 or habit.feature not in ranges:
        return []
    low, high = ranges[habit.feature]
    now = habit.to_own(float(features[place]))
    found = []
    for count in range(1, MOST_STEPS + 1):
        value = habit.to_feature(max(now + count * habit.step, 0.0))
        if not low <= value <= high:
            continue
        distance = abs(value - float(features[place])) / float(hazard.scale[place])
        found.append((Step(habit.feature, now, habit.to_own(value)), value, distance))
    return found


def _changes(
    hazard: Hazard,
    features: FloatArray,
    tries: list[list[tuple[Step, float, float]]],
    days: float,
    line: float,
) -> list[tuple[float, Change]]:
    """Return (distance, change) of all combinations that reach the line."""
    together = list(itertools.product(*tries))
    if not together:
        return []
    table = np.repeat(features[None, :], len(together), axis=0)
    for row, steps in enumerate(together):
        for step, value, _ in steps:
            table[row, NAMES.index(step.feature)] = value
    chances = hazard.chances(table, days)
    return [
        (sum(own[2] for own in steps), Change(tuple(own[0] for own in steps), chance))
        for steps, chance in zip(together, chances.tolist(), strict=True)
        if chance >= line
    ]
