"""How often learners of like standing reached their goal, by one of their habits.

The evidence behind a sentence of the form "learners like this who did more of it reached it more
often": shares among learners seen, no effect of a change.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curriculum.outlook.explaining import HABITS
from curriculum.outlook.features import NAMES
from curriculum.outlook.hazard import Hazard
from curriculum.outlook.looks import Looks

FloatArray = NDArray[np.float64]

# Learners are alike who are in the same third by everything else.
THIRDS = 3
# Habits in quarters; fewer looks or learners in one say nothing.
QUARTERS = 4
LEAST_LOOKS = 30
LEAST_LEARNERS = 10


@dataclass(frozen=True, slots=True)
class Cell:
    """Learners of like standing with about the same habit.

    Attributes:
        low, high: bounds of the habit, as the feature is stored.
        share: of the looks that reached the goal by its date, 0..1, weighted for those not seen.
        looks: outcomes known behind it.
        learners: learners behind it.
    """

    low: float
    high: float
    share: float
    looks: int
    learners: int


@dataclass(frozen=True, slots=True)
class Association:
    """A habit's cells by third of everything else, from the lowest habit to the highest."""

    thirds: tuple[float, ...]
    cells: tuple[tuple[Cell, ...], ...]

    def find(self, rest: float, value: float) -> Cell | None:
        """Return the cell of a learner with this habit; None where too few were seen."""
        row = self.cells[int(np.searchsorted(self.thirds, rest, side="right"))]
        found = [cell for cell in row if cell.low <= value <= cell.high]
        if not found:
            return None
        cell = found[-1]
        enough = cell.looks >= LEAST_LOOKS and cell.learners >= LEAST_LEARNERS
        return cell if enough else None


def rest_of(hazard: Hazard, features: FloatArray, feature: str) -> FloatArray:
    """Return [n] what all features [n, F] but one add to the log odds."""
    place = NAMES.index(feature)
    own = (features[:, place] - hazard.centre[place]) / hazard.scale[place]
    return np.asarray(hazard.linear(features) - own * hazard.weights[place])


def associate(
    hazard: Hazard, looks: Looks, *, reached: NDArray[np.bool_], weight: FloatArray
) -> dict[str, Association]:
    """Return feature -> association, of every habit.

    Args:
        hazard: by which learners are alike.
        looks: n of them.
        reached: [n] whether the goal was reached by its date.
        weight: [n] 0 where that is not known.
    """
    found = {}
    for habit in HABITS:
        value = looks.features[:, NAMES.index(habit.feature)]
        rest = rest_of(hazard, looks.features, habit.feature)
        thirds = np.quantile(rest, np.arange(1, THIRDS) / THIRDS)
        third = np.searchsorted(thirds, rest, side="right")
        rows = [
            _cells(value, third == number, reached, weight, looks.learner)
            for number in range(THIRDS)
        ]
        found[habit.feature] = Association(tuple(thirds.tolist()), tuple(rows))
    return found


def _cells(
    value: FloatArray,
    alike: NDArray[np.bool_],
    reached: NDArray[np.bool_],
    weight: FloatArray,
    learner: NDArray[np.int64],
) -> tuple[Cell, ...]:
    if not alike.any():
        return ()
    bounds = np.unique(np.quantile(value[alike], np.arange(QUARTERS + 1) / QUARTERS))
    if len(bounds) < 2:
        bounds = np.array([bounds[0], bounds[0]])
    cells = []
    for low, high in itertools.pairwise(bounds):
        is_last = high == bounds[-1]
        own = alike & (value >= low) & ((value <= high) if is_last else (value < high))
        known = own & (weight > 0.0)
        share = float(np.average(reached[known], weights=weight[known])) if known.any() else 0.0
        seen = int(known.sum()), len(np.unique(learner[known]))
        cells.append(Cell(float(low), float(high), share, *seen))
    return tuple(cells)


def to_dict(found: Mapping[str, Association]) -> dict[str, Any]:
    """Return associations as JSON values."""
    return {
        name: {
            "thirds": list(one.thirds),
            "cells": [
                [[c.low, c.high, c.share, c.looks, c.learners] for c in row] for row in one.cells
            ],
        }
        for name, one in found.items()
    }


def from_dict(body: Mapping[str, Any]) -> dict[str, Association]:
    """Return the associations that `to_dict` wrote."""
    return {
        name: Association(
            tuple(one["thirds"]), tuple(tuple(Cell(*cell) for cell in row) for row in one["cells"])
        )
        for name, one in body.items()
    }
