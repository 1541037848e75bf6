"""A calibration inside a tracer version: its difficulties on the filter's scale. Numpy only.

The filter knows one number of an item, its offset, and a variance. A calibrated item of difficulty
b, at the run's common slope a, gets the offset at which the filter expects of a newcomer what the
calibration expects of its population N(mu, sigma): with the usual match of a logistic and a
Gaussian (MacKay, 1992), k = pi / 8 and v the variance of a newcomer's logit,

    offset = shift + a (mu - b) sqrt((1 + k v) / (1 + k a^2 sigma^2)).

`shift` is what the filter's own offsets of the same items say on average: the filter counts the
learning that happens in its log, and the calibration does not. How far they scatter around it is
the error of the translation; with it the two are pooled by precision. Both come largely from the
same answers, so the run's error is counted on top of the filter's: where the filter knows an item
well the run adds little, and where it knows nothing (a new item) the run is all there is.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
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
        difficulty: logits at the run's common slope, prior and answers pooled.
        se: its standard error.
        seen: all answers to it in the run's log.
        held: whether a person decided the difficulty, so that the filter's own answers, which are
            among those that the person knew of, do not move it.
    """

    difficulty: float
    se: float
    seen: int
    held: bool = False


@dataclass(frozen=True, slots=True)
class PinnedRun:
    """A run as a tracer version keeps it: all that is needed to apply it to another fit.

    Attributes:
        run: its database id.
        number: its number in the course.
        sha256: its hash.
        mean, sd: the learners on its scale.
        slope: the items' common slope, per logit.
        items: by item version id.
        uncounted: item versions whose answers count no more.
        slopes: discrimination of item versions over the common slope, where the run tells them
            apart: how much an answer to one says. The filter's success knows one slope only.
    """

    run: int
    number: int
    sha256: str
    mean: float
    sd: float
    slope: float
    items: Mapping[int, PinnedItem]
    uncounted: tuple[int, ...] = ()
    slopes: Mapping[int, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values; items as [difficulty, se, seen], with true at the end where held."""
        return {
            "run": self.run,
            "number": self.number,
            "sha256": self.sha256,
            "mean": self.mean,
            "sd": self.sd,
            "slope": self.slope,
            "items": {
                str(pk): [one.difficulty, one.se, one.seen, *([True] * one.held)]
                for pk, one in self.items.items()
            },
            "uncounted": list(self.uncounted),
            "slopes": {str(pk): slope for pk, slope in self.slopes.items()},
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "PinnedRun":
        """Return the run that `to_dict` wrote."""
        items = {int(pk): PinnedItem(*told) for pk, told in values["items"].items()}
        told = {name: values[name] for name in ("run", "number", "sha256", "mean", "sd", "slope")}
        slopes = {int(pk): float(slope) for pk, slope in values.get("slopes", {}).items()}
        return cls(**told, items=items, uncounted=tuple(values["uncounted"]), slopes=slopes)


# What a run adds to a tracer's body.
_PINNED = frozenset(
    {"calibration", "fitted_offsets", "item_vars", "unknown_item_var", "translation"}
)


def unpinned(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a tracer's body as it was fitted, without a calibration."""
    plain = {key: value for key, value in body.items() if key not in _PINNED}
    return {**plain, "item_offsets": body.get("fitted_offsets", body["item_offsets"])}


def leave_out(body: Mapping[str, Any], versions: Iterable[int]) -> dict[str, Any]:
    """Return a tracer's body without a calibration, under which answers to `versions` do not count.

    Offsets count as known, as without a calibration they do.
    """
    plain = unpinned(body)
    excluded = {str(pk): None for pk in versions}
    return {**plain, "item_vars": excluded} if excluded else plain


def pin(body: Mapping[str, Any], run: PinnedRun) -> dict[str, Any]:
    """Return a tracer's body with the run in it.

    `item_offsets` are pooled, `item_vars` their variances (null: not counted), `unknown_item_var`
    that of every item version without one, `fitted_offsets` the filter's own; `calibration` is the
    run, `translation` the shift and its scatter in logits. Items the run does not know keep the
    offset that they had. `reference_offsets` are left to the caller.
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
    )
    both = np.isfinite(fitted) & ~np.array([run.items[pk].held for pk in ids], dtype=bool)
    shift, scatter = _shift(fitted[both] - told[both], (fitted_var + told_var)[both])
    if not both.any():
        shift = -float(plain["parameters"]["ability_prior_mean"])
    told_var = told_var + scatter**2 + np.where(both, fitted_var, 0.0)
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
        # What came later, or has no difficulty in the run, must not be the best known item of all.
        "unknown_item_var": ITEM_VAR,
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
    spread = 1.0 + LOGIT_SHRINK * (run.slope * run.sd) ** 2
    factor = run.slope * math.sqrt((1.0 + LOGIT_SHRINK * _newcomer(parameters)) / spread)
    error = factor * np.array([one.se for one in found], dtype=np.float64)
    return factor * (run.mean - difficulty), error**2


def _variance(offset: Floats, count: Floats, *, newcomer: float) -> Floats:
    """Return the variance of an offset fitted to so many answers and held by `ITEM_VAR`."""
    shrink = 1.0 / math.sqrt(1.0 + LOGIT_SHRINK * newcomer)
    chance = 0.5 * (1.0 + np.tanh(0.5 * shrink * offset))
    return np.asarray(1.0 / (count * shrink**2 * chance * (1.0 - chance) + 1.0 / ITEM_VAR))


def _shift(apart: Floats, variance: Floats) -> tuple[float, float]:
    """Return the mean of the distances by precision, and how they scatter around it, in logits."""
    if not len(apart):
        return 0.0, 0.0
    weight = 1.0 / variance
    mean = float(weight @ apart / weight.sum())
    return mean, math.sqrt(float(weight @ (apart - mean) ** 2 / weight.sum()))
