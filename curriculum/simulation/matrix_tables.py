"""The matrix as JSON for programs, CSV for spreadsheets and Markdown for people."""

import csv
import dataclasses
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

from curriculum.simulation.judging import Verdict
from curriculum.simulation.matrix import Cell, Plan
from curriculum.simulation.measures import NAMES, Figure

# Figures shown to people, and what they are called; all are in the JSON and the CSV.
SHOWN = {
    "gain": "gain",
    "delayed_gain": "after 14 days",
    "bottom_gain": "lowest fifth",
    "minutes_to_known": "minutes to known",
    "over_practice": "over-practice",
    "under_practice": "under-practice",
    "exposure_gini": "exposure Gini",
}


def matrix_json(
    plan: Plan,
    cells: Sequence[Cell],
    policies: Mapping[str, Mapping[str, Any]],
    verdict: Verdict | None,
) -> dict[str, Any]:
    """Return everything: plan, policies with their parameters, cells, verdict."""
    values: dict[str, Any] = {
        "plan": dataclasses.asdict(plan),
        "policies": dict(policies),
        "cells": [
            {
                "simulator": cell.simulator,
                "kind": cell.kind.value,
                "policy": cell.policy,
                "figures": {name: one.to_dict() for name, one in cell.figures.items()},
            }
            for cell in cells
        ],
        "verdict": None if verdict is None else verdict_json(verdict),
    }
    plain: dict[str, Any] = _plain(values)
    return plain


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as JSON values."""
    return {
        "policy": verdict.policy,
        "passed": verdict.passed,
        "shares": {name: round(share, 4) for name, share in verdict.shares.items()},
        "below_random": list(verdict.below_random),
        "moved_controls": list(verdict.moved_controls),
        "differences": {
            baseline: {name: one.to_dict() for name, one in found.items()}
            for baseline, found in verdict.differences.items()
        },
    }


def matrix_csv(cells: Sequence[Cell]) -> str:
    """Return one row per cell and figure, with interval and standard error."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(["simulator", "kind", "policy", "figure", "value", "low", "high", "se"])
    for cell in cells:
        for name in NAMES:
            one = cell.figures[name].to_dict()
            numbers = ["" if math.isnan(one[k]) else one[k] for k in ("value", "low", "high", "se")]
            writer.writerow([cell.simulator, cell.kind.value, cell.policy, name, *numbers])
    return lines.getvalue()


def matrix_markdown(cells: Sequence[Cell], verdict: Verdict | None) -> str:
    """Return one table per shown figure (policies by simulators), and the verdict in words."""
    simulators = list(dict.fromkeys(cell.simulator for cell in cells))
    policies = list(dict.fromkeys(cell.policy for cell in cells))
    by_place = {(cell.simulator, cell.policy): cell for cell in cells}
    parts = []
    for name, title in SHOWN.items():
        rows = [
            [policy, *(_shown(by_place[one, policy].figures[name]) for one in simulators)]
            for policy in policies
        ]
        parts.append(f"**{title}**\n\n" + _table(["policy", *simulators], rows))
    if verdict is not None:
        parts.append(verdict_markdown(verdict))
    return "\n\n".join(parts) + "\n"


def verdict_markdown(verdict: Verdict) -> str:
    """Return the table of differences, and whether the aim is met."""
    simulators = list(next(iter(verdict.differences.values())))
    rows = [
        [
            baseline,
            *(f"{found[one].value:+.3f} ± {found[one].se:.3f}" for one in simulators),
            f"{verdict.shares[baseline]:.0%}",
        ]
        for baseline, found in verdict.differences.items()
    ]
    table = _table([f"{verdict.policy} over", *simulators, "better in"], rows)
    below = ", ".join(verdict.below_random) or "none"
    moved = ", ".join(verdict.moved_controls) or "none"
    met = "met" if verdict.passed else "not met"
    return (
        f"**{verdict.policy}: the aim is {met}**\n\n{table}\n\n"
        f"More than one standard error below random: {below}. "
        f"Controls with a gain other than nought: {moved}."
    )


def _shown(figure: Figure) -> str:
    if math.isnan(figure.value):
        return "–"
    digits = 1 if figure.high > 2.0 else 3
    return f"{figure.value:.{digits}f} ({figure.low:.{digits}f}–{figure.high:.{digits}f})"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _plain(value: Any) -> Any:
    """Return a value for JSON proper, which has no nan and no infinity."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
