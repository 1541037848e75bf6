"""Looks of many learners as arrays: what a hazard is fitted on and judged by."""

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from curriculum.outlook import peers
from curriculum.outlook.censoring import Censoring, Outcomes, outcomes_by
from curriculum.outlook.features import NAMES
from curriculum.outlook.following import Followed

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

# Days away from which on somebody is likelier lost from sight.
AWAY = (2.0, 7.0)


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """Looks of many learners at goals not reached yet; n of them.

    Attributes:
        features: [n, F] as `features.NAMES`.
        days: [n] until the goal was reached, or until nothing more is known.
        reached: [n] which of the two.
        days_left: [n] until the goal's date, above 0.
        learner: [n] whose.
        behind: [n] `peers.behind_schedule`.
        pace_days: [n] `peers.days_at_this_pace`.
        usual_days: [n] `peers.days_at_usual_pace`.
    """

    features: FloatArray
    days: FloatArray
    reached: BoolArray
    days_left: FloatArray
    learner: IntArray
    behind: FloatArray
    pace_days: FloatArray
    usual_days: FloatArray

    def __len__(self) -> int:
        """Return the number of looks."""
        return len(self.days)

    def only(self, keep: BoolArray) -> "Looks":
        """Return those looks where `keep` [n] is true."""
        return Looks(**{field.name: getattr(self, field.name)[keep] for field in fields(self)})

    @property
    def group(self) -> IntArray:
        """[n] how long each learner had been away, in groups that are lost at different rates."""
        idle = np.expm1(self.features[:, NAMES.index("idle")])
        return np.searchsorted(AWAY, idle, side="left")

    def outcomes(self, horizon: FloatArray | float | None = None) -> Outcomes:
        """Return what is known by the date of each look, or by so many days after it."""
        censoring = Censoring.of(self.days, self.reached, self.group)
        until = self.days_left if horizon is None else np.broadcast_to(horizon, len(self))
        return outcomes_by(
            self.days,
            self.reached,
            np.asarray(until, float),
            censoring=censoring,
            group=self.group,
        )


def gather(followed: Iterable[tuple[int, Followed]]) -> Looks:
    """Return the looks of (learner, followed) before the date with something left to do."""
    columns: dict[str, list[float]] = {field.name: [] for field in fields(Looks)[1:]}
    features: list[FloatArray] = []
    for learner, own in followed:
        for row, standing in enumerate(own.standings):
            if not standing.left or standing.look.days_left <= 0.0:
                continue
            features.append(own.features[row])
            columns["days"].append(own.days[row])
            columns["reached"].append(own.reached[row])
            columns["days_left"].append(standing.look.days_left)
            columns["learner"].append(learner)
            columns["behind"].append(peers.behind_schedule(standing))
            columns["pace_days"].append(peers.days_at_this_pace(standing))
            columns["usual_days"].append(peers.days_at_usual_pace(standing))
    kinds = {"reached": "?", "learner": "i8"}
    arrays = {
        name: np.array(values, dtype=kinds.get(name, "f8")) for name, values in columns.items()
    }
    return Looks(np.array(features).reshape(len(features), len(NAMES)), **arrays)
