"""The items and concepts of one course revision, laid out for vectorised decisions."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curriculum.graph import PrerequisiteGraph
from curriculum.scheduler.errors import InvalidBank
from curriculum.scheduler.reachability import find_routes

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ItemBank:
    """N items over K concepts; build with `build_bank`, once per course revision.

    All arrays are read-only. A *pair* is an (item, concept it carries); there are P.

    Attributes:
        item_ids: [N] the caller's ids.
        concept_ids: [K] the caller's ids, in teaching order.
        concepts: [N, M] concept indices 0..K-1, padded with -1.
        sets: [M, S] the distinct rows of `concepts`, the padding as K; far fewer than items.
        set_of: [N] column in `sets` of each item.
        sets_live: [S] whether an operational item has exactly these concepts.
        operational: [N] whether the item may be given at all.
        pilot: [N] whether it is being tried out, which only `trials` looks at.
        is_template: [N] whether the item comes with new numbers each time.
        features: [N] what an item demands of the learner (sound, pictures, dragging), as bits.
        is_fact: [K] concepts that are remembered or not, rather than mastered by degrees.
        requires: [K, K] row k: concepts to be reached before items with k.
        route: [K, K], see `reachability.Routes.route`.
        unlocks_weight: [K, K] float32, row k: all concepts that need k, directly or not.
        carried: N tuples: the concept indices of each item.
        prerequisites: K sets: all concepts that each needs, directly or not.
        assumed: [K] concepts that cannot be shown here and therefore lock nothing.
        practicable: [K] concepts that an operational item carries.
        pair_item, pair_concept: [P] the pairs, by concept and then by item.
        edge_needed, edge_of: [E] the pairs of `requires`: the prerequisite, and what needs it.
        id_order, ids_sorted: [N] for looking up ids.
    """

    item_ids: IntArray
    concept_ids: IntArray
    concepts: IntArray
    sets: IntArray
    set_of: IntArray
    sets_live: BoolArray
    operational: BoolArray
    pilot: BoolArray
    is_template: BoolArray
    features: IntArray
    is_fact: BoolArray
    requires: BoolArray
    route: BoolArray
    unlocks_weight: NDArray[np.float32]
    carried: tuple[tuple[int, ...], ...]
    prerequisites: tuple[frozenset[int], ...]
    assumed: BoolArray
    practicable: BoolArray
    pair_item: IntArray
    pair_concept: IntArray
    edge_needed: IntArray
    edge_of: IntArray
    id_order: IntArray
    ids_sorted: IntArray

    @property
    def n_items(self) -> int:
        """Return N."""
        return len(self.item_ids)

    @property
    def n_concepts(self) -> int:
        """Return K."""
        return len(self.concept_ids)

    def rows_of(self, item_ids: IntArray) -> IntArray:
        """Return the row of each id, or -1 for an id that is not in this bank."""
        if not self.n_items:
            return np.full(len(item_ids), -1, dtype=np.int64)
        places = np.minimum(np.searchsorted(self.ids_sorted, item_ids), self.n_items - 1)
        rows = self.id_order[places]
        return np.where(self.ids_sorted[places] == item_ids, rows, -1)

    def any_concept(self, flag: BoolArray) -> BoolArray:
        """Return [N] whether any concept of the item has the flag [K]."""
        return np.asarray(self.any_in_set(flag).take(self.set_of))

    def any_in_set(self, flag: BoolArray) -> BoolArray:
        """Return [S] whether any concept of the set has the flag [K]."""
        # The padding picks the last entry, which is False.
        padded = np.zeros(len(flag) + 1, dtype=np.bool_)
        padded[:-1] = flag
        found: BoolArray = padded.take(self.sets[0])
        for column in self.sets[1:]:
            found |= padded.take(column)
        return found

    def sets_of(self, items: BoolArray) -> BoolArray:
        """Return [S] the sets of concepts that one of the items [N] has."""
        found = np.zeros(self.sets.shape[1], dtype=np.bool_)
        found[self.set_of[items]] = True
        return found

    def concepts_of_sets(self, flag: BoolArray) -> BoolArray:
        """Return [K] the concepts that a set with the flag [S] has."""
        found = np.zeros(self.n_concepts + 1, dtype=np.bool_)
        for column in self.sets:
            found[column[flag]] = True
        return found[:-1]


def build_bank(  # noqa: PLR0913 - one column of the bank each
    *,
    item_ids: Iterable[int],
    concepts: NDArray[np.integer],
    concept_ids: Iterable[int],
    requires: Iterable[tuple[int, int]],
    operational: Iterable[bool] | None = None,
    pilot: Iterable[bool] | None = None,
    is_template: Iterable[bool] | None = None,
    features: Iterable[int] | None = None,
    is_fact: Iterable[bool] | None = None,
) -> ItemBank:
    """Return the bank, with everything precomputed that no learner changes.

    Args:
        item_ids: N distinct ids.
        concepts: [N, M] concept *indices* into `concept_ids`, padded with -1.
        concept_ids: K distinct ids, in teaching order.
        requires: (prerequisite index, dependent index) pairs.
        operational: per item, default all.
        pilot: per item, default none; what is operational is no pilot.
        is_template: per item, default none.
        features: per item, bits of what it demands of the learner; default none.
        is_fact: per concept, default none.

    Raises:
        InvalidBank: lengths, ids or indices do not fit; an item has no concept.
        CycleFound, SelfPrerequisite, UnknownNode: `requires` is not a DAG over the concepts.
    """
    ids, names = _as_ids(item_ids, "item_ids"), _as_ids(concept_ids, "concept_ids")
    columns = np.asarray(concepts, dtype=np.int64)
    if not len(ids) and columns.size == 0:
        columns = np.empty((0, 1), dtype=np.int64)
    _require_columns(columns, n_items=len(ids), n_concepts=len(names))
    graph = PrerequisiteGraph.from_edges(edges=requires, nodes=range(len(names)))
    live = _as_flags(operational, len(ids), default=True)
    direct = np.zeros((len(names), len(names)), dtype=np.bool_)
    for concept, needed in graph.requires.items():
        direct[concept, list(needed)] = True
    routes = find_routes(
        carried=[row[row >= 0] for row in columns[live]],
        requires=direct,
        order=np.array(graph.order, dtype=np.int64),
    )
    below = _closure(routes.requires, graph.order)
    pair_item, pair_place = np.nonzero(columns >= 0)
    pair_concept = columns[pair_item, pair_place]
    by_concept = np.lexsort((pair_item, pair_concept))
    pair_item, pair_concept = pair_item[by_concept], pair_concept[by_concept]
    edge_of, edge_needed = np.nonzero(routes.requires)
    practicable = np.zeros(len(names), dtype=np.bool_)
    practicable[pair_concept[live[pair_item]]] = True
    id_order = np.argsort(ids, kind="stable")
    sets, set_of = np.unique(columns, axis=0, return_inverse=True)
    sets_live = np.zeros(len(sets), dtype=np.bool_)
    sets_live[set_of.ravel()[live]] = True
    bank = ItemBank(
        item_ids=ids,
        concept_ids=names,
        concepts=columns,
        sets=np.ascontiguousarray(np.where(sets < 0, len(names), sets).T),
        set_of=set_of.ravel(),
        sets_live=sets_live,
        operational=live,
        pilot=_as_flags(pilot, len(ids), default=False) & ~live,
        is_template=_as_flags(is_template, len(ids), default=False),
        features=_as_bits(features, len(ids)),
        is_fact=_as_flags(is_fact, len(names), default=False),
        requires=routes.requires,
        route=routes.route,
        unlocks_weight=np.ascontiguousarray(below.T).astype(np.float32),
        carried=tuple(tuple(c for c in row if c >= 0) for row in columns.tolist()),
        prerequisites=tuple(frozenset(np.flatnonzero(row).tolist()) for row in below),
        assumed=routes.assumed,
        practicable=practicable,
        pair_item=pair_item,
        pair_concept=pair_concept,
        edge_needed=edge_needed,
        edge_of=edge_of,
        id_order=id_order,
        ids_sorted=ids[id_order],
    )
    for name in bank.__slots__:
        value = getattr(bank, name)
        if isinstance(value, np.ndarray):
            value.setflags(write=False)
    return bank


def _closure(requires: BoolArray, order: Iterable[int]) -> BoolArray:
    below = requires.copy()
    for concept in order:
        below[concept] |= below[requires[concept]].any(axis=0)
    return below


def _as_ids(values: Iterable[int], name: str) -> IntArray:
    ids = np.array(list(values), dtype=np.int64)
    if len(np.unique(ids)) != len(ids):
        raise InvalidBank(f"{name} has a repeated id.", field=name)
    return ids


def _as_flags(values: Iterable[bool] | None, size: int, *, default: bool) -> BoolArray:
    if values is None:
        return np.full(size, default, dtype=np.bool_)
    flags = np.array(list(values), dtype=np.bool_)
    if flags.shape != (size,):
        raise InvalidBank(f"{len(flags)} flags for {size} items or concepts.")
    return flags


def _as_bits(values: Iterable[int] | None, size: int) -> IntArray:
    bits = np.zeros(size, dtype=np.int64) if values is None else np.array(list(values), np.int64)
    if bits.shape != (size,):
        raise InvalidBank(f"{len(bits)} features for {size} items.")
    return bits


def _require_columns(columns: IntArray, *, n_items: int, n_concepts: int) -> None:
    if columns.ndim != 2 or len(columns) != n_items:
        raise InvalidBank(f"concepts has shape {columns.shape}: give [{n_items}, M].")
    if columns.size and not (columns.min() >= -1 and columns.max() < n_concepts):
        raise InvalidBank(f"A concept index is outside 0..{n_concepts - 1}.")
    for row, concepts in enumerate(columns.tolist()):
        carried = [concept for concept in concepts if concept >= 0]
        if not carried or len(set(carried)) != len(carried):
            raise InvalidBank(f"Item row {row} has no concept, or one twice.", row=row)
