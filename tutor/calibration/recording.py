"""What a calibration found, as the values of the rows that keep it. Pure."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tutor.calibration import collecting, engine
from tutor.calibration.models import CalibrationRun, DifficultyOverride
from tutor.responses.grouping import Grouping


@dataclass(frozen=True, slots=True)
class Asked:
    """What a calibration was made from, beside its log.

    Attributes:
        inputs: as the library takes it.
        reference: the run whose scale it should be on.
        by_hand: what persons had decided on the reference's scale, by item version.
        elsewhere: how many decisions stand on other scales.
        grouping: groups of learners; None where there are less than two.
    """

    inputs: engine.Inputs
    reference: CalibrationRun | None
    by_hand: Mapping[int, DifficultyOverride]
    elsewhere: int
    grouping: Grouping | None


def fields_of(
    found: engine.Calibrated, asked: Asked, collected: collecting.Collected
) -> dict[str, Any]:
    """Return the run's own values, but for the hash of what went in and its times."""
    run, priors = found.run, found.priors
    census = asdict(run.census) | {"excluded": collected.left_out}
    census.pop("seen")
    gates = [*map(asdict, found.gates), *_alarm(found, asked)]
    return {
        "sha256": run.version,
        "settings": plain(asdict(run.settings)),
        "census": census,
        "population": {**asdict(run.population), "slope": found.slope},
        "fit": {"log_likelihood": run.log_likelihood, "iterations": run.iterations},
        "reference": None if run.link is None else asked.reference,
        "link": None if run.link is None else plain(asdict(run.link)),
        "prior": plain(
            {
                "sources": priors.sources,
                "sd": float(priors.sd.max(initial=0.0)),
                "tried_on": priors.tried_on,
                "rmse": priors.rmse,
                "rmse_without": priors.rmse_without,
            }
        ),
        "groups": None if asked.grouping is None else plain(_groups(run.groups, asked.grouping)),
        "gates": plain(gates),
        "passed": all(gate["passed"] or not gate["blocks"] for gate in gates),
    }


def _alarm(found: engine.Calibrated, asked: Asked) -> list[dict[str, Any]]:
    """Return the alarm that decisions by hand do not apply on the run's scale, if any do not."""
    lost = asked.elsewhere + (len(asked.by_hand) if found.run.link is None else 0)
    gate = {"name": "decisions-apply", "value": lost, "bound": 0, "passed": False, "blocks": False}
    return [gate] * bool(lost)


def _groups(compared: Any, grouping: Grouping) -> dict[str, Any]:
    items = []
    for one in compared.items:
        told = {"version": int(one.item), "focal": one.focal}
        told |= {"n_focal": one.n_focal, "n_reference": one.n_reference}
        for name in ("mantel_haenszel", "logistic"):
            figures = getattr(one, name)
            told[name] = None if figures is None else asdict(figures)
        items.append(told)
    return {
        "by": grouping.by,
        "reference": compared.reference,
        "sizes": compared.sizes,
        "too_small": compared.too_small,
        "items": items,
    }


def rows_of(
    found: engine.Calibrated,
    asked: Asked,
    collected: collecting.Collected,
    taken: engine.Ints,
    tables: Mapping[str, list[dict[str, Any]]],
) -> list[dict[str, Any]]:
    """Return the values of every item version, seen or not.

    Args:
        found: the calibration.
        asked: what it was made from.
        collected: its log.
        taken: rows of the log that were calibrated.
        tables: of options, by item version.
    """
    by_name = {one.item: one for one in found.run.items}
    drawn = taken[np.isin(collected.row_ids[taken], list(collected.random_ids))]
    random = collecting.count_by_item(drawn, collected.log)
    source = "+".join(found.priors.sources) or "mean"
    inherits = found.priors.sd < found.learnt_sd
    rows = []
    for k, name in enumerate(asked.inputs.beforehand.items):
        one = by_name.get(name)
        row = {
            "version_id": int(name),
            "prior_mean": float(found.priors.mean[k]),
            "prior_sd": float(found.priors.sd[k]),
            "prior_source": "version before" if inherits[k] else source[:40],
            "pooled_difficulty": float(found.difficulty[k]),
            "pooled_se": float(found.pooled_se[k]),
        }
        is_excluded = row["version_id"] in collected.excluded
        told = _nothing("excluded" if is_excluded else "unseen")
        rows.append(row | (told if one is None else _seen(one, found.se[name])))
        rows[-1]["n_random"] = random.get(name, 0)
        rows[-1]["options"] = tables.get(name, [])
        applies = found.run.link is not None
        rows[-1]["override"] = asked.by_hand.get(row["version_id"]) if applies else None
    return rows


def _nothing(why: str) -> dict[str, Any]:
    return {"n": 0, "seen": 0, "is_anchor": False, "flags": [why]}


def _seen(one: Any, se: float) -> dict[str, Any]:
    figures = ("infit", "outfit", "item_rest", "s_x2", "s_x2_df", "s_x2_p", "block")
    return plain(
        {
            "n": one.n,
            "seen": one.seen,
            "correct": one.correct,
            "difficulty": one.difficulty,
            "difficulty_se": se,
            "discrimination": one.discrimination,
            "discrimination_se": one.discrimination_se,
            "guessing": one.guessing,
            "is_anchor": one.anchor,
            "flags": [str(flag) for flag in one.flags],
            "figures": {name: getattr(one, name) for name in figures},
        }
    )


def plain(value: Any) -> Any:
    """Return JSON values; what is no number (nan, inf) is null: JSON has no word for it."""
    if isinstance(value, dict):
        return {key: plain(own) for key, own in value.items()}
    if isinstance(value, list | tuple):
        return [plain(own) for own in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
