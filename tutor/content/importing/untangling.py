"""From pairs of names to prerequisites of a course: names that lead nowhere, loops, circles."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tutor.content.graph import CycleFound, build_graph
from tutor.content.importing import names
from tutor.content.importing.edges import Edge
from tutor.content.importing.errors import PrerequisitesInCircle

Pair = tuple[str, str]
# Sets of edges tried before the teaching order decides.
MOST_TRIED = 20_000


@dataclass(frozen=True, slots=True)
class Prerequisites:
    """What became of the pairs of a file.

    Attributes:
        requires: concept slug -> slugs that come before, without circles.
        edges: how many of these there are.
        read: pairs in the file.
        repeated: pairs that the file gives again.
        unknown: names that are no concept of the course.
        loops: concepts that the file says require themselves.
        dropped: (concept, required) left out to break circles.
    """

    requires: Mapping[str, tuple[str, ...]]
    edges: int
    read: int
    repeated: int
    unknown: tuple[str, ...]
    loops: tuple[str, ...]
    dropped: tuple[Pair, ...]


def untangle(
    *,
    edges: Iterable[Edge],
    concepts: Mapping[str, str],
    drop_cycles: bool,
    before: Iterable[Pair] = (),
) -> Prerequisites:
    """Return the prerequisites among the course's concepts.

    Args:
        edges: pairs from a file.
        concepts: slug -> name, in teaching order.
        drop_cycles: leave out the fewest pairs that break every circle; else refuse.
        before: (concept, required) slugs that hold already and are kept.

    Raises:
        PrerequisitesInCircle: there is a circle, and `drop_cycles` is not set.
    """
    slugs = _slugs_by_name(concepts)
    pairs: dict[Pair, None] = dict.fromkeys(before)
    unknown: dict[str, None] = {}
    loops: dict[str, None] = {}
    read = repeated = 0
    for edge in edges:
        read += 1
        ends = [slugs.get(_key(name)) for name in (edge.concept, edge.requires)]
        for name, slug in zip((edge.concept, edge.requires), ends, strict=True):
            if slug is None:
                unknown[name] = None
        concept, required = ends
        if concept is None or required is None:
            continue
        if concept == required:
            loops[concept] = None
            continue
        repeated += (concept, required) in pairs
        pairs[concept, required] = None
    dropped = _break_circles(list(pairs), list(concepts)) if drop_cycles else ()
    kept = [pair for pair in pairs if pair not in set(dropped)]
    requires = _requires(kept, concepts)
    try:
        build_graph(requires=requires)
    except CycleFound as error:
        raise PrerequisitesInCircle(
            f"{error} Correct the file, or leave out the fewest pairs with --drop-cycles."
        ) from error
    return Prerequisites(
        requires=requires,
        edges=len(kept),
        read=read,
        repeated=repeated,
        unknown=tuple(unknown),
        loops=tuple(loops),
        dropped=dropped,
    )


def _key(name: str) -> str:
    return " ".join(name.replace("_", " ").replace("-", " ").split()).casefold()


def _slugs_by_name(concepts: Mapping[str, str]) -> dict[str, str]:
    """Return the slug for each way a file may name a concept; a slug beats a name."""
    found: dict[str, str] = {}
    ways = [{slug: slug for slug in concepts}, {name: slug for slug, name in concepts.items()}]
    ways.append({names.log_slug(name): slug for slug, name in concepts.items()})
    for way in ways:
        for name, slug in way.items():
            found.setdefault(_key(name), slug)
    return found


def _requires(pairs: Iterable[Pair], concepts: Iterable[str]) -> dict[str, tuple[str, ...]]:
    requires: dict[str, list[str]] = {slug: [] for slug in concepts}
    for concept, required in pairs:
        requires[concept].append(required)
    return {slug: tuple(own) for slug, own in requires.items()}


def _break_circles(pairs: Sequence[Pair], order: Sequence[str]) -> tuple[Pair, ...]:
    """Return the fewest pairs without which there is no circle.

    Among equally few, those that run against the teaching order. A tangle too large to try all
    sets gives up every pair that runs against the order, which always breaks its circles.
    """
    place = {slug: number for number, slug in enumerate(order)}
    dropped: list[Pair] = []
    for tangle in _tangles(pairs):
        backwards = [pair for pair in tangle if place[pair[0]] < place[pair[1]]]
        forwards = [pair for pair in tangle if pair not in set(backwards)]
        dropped += _fewest([*backwards, *forwards], at_most=len(backwards)) or backwards
    return tuple(dropped)


def _fewest(tangle: Sequence[Pair], *, at_most: int) -> list[Pair] | None:
    tried = 0
    for size in range(1, at_most + 1):
        for chosen in itertools.combinations(tangle, size):
            tried += 1
            if tried > MOST_TRIED:
                return None
            if not _core([pair for pair in tangle if pair not in chosen]):
                return list(chosen)
    return None


def _tangles(pairs: Sequence[Pair]) -> list[list[Pair]]:
    """Return the pairs that lie on circles, those of one knot of circles together."""
    core = _core(pairs)
    reached = {concept: _reached(concept, core) for concept, _ in core}
    tangles: dict[frozenset[str], list[Pair]] = {}
    for concept, required in core:
        if concept in reached.get(required, ()):
            knot = frozenset(n for n in reached[concept] if concept in reached.get(n, ()))
            tangles.setdefault(knot, []).append((concept, required))
    return list(tangles.values())


def _core(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs left after peeling off what leads to no circle or comes from none."""
    left = list(pairs)
    while True:
        concepts, required = {pair[0] for pair in left}, {pair[1] for pair in left}
        kept = [pair for pair in left if pair[0] in required and pair[1] in concepts]
        if len(kept) == len(left):
            return left
        left = kept


def _reached(start: str, pairs: Sequence[Pair]) -> frozenset[str]:
    following: dict[str, list[str]] = {}
    for concept, required in pairs:
        following.setdefault(concept, []).append(required)
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = [n for n in following.get(waiting.pop(), ()) if n not in found]
        found.update(new)
        waiting += new
    return frozenset(found)
