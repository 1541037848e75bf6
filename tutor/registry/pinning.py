"""A calibration inside a tracer version: its difficulties on the filter's scale. Numpy only.

The filter knows one number of an item, its offset, and a variance. A calibrated item of difficulty
b and discrimination a gets the offset at which the filter expects of a newcomer what the
calibration expects of its population N(mu, sigma): with the usual match of a logistic and a
Gaussian (MacKay, 1992), k = pi / 8 and v the variance of a newcomer's logit,

    offset = shift + a (mu - b) sqrt((1 + k v) / (1 + k a^2 sigma^2)).

`shift` is what the filter's own offsets of the same items say on average: the filter counts the
learning that happens in its log, and the calibration does not. How far they scatter around it is
the error of the translation; with it the two are pooled by precision.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LOGIT_SHRINK = math.pi / 8.0
# Variance of items around the mean of their concepts, which the fitted offsets are shrunk by.
ITEM_VAR = 1.0


@dataclass(frozen=True, slots=True)
class PinnedItem:
    """What a run says of an item version.

    Attributes:
        difficulty: logits on the run's scale, prior and answers pooled.
        se: its standard error.
        discrimination: per logit.
        n: first attempts it was calibrated from.
        seen: all answers to it in the run's log.
    """

    difficulty: float
    se: float
    discrimination: float
    n: int
    seen: int


@dataclass(frozen=True, slots=True)
class PinnedRun:
    """A run as a tracer version keeps it: all that is needed to apply it to another fit.

    Attributes:
        run: its database id.
        number: its number in the course.
        sha256: its hash.
        mean, sd: the learners on its scale.
        items: by item version id.
        uncounted: item versions whose answers count no more.
    """

    run: int
    number: int
    sha256: str
    mean: float
    sd: float
    items: Mapping[int, PinnedItem]
    uncounted: tuple[int, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values; items as [difficulty, se, discrimination, n, seen]."""
        return {
            "run": self.run,
            "number": self.number,
            "sha256": self.sha256,
            "mean": self.mean,
            "sd": self.sd,
            "items": {
                str(pk): [one.difficulty, one.se, one.discrimination, one.n, one.seen]
                for pk, one in self.items.items()
            },
            "uncounted": list(self.uncounted),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "PinnedRun":
        """Return the run that `to_dict` wrote."""
        items = {int(pk): PinnedItem(*told) for pk, told in values["items"].items()}
        told = {name: values[name] for name in ("run", "number", "sha256", "mean", "sd")}
        return cls(**told, items=items, uncounted=tuple(values["uncounted"]))


def unpinned(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a tracer's body as it was fitted, without a calibration."""
    plain = {
        key: value
        for key, value in body.items()
        if key not in {"calibration", "fitted_offsets", "item_vars", "translation"}
    }
    return {**plain, "item_offsets": body.get("fitted_offsets", body["item_offsets"])}


def pin(body: Mapping[str, Any], run: PinnedRun) -> dict[str, Any]:
    """Return a tracer's body with the run in it.

    `item_offsets` are pooled, `item_vars` their variances (null: not counted), `fitted_offsets` the
    filter's own; `calibration` is the run, `translation` the shift and its scatter in logits. Items
    the run does not know keep what they had. `reference_offsets` are left to the caller.
    """
    plain = unpinned(body)
    own = {int(pk): float(offset) for pk, offset in plain["item_offsets"].items()}
    ids = sorted(run.items)
    told, told_var = _translated(plain["parameters"], run, ids)
    fitted = np.array([own.get(pk, math.nan) for pk in ids], dtype=np.float64)
    fitted_var = _variance(
        fitted,
        np.array([run.items[pk].seen for pk in ids], dtype=np.float64),
        newcomer=_newcomer(plain["parameters"]),
        held=ITEM_VAR,
    )
    both = np.isfinite(fitted)
    shift, scatter = _shift(fitted[both] - told[both], (fitted_var + told_var)[both])
    if not both.any():
        shift = -float(plain["parameters"]["ability_prior_mean"])
    told_var = told_var + scatter**2
    precision = np.where(both, 1.0 / fitted_var, 0.0)
    pooled_var = 1.0 / (precision + 1.0 / told_var)
    pooled = pooled_var * (precision * np.where(both, fitted, 0.0) + (told + shift) / told_var)
    variances = dict(zip(ids, pooled_var.tolist(), strict=True))
    return {
        **plain,
        "fitted_offsets": plain["item_offsets"],
        "item_offsets": {
            **plain["item_offsets"],
            **{str(pk): offset for pk, offset in zip(ids, pooled.tolist(), strict=True)},
        },
        "item_vars": {
            **{str(pk): var for pk, var in variances.items()},
            **{str(pk): None for pk in run.uncounted},
        },
        "calibration": run.to_dict(),
        "translation": {"shift": shift, "scatter": scatter, "items": int(both.sum())},
    }


def _newcomer(parameters: Mapping[str, float]) -> float:
    """Return the variance of a newcomer's logit on an item of one concept."""
    return float(parameters["ability_prior_var"]) + float(parameters["concept_prior_var"])


def _translated(
    parameters: Mapping[str, float], run: PinnedRun, ids: list[int]
) -> tuple[Floats, Floats]:
    """Return the items' offsets up to the shift, and their variances."""
    found = [run.items[pk] for pk in ids]
    difficulty = np.array([one.difficulty for one in found], dtype=np.float64)
    slope = np.array([one.discrimination for one in found], dtype=np.float64)
    newcomer = _newcomer(parameters)
    spread = 1.0 + LOGIT_SHRINK * (slope * run.sd) ** 2
    factor = slope * np.sqrt((1.0 + LOGIT_SHRINK * newcomer) / spread)
    offset = factor * (run.mean - difficulty)
    by_error = (factor * np.array([one.se for one in found], dtype=np.float64)) ** 2
    # Difficulty and discrimination of an easy or hard item err together, and its share of right
    # answers is known better than either; what their number alone gives is a bound.
    count = np.array([one.n for one in found], dtype=np.float64)
    by_count = _variance(offset, count, newcomer=newcomer, held=math.inf)
    return offset, np.minimum(by_error, by_count)


def _variance(offset: Floats, count: Floats, *, newcomer: float, held: float) -> Floats:
    """Return the variance of an offset found from so many answers, held by a prior variance."""
    shrink = 1.0 / math.sqrt(1.0 + LOGIT_SHRINK * newcomer)
    chance = 0.5 * (1.0 + np.tanh(0.5 * shrink * offset))
    information = count * shrink**2 * chance * (1.0 - chance) + 1.0 / held
    return np.asarray(1.0 / np.maximum(information, 1e-9))


def _shift(apart: Floats, variance: Floats) -> tuple[float, float]:
    """Return the mean of the distances by precision, and how they scatter around it, in logits."""
    if not len(apart):
        return 0.0, 0.0
    weight = 1.0 / variance
    mean = float(weight @ apart / weight.sum())
    return mean, math.sqrt(float(weight @ (apart - mean) ** 2 / weight.sum()))
