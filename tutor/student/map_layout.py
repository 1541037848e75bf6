"""Where the concepts of a course stand on its map: pure geometry in the drawing's own units.

A layered drawing: every concept stands below all it builds on. Within a layer concepts are
ordered by the mean place of their neighbours (Sugiyama, Tagawa & Toda 1981), which keeps most
lines short. Lines that a chain of others implies are left out.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

NODE_WIDTH, NODE_HEIGHT = 164, 62
GAP_X, GAP_Y = 12, 40
PER_ROW = 6
SWEEPS = 4

Link = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Edge:
    """From the lower edge of `required` to the upper edge of `concept`, which builds on it."""

    concept: int
    required: int
    x1: int
    y1: int
    x2: int
    y2: int

    @property
    def dx(self) -> int:
        """How far to the right the line goes."""
        return self.x2 - self.x1

    @property
    def dy(self) -> int:
        """How far down the line goes."""
        return self.y2 - self.y1

    @property
    def bend(self) -> int:
        """How far the curve goes down before it turns."""
        return self.dy // 2


@dataclass(frozen=True, slots=True)
class Layout:
    """The upper left corner of every concept, the lines between them, and the whole's size."""

    corners: tuple[tuple[int, int], ...]
    edges: tuple[Edge, ...]
    width: int
    height: int


def lay_out(*, n_concepts: int, requires: Sequence[Link]) -> Layout:
    """Return the layout of concepts 0..n-1; `requires` holds (concept, required), acyclic."""
    links = drop_implied(n_concepts=n_concepts, requires=requires)
    rows = _rows(_order(_layers(n_concepts, links), links))
    corners: dict[int, tuple[int, int]] = {}
    for row, members in enumerate(rows):
        left = GAP_X + (PER_ROW - len(members)) * (NODE_WIDTH + GAP_X) // 2
        for column, concept in enumerate(members):
            corners[concept] = (
                left + column * (NODE_WIDTH + GAP_X),
                GAP_X + row * (NODE_HEIGHT + GAP_Y),
            )
    placed = tuple(corners[concept] for concept in range(n_concepts))
    return Layout(
        corners=placed,
        edges=tuple(_edge(placed, concept, required) for concept, required in links),
        width=PER_ROW * (NODE_WIDTH + GAP_X) + GAP_X,
        height=len(rows) * (NODE_HEIGHT + GAP_Y) - GAP_Y + 2 * GAP_X,
    )


def drop_implied(*, n_concepts: int, requires: Sequence[Link]) -> list[Link]:
    """Return the links without those that follow from others, such as 1→3 beside 1→2→3."""
    direct = _by_concept(requires)
    reached: dict[int, frozenset[int]] = {}

    def below(concept: int) -> frozenset[int]:
        if concept not in reached:
            found = (below(required) | {required} for required in direct[concept])
            reached[concept] = frozenset().union(*found)
        return reached[concept]

    return [
        (concept, required)
        for concept in range(n_concepts)
        for required in direct[concept]
        if not any(required in below(other) for other in direct[concept])
    ]


def _layers(n_concepts: int, links: Sequence[Link]) -> list[list[int]]:
    required = _by_concept(links)
    depths: dict[int, int] = {}

    def depth(concept: int) -> int:
        if concept not in depths:
            depths[concept] = 1 + max((depth(r) for r in required[concept]), default=-1)
        return depths[concept]

    layers: list[list[int]] = [[] for _ in range(1 + max(map(depth, range(n_concepts)), default=0))]
    for concept in range(n_concepts):
        layers[depths[concept]].append(concept)
    return layers


def _order(layers: list[list[int]], links: Sequence[Link]) -> list[list[int]]:
    neighbours: dict[int, list[int]] = defaultdict(list)
    for concept, required in links:
        neighbours[concept].append(required)
        neighbours[required].append(concept)
    # Place of a concept in its layer, -1..1, so that layers of different width compare.
    place: dict[int, float] = {}
    for _ in range(SWEEPS):
        for members in layers:
            means = {
                concept: sum(known) / len(known)
                for concept in members
                if (known := [place[n] for n in neighbours[concept] if n in place])
            }
            members.sort(key=lambda concept: means.get(concept, 0.0))
            for index, concept in enumerate(members):
                place[concept] = (2 * index + 1) / len(members) - 1
    return layers


def _rows(layers: Sequence[list[int]]) -> list[list[int]]:
    """Return the layers, those too wide for one row as several of about the same length."""
    rows = []
    for members in layers:
        parts = -(-len(members) // PER_ROW)
        size = -(-len(members) // parts) if parts else 1
        rows += [members[start : start + size] for start in range(0, len(members), size)]
    return rows


def _edge(corners: tuple[tuple[int, int], ...], concept: int, required: int) -> Edge:
    half = NODE_WIDTH // 2
    return Edge(
        concept=concept,
        required=required,
        x1=corners[required][0] + half,
        y1=corners[required][1] + NODE_HEIGHT,
        x2=corners[concept][0] + half,
        y2=corners[concept][1],
    )


def _by_concept(links: Sequence[Link]) -> dict[int, list[int]]:
    required: dict[int, list[int]] = defaultdict(list)
    for concept, needs in links:
        required[concept].append(needs)
    return required
