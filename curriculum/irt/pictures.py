"""The curves of a calibration: as tables for programs, and drawn for people."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from curriculum.irt.curves import information, probability
from curriculum.irt.parameters import ItemParameters, bank_of
from curriculum.irt.run import CalibrationRun
from curriculum.irt.tables import csv_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Drawn are the curves of at most so many items, spread over the difficulties; tables have all.
MOST_CURVES = 40
_THETA = np.linspace(-4.0, 4.0, 81)
_BINS = np.linspace(-4.0, 4.0, 33)


@dataclass(frozen=True, slots=True)
class Curves:
    """The curves of the I items that have parameters, at T abilities.

    Attributes:
        bank: the items.
        theta: [T] abilities, logits.
        chance: [T, I] of a right answer.
        information: [T, I] of one answer.
        test_information: [T] of one answer to every item.
        test_error: [T] standard error of an ability after that, with no prior.
    """

    bank: ItemParameters
    theta: NDArray[np.float64]
    chance: NDArray[np.float64]
    information: NDArray[np.float64]
    test_information: NDArray[np.float64]
    test_error: NDArray[np.float64]


def curves_of(run: CalibrationRun) -> Curves:
    """Return the curves of a run's items."""
    seen = [one for one in run.items if one.n > 0]
    bank = bank_of(
        [one.item for one in seen],
        difficulty=[one.difficulty for one in seen],
        discrimination=[one.discrimination for one in seen],
        guessing=[one.guessing for one in seen],
    )
    each = {
        "difficulty": bank.difficulty,
        "discrimination": bank.discrimination,
        "guessing": bank.guessing,
    }
    told = information(_THETA[:, None], **each)
    return Curves(
        bank=bank,
        theta=_THETA,
        chance=probability(_THETA[:, None], **each),
        information=told,
        test_information=told.sum(axis=1),
        test_error=1.0 / np.sqrt(told.sum(axis=1)),
    )


def tables_of(
    run: CalibrationRun, curves: Curves, abilities: NDArray[np.float64]
) -> dict[str, str]:
    """Return file name -> CSV of everything that is drawn.

    Args:
        run: the calibration.
        curves: of its items.
        abilities: [L] of the calibrated learners.
    """
    names = ("theta", *curves.bank.items)
    people, _ = np.histogram(np.clip(abilities, -4.0, 4.0), _BINS)
    items, _ = np.histogram(np.clip(curves.bank.difficulty, -4.0, 4.0), _BINS)
    return {
        "item_curves.csv": csv_text(names, _beside(curves.theta, curves.chance)),
        "item_information.csv": csv_text(names, _beside(curves.theta, curves.information)),
        "test_information.csv": csv_text(
            ("theta", "information", "standard_error"),
            zip(
                curves.theta.tolist(),
                curves.test_information.tolist(),
                curves.test_error.tolist(),
                strict=True,
            ),
        ),
        "wright_map.csv": csv_text(
            ("from", "to", "learners", "items"),
            zip(_BINS[:-1].tolist(), _BINS[1:].tolist(), people, items, strict=True),
        ),
        "fit_scatter.csv": csv_text(
            ("item", "n", "difficulty", "infit", "outfit", "item_rest"),
            (
                (one.item, one.n, one.difficulty, one.infit, one.outfit, one.item_rest)
                for one in run.items
                if one.n > 0
            ),
        ),
    }


def _beside(theta: NDArray[np.float64], columns: NDArray[np.float64]) -> list[list[float]]:
    rows: list[list[float]] = np.concatenate([theta[:, None], columns], axis=1).tolist()
    return rows


def draw(
    run: CalibrationRun, curves: Curves, abilities: NDArray[np.float64], folder: Path
) -> list[Path]:
    """Write the pictures as PNG into an existing folder and return their paths."""
    pictures: dict[str, Callable[[Axes], None]] = {
        "item_curves.png": lambda ax: _item_curves(
            ax, curves, curves.chance, "chance of a right answer"
        ),
        "item_information.png": lambda ax: _item_curves(
            ax, curves, curves.information, "information per squared logit"
        ),
        "test_information.png": lambda ax: _test_information(ax, curves),
        "wright_map.png": lambda ax: _wright_map(ax, curves, abilities),
        "fit_scatter.png": lambda ax: _fit_scatter(ax, run),
    }
    paths = []
    for name, picture in pictures.items():
        figure = _figure()
        picture(figure.subplots())
        figure.savefig(folder / name, dpi=110)
        paths.append(folder / name)
    return paths


def _figure() -> "Figure":
    # Imported where it is used: reading a table must not take a second. The figure's own canvas
    # is Agg, so no window and no global state is involved.
    from matplotlib.figure import Figure  # noqa: PLC0415

    return Figure(figsize=(7.0, 4.5), layout="constrained")


def _item_curves(ax: "Axes", curves: Curves, values: NDArray[np.float64], title: str) -> None:
    order = np.argsort(curves.bank.difficulty, kind="stable")
    count = min(MOST_CURVES, len(order))
    chosen = order[np.linspace(0, len(order) - 1, count).round().astype(np.int64)]
    ax.plot(curves.theta, values[:, chosen], color="tab:blue", alpha=0.4, linewidth=0.9)
    shown = f"{count} of {len(order)} items" if count < len(order) else f"{count} items"
    ax.set(xlabel="ability, logits", ylabel=title, title=shown)


def _test_information(ax: "Axes", curves: Curves) -> None:
    ax.plot(curves.theta, curves.test_information, color="tab:blue")
    ax.set(xlabel="ability, logits", ylabel="information of all items")
    other = ax.twinx()
    other.plot(curves.theta, curves.test_error, color="tab:orange", linestyle="--")
    other.set(ylabel="standard error (dashed)", ylim=(0.0, min(2.0, curves.test_error.max() * 1.1)))


def _wright_map(ax: "Axes", curves: Curves, abilities: NDArray[np.float64]) -> None:
    for values, name, side in ((abilities, "learners", -1), (curves.bank.difficulty, "items", 1)):
        counts, _ = np.histogram(np.clip(values, -4.0, 4.0), _BINS)
        share = counts / max(int(counts.sum()), 1)
        ax.barh(_BINS[:-1], side * share, height=np.diff(_BINS), align="edge", label=name)
    ax.axvline(0.0, color="black", linewidth=0.8)
    ax.legend()
    ax.set(ylabel="logits", xlabel="share of learners (left) and of items (right)")


def _fit_scatter(ax: "Axes", run: CalibrationRun) -> None:
    seen = [one for one in run.items if one.n > 0]
    place = [one.difficulty for one in seen]
    ax.scatter(place, [one.infit for one in seen], s=12, label="infit")
    ax.scatter(place, [one.outfit for one in seen], s=12, marker="x", label="outfit")
    for bound in (0.7, 1.3):
        ax.axhline(bound, color="grey", linewidth=0.8, linestyle=":")
    ax.legend()
    ax.set(xlabel="difficulty, logits", ylabel="mean square, 1 expected")
