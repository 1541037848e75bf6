"""Which concepts can be shown at all, and by which item: computed once per bank.

A learner shows a concept by answering an item that carries it, and may see that item only once
the prerequisites of *all* its concepts are reached. So a prerequisite without items could never
be reached, nor could two that only occur in each other's items, and everything behind them would
be locked for ever. Such a concept is taken as known: its own prerequisites stand in its place.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Routes:
    """How every concept can be shown. K concepts.

    Attributes:
        assumed: [K] concepts that no order of practice could show; they lock nothing.
        requires: [K, K] row k: what must be reached before items with k; never assumed ones.
        route: [K, K] row k: what must be reached for the item by which k is first shown.
            Following it from any concept ends, without going in circles.
    """

    assumed: BoolArray
    requires: BoolArray
    route: BoolArray


def find_routes(*, carried: list[IntArray], requires: BoolArray, order: IntArray) -> Routes:
    """Return how each concept can be shown.

    Args:
        carried: for each operational item, the indices of its concepts.
        requires: [K, K] row k: the direct prerequisites of k.
        order: [K] concept indices, prerequisites first.
    """
    size = len(requires)
    effective = requires.copy()
    assumed, shown = np.zeros(size, dtype=np.bool_), np.zeros(size, dtype=np.bool_)
    route = np.zeros_like(requires)
    items_of: list[list[IntArray]] = [[] for _ in range(size)]
    for concepts in carried:
        for concept in concepts:
            items_of[concept].append(concepts)
    while True:
        _show_what_can_be_shown(items_of, effective, order, shown, route)
        locked = [concept for concept in order if not shown[concept]]
        if not locked:
            _route_the_assumed(items_of, effective, assumed, route)
            return Routes(assumed=assumed, requires=effective, route=route)
        # The first in topological order: its own prerequisites can all be shown.
        first = locked[0]
        assumed[first] = shown[first] = True
        dependents = effective[:, first].copy()
        effective[dependents] |= effective[first]
        effective[:, first] = False
        route[first] = effective[first]


def _route_the_assumed(
    items_of: list[list[IntArray]], requires: BoolArray, assumed: BoolArray, route: BoolArray
) -> None:
    """Lead to the items that carry an assumed concept beside others, in place.

    Their other concepts' prerequisites have to be reached first. No route leads to an assumed
    concept, so that these routes end too.
    """
    for concept in np.flatnonzero(assumed):
        needs = [requires[concepts].any(axis=0) for concepts in items_of[concept]]
        if needs:
            route[concept] = min(needs, key=lambda need: int(need.sum()))


def _show_what_can_be_shown(
    items_of: list[list[IntArray]],
    requires: BoolArray,
    order: IntArray,
    shown: BoolArray,
    route: BoolArray,
) -> None:
    """Mark concepts shown, in place, until nothing changes."""
    changed = True
    while changed:
        changed = False
        for concept in order:
            if shown[concept]:
                continue
            needs = [requires[concepts].any(axis=0) for concepts in items_of[concept]]
            open_needs = [need for need in needs if not (need & ~shown).any()]
            if open_needs:
                route[concept] = min(open_needs, key=lambda need: int(need.sum()))
                shown[concept] = changed = True
