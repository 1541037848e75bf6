"""From the lines of a decision log to arrays, each line checked."""

import csv
import datetime as dt
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from curriculum.evaluation.errors import DecisionsUnreadable

REQUIRED = (
    *("decision_id", "learner", "at", "policy", "policy_version"),
    *("arm", "item", "propensity", "eligible_arms", "reward", "reward_kind"),
)
# What the rounding of a sum of chances may leave.
TOLERANCE = 1e-4


def parse_rows(path: Path) -> dict[str, Any]:
    """Return the fields of a `DecisionLog`.

    Raises:
        DecisionsUnreadable: naming the line and what is wrong with it.
    """
    table = _Table()
    try:
        for line, row in _rows(path):
            try:
                table.add(row)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                reason = f"{error.args[0]}" if error.args else type(error).__name__
                if isinstance(error, KeyError):
                    reason = f"{reason} is missing"
                raise DecisionsUnreadable(f"{path}, line {line}: {reason}.", line=line) from error
    except (OSError, UnicodeDecodeError) as error:
        raise DecisionsUnreadable(f"{path}: {error}.") from error
    if not table.decision_ids:
        raise DecisionsUnreadable(f"{path}: there is no decision in it.")
    return table.fields()


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open(encoding="utf-8", newline="") as file:
        if path.suffix == ".csv":
            reader = csv.DictReader(file)
            missing = [name for name in REQUIRED if name not in (reader.fieldnames or ())]
            if missing:
                raise DecisionsUnreadable(f"{path}: no column {', '.join(missing)}.", line=1)
            for row in reader:
                yield reader.line_num, _from_csv(row, reader.line_num, path)
            return
        for line, text in enumerate(file, start=1):
            if text.strip():
                yield line, _from_json(text, line, path)


def _from_json(text: str, line: int, path: Path) -> dict[str, Any]:
    try:
        row = json.loads(text)
    except ValueError as error:
        raise DecisionsUnreadable(f"{path}, line {line}: no JSON ({error}).", line=line) from error
    if not isinstance(row, dict):
        raise DecisionsUnreadable(f"{path}, line {line}: give one object a line.", line=line)
    return row


def _from_csv(row: dict[str, Any], line: int, path: Path) -> dict[str, Any]:
    return row | {
        "eligible_arms": _from_json(row["eligible_arms"] or "", line, path),
        "reward": row["reward"] or None,
    }


class _Table:
    """Columns that grow line by line."""

    def __init__(self) -> None:
        self.decision_ids: set[str] = set()
        self._learners: dict[str, int] = {}
        self._policies: dict[str, None] = {}
        self._columns: dict[str, list[Any]] = {
            name: []
            for name in (
                *("learner", "propensity", "chosen", "within", "uniform", "epsilon"),
                *("temperature", "top_share", "left_to_chance", "reward", "reward_kind"),
                *("arm_propensity", "arm_uniform", "values"),
            )
        }
        self._starts = [0]
        self._features: tuple[str, ...] | None = None
        self._targets: dict[str, tuple[list[float], list[float]]] | None = None

    def add(self, row: dict[str, Any]) -> None:
        """Take one decision.

        Raises:
            KeyError, TypeError, ValueError: something is missing or out of range.
        """
        for name in REQUIRED:
            row[name]
        _require_moment(row["at"])
        key = str(row["decision_id"])
        if key in self.decision_ids:
            raise ValueError(f"decision_id {key} is there twice")
        open_, arms = row["eligible_arms"], row["eligible_arms"]["arms"]
        names = [str(arm["arm"]) for arm in arms]
        if str(row["arm"]) not in names:
            raise ValueError(f"arm {row['arm']} is not among the eligible ones")
        self._add_arms(open_, arms)
        place = names.index(str(row["arm"]))
        numbers = {
            "learner": self._learners.setdefault(str(row["learner"]), len(self._learners)),
            "propensity": _chance(row["propensity"], "propensity", above=0.0),
            "chosen": self._starts[-1] + place,
            "within": _chance(open_["within"], "within"),
            "uniform": _chance(open_["uniform"], "uniform"),
            "epsilon": _chance(open_["epsilon"], "epsilon"),
            "temperature": _number(open_["temperature"], "temperature", above=0.0),
            "top_share": _chance(open_["top_share"], "top_share", above=0.0),
            # A cap on random draws leaves the policy its own; every other cause takes the best.
            "left_to_chance": open_["fallback"] is None and open_["exploring"] in {None, "capped"},
            "reward": math.nan if row["reward"] is None else _number(row["reward"], "reward"),
            "reward_kind": str(row["reward_kind"]),
        }
        for name, value in numbers.items():
            self._columns[name].append(value)
        self._starts.append(self._starts[-1] + len(arms))
        self.decision_ids.add(key)
        self._policies.setdefault(str(row["policy_version"]))

    def _add_arms(self, open_: dict[str, Any], arms: list[dict[str, Any]]) -> None:
        features = tuple(str(name) for name in open_["features"])
        if self._features not in {None, features}:
            raise ValueError("its features differ from those of the first decision")
        logged = [_chance(arm["propensity"], "an arm's propensity") for arm in arms]
        uniform = [_chance(arm["uniform"], "an arm's uniform chance") for arm in arms]
        for name, chances in (("propensities", logged), ("uniform chances", uniform)):
            if abs(sum(chances) - 1.0) > TOLERANCE:
                raise ValueError(f"the arms' {name} sum to {sum(chances):.6g}, not to 1")
        values = [[_number(one, "a feature") for one in arm["values"]] for arm in arms]
        if any(len(one) != len(features) for one in values):
            raise ValueError(f"an arm has not {len(features)} values, one per feature")
        self._add_targets(open_.get("targets") or {}, arms=len(arms))
        self._features = features
        self._columns["arm_propensity"] += logged
        self._columns["arm_uniform"] += uniform
        self._columns["values"] += values

    def _add_targets(self, targets: dict[str, Any], *, arms: int) -> None:
        """Keep the policies whose chances stand with every decision."""
        found = {}
        for name, chances in targets.items():
            whole = [_chance(one, f"a chance of {name}") for one in chances["arms"]]
            if len(whole) != arms or abs(sum(whole) - 1.0) > TOLERANCE:
                raise ValueError(f"the chances of {name} are not one per arm, or do not sum to 1")
            found[name] = (_chance(chances["pair"], f"a chance of {name}"), whole)
        if self._targets is None:
            self._targets = {name: ([], []) for name in found}
        self._targets = {name: kept for name, kept in self._targets.items() if name in found}
        for name, (pairs, per_arm) in self._targets.items():
            pairs.append(found[name][0])
            per_arm.extend(found[name][1])

    def fields(self) -> dict[str, Any]:
        """Return everything as arrays."""
        whole = {"learner", "chosen"}
        arrays: dict[str, Any] = {
            name: np.array(values, dtype=np.int64 if name in whole else None)
            for name, values in self._columns.items()
        }
        features = self._features or ()
        arrays["values"] = np.array(self._columns["values"], dtype=np.float64).reshape(
            self._starts[-1], len(features)
        )
        for name in ("propensity", "within", "uniform", "epsilon", "temperature", "top_share"):
            arrays[name] = arrays[name].astype(np.float64)
        arrays["reward"] = arrays["reward"].astype(np.float64)
        return arrays | {
            "starts": np.array(self._starts, dtype=np.int64),
            "features": features,
            "targets": {
                name: (np.array(pairs), np.array(arms))
                for name, (pairs, arms) in (self._targets or {}).items()
            },
            "policies": tuple(self._policies),
        }


def _number(value: Any, name: str, *, above: float = -math.inf) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} = {value!r} is no number") from error
    if not math.isfinite(number) or number <= above:
        raise ValueError(f"{name} = {value} is out of range")
    return number


def _chance(value: Any, name: str, *, above: float = -1.0) -> float:
    number = _number(value, name, above=above)
    # Sums of chances may pass 1 by rounding.
    if not 0.0 <= number <= 1.0 + 1e-9:
        raise ValueError(f"{name} = {value}: give a chance from 0 to 1")
    return min(number, 1.0)


def _require_moment(value: Any) -> None:
    """Take epoch seconds or ISO 8601."""
    try:
        float(value)
    except (TypeError, ValueError):
        try:
            dt.datetime.fromisoformat(str(value))
        except ValueError as error:
            raise ValueError(f"at = {value!r} is neither epoch seconds nor ISO 8601") from error
