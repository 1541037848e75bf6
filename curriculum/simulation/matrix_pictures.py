"""The matrix as a picture; `matrix.md` and `matrix.csv` are its tables."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from curriculum.simulation.matrix import Cell
from curriculum.simulation.student import Kind

COLUMNS = 4


def draw_gains(cells: Sequence[Cell], path: Path) -> None:
    """Draw every simulator's panel: each policy's gain with its interval; random as a line."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - takes a second to load

    simulators = list(dict.fromkeys(cell.simulator for cell in cells))
    policies = list(dict.fromkeys(cell.policy for cell in cells))
    by_place = {(cell.simulator, cell.policy): cell for cell in cells}
    rows = -(-len(simulators) // COLUMNS)
    columns = min(COLUMNS, len(simulators))
    figure = Figure(
        figsize=(1.6 + 2.6 * columns, 0.9 + rows * (0.9 + 0.22 * len(policies))),
        layout="constrained",
    )
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False)
    places = np.arange(len(policies))
    for panel, simulator in zip(panels.flat, simulators, strict=False):
        found = [by_place[simulator, policy].figures["gain"] for policy in policies]
        for place, one in zip(places, found, strict=True):
            panel.plot([one.low, one.high], [place, place], color="0.6", linewidth=2.0, zorder=1)
        panel.plot([one.value for one in found], places, "o", color="#1f4e79", zorder=2)
        if "uniform" in policies:
            random = by_place[simulator, "uniform"].figures["gain"].value
            panel.axvline(random, color="#b3541e", linestyle=":", linewidth=1.2, zorder=0)
        control = by_place[simulator, policies[0]].kind is Kind.CONTROL
        panel.set_title(f"{simulator} (control)" if control else simulator, fontsize=9)
        panel.set_yticks(places, policies, fontsize=8)
        panel.tick_params(axis="x", labelsize=8)
        if control:
            panel.set_xlim(-0.1, 0.1)
    for panel in panels.flat[len(simulators) :]:
        panel.set_axis_off()
    panels.flat[0].invert_yaxis()
    figure.supxlabel(
        "gain in true success until the test, 95 % interval by learner; dotted: uniform", fontsize=9
    )
    figure.savefig(path, dpi=100)
