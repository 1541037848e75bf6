"""Where a fit starts, and which of its parameters may move; the same for every engine."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curriculum.irt.errors import ImpossibleParameters
from curriculum.irt.models import Anchors, ItemModel
from curriculum.irt.parameters import ItemParameters
from curriculum.irt.responses import Responses


@dataclass(frozen=True, slots=True)
class Start:
    """The bank that a fit begins with.

    Attributes:
        bank: parameters of all I items.
        free_slope: [I] whether the item's discrimination is estimated.
        free_place: [I] whether its difficulty is.
    """

    bank: ItemParameters
    free_slope: NDArray[np.bool_]
    free_place: NDArray[np.bool_]


def start_of(
    responses: Responses,
    *,
    model: ItemModel,
    guessing: NDArray[np.float64] | None,
    anchors: Anchors | None,
    earlier: ItemParameters | None,
) -> Start:
    """Return the start of a fit.

    An item starts where an earlier run left it, else at the log odds of its share of right answers.
    Anchors stand where they are known to. Nobody's item stays at the centre of its prior.

    Raises:
        ImpossibleParameters: an anchor is not among the items, guessing has another length, or the
            anchors of a 1PL differ in discrimination.
    """
    count, answered = len(responses.items), responses.answered
    chance = np.zeros(count) if guessing is None else np.asarray(guessing, dtype=np.float64)
    if chance.shape != (count,):
        raise ImpossibleParameters(f"{chance.size} chances of guessing for {count} items.")
    share = np.clip((responses.right + 1.0) / (answered + 2.0), chance + 0.05, 0.99)
    known = (share - chance) / (1.0 - chance)
    place = np.where(answered > 0, -np.log(known / (1.0 - known)), 0.0)
    slope = np.ones(count)
    if earlier is not None:
        _put(place, slope, responses.items, earlier)
    if model is ItemModel.ONE:
        slope[:] = np.exp(np.log(slope).mean())
    free_place = answered > 0
    free_slope = free_place.copy()
    if anchors is not None:
        rows = anchors.rows_in(responses.items)
        _put(place, slope, responses.items, anchors.bank)
        free_place[rows] = free_slope[rows] = False
        if model is ItemModel.ONE:
            slope[:] = _common_slope(anchors.bank)
            free_slope[:] = False
    bank = ItemParameters(
        items=responses.items, difficulty=place, discrimination=slope, guessing=chance
    )
    return Start(bank=bank, free_slope=free_slope, free_place=free_place)


def _put(
    place: NDArray[np.float64],
    slope: NDArray[np.float64],
    items: tuple[str, ...],
    bank: ItemParameters,
) -> None:
    number = {name: k for k, name in enumerate(items)}
    shared = [(number[name], k) for k, name in enumerate(bank.items) if name in number]
    for own, given in shared:
        place[own], slope[own] = bank.difficulty[given], bank.discrimination[given]


def _common_slope(bank: ItemParameters) -> float:
    slopes = bank.discrimination
    if slopes.max() > slopes.min() * 1.0001:
        msg = f"The anchors' discriminations run from {slopes.min():.3f} to {slopes.max():.3f}."
        raise ImpossibleParameters(msg + " Those of a 1PL are one; calibrate with the 2PL.")
    return float(slopes[0])
