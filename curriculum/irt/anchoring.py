"""Which items of an earlier calibration hold the scale of the next one."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curriculum.irt.linking import anchors_needed
from curriculum.irt.models import ItemModel
from curriculum.irt.parameters import ItemParameters, bank_of
from curriculum.irt.population import Population
from curriculum.irt.run import MAY_ANCHOR, OPERATIONAL_SE, CalibrationRun, Gate

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

# A fifth of the bank, at least 20, has to hold a scale; half as many more are asked for, since some
# may have drifted. The others are free to become better known.
ANCHOR_SHARE = 0.3
ANCHORS = 30
ANCHOR_SE = OPERATIONAL_SE


@dataclass(frozen=True, slots=True)
class Known:
    """Items of an earlier run; I rows.

    Attributes:
        items: names.
        difficulty, se, discrimination, guessing: [I] on that run's scale; nan where it has none.
        may_anchor: [I] whether nothing but its error speaks against the item's holding the scale.
        model: that they were calibrated by.
        population: the run's learners on its scale.
    """

    items: tuple[str, ...]
    difficulty: Floats
    se: Floats
    discrimination: Floats
    guessing: Floats
    may_anchor: Bools
    model: ItemModel
    population: Population

    @property
    def holders(self) -> Bools:
        """[I] whether the item is fit to hold the scale, and known well enough."""
        return np.asarray(self.may_anchor & (self.se < ANCHOR_SE))

    @property
    def holds_a_scale(self) -> bool:
        """Whether enough of the items that have figures are fit to hold the scale."""
        needed = anchors_needed(int(np.isfinite(self.difficulty).sum()))
        return int(self.holders.sum()) >= needed

    def bank(self, rows: Bools | None = None) -> ItemParameters | None:
        """Return the parameters of the items that have any, or of some rows; None for no item."""
        chosen = np.isfinite(self.difficulty) & np.isfinite(self.discrimination)
        if rows is not None:
            chosen &= rows
        if not chosen.any():
            return None
        names = [name for name, own in zip(self.items, chosen, strict=True) if own]
        return bank_of(
            names,
            difficulty=self.difficulty[chosen],
            discrimination=self.discrimination[chosen],
            guessing=self.guessing[chosen],
        )


def choose_anchors(known: Known, *, among: frozenset[str]) -> ItemParameters | None:
    """Return the items that hold the scale: well known, and spread over all difficulties."""
    fit = known.holders & np.array([name in among for name in known.items], dtype=bool)
    wanted = max(ANCHORS, int(np.ceil(ANCHOR_SHARE * len(among))))
    candidates = np.flatnonzero(fit)
    by_place = candidates[np.argsort(known.difficulty[candidates], kind="stable")]
    parts = np.array_split(by_place, min(wanted, len(by_place)) or 1)
    chosen = np.zeros(len(known.items), dtype=bool)
    chosen[[int(part[np.argmin(known.se[part])]) for part in parts if len(part)]] = True
    return known.bank(chosen)


def gates_of_scale(run: CalibrationRun, reference: Known | None, *, in_use: bool) -> list[Gate]:
    """Return the conditions that have to do with the scale that the run stands on.

    A run founds a scale where it is not linked. It may be the reference of later ones, so enough of
    its items must be known well. Nobody minds that an earlier scale is left, unless it is that of
    the run in use and could hold: then somebody should look first.

    Args:
        run: the run; linked to the reference, or on a scale of its own.
        reference: the run whose scale it should be on.
        in_use: whether learners' estimates rest on the reference.
    """
    on_it = run.link is not None
    if on_it:
        return [Gate("on-the-scale", 1.0, 1.0, passed=True)]
    leaves = reference is not None and in_use and reference.holds_a_scale
    answered = [one for one in run.items if one.n]
    held = sum(one.difficulty_se < ANCHOR_SE and set(one.flags) <= MAY_ANCHOR for one in answered)
    needed = anchors_needed(len(answered))
    gates = [Gate("holds-a-scale", float(held), float(needed), passed=held >= needed)]
    if reference is not None:
        gates.append(Gate("on-the-scale", 0.0, 1.0, passed=not leaves, blocks=leaves))
    return gates
