"""The course as a map: concepts in layers, each below what it builds on, with bands."""

import datetime as dt
import textwrap
from collections import defaultdict
from dataclasses import dataclass

from tutor.accounts.models import Learner
from tutor.content import selectors as content_selectors
from tutor.content.models import Course
from tutor.content.selectors import CourseBank
from tutor.tracing import selectors as tracing_selectors
from tutor.tracing.bands import Mastery

# Sizes in the drawing's own units.
NODE_WIDTH, NODE_HEIGHT = 150, 52
GAP_X, GAP_Y = 16, 44
PER_ROW = 6


@dataclass(frozen=True, slots=True)
class Node:
    """A concept on the map; x and y are its upper left corner."""

    name: str
    lines: tuple[str, ...]
    x: int
    y: int
    mastery: Mastery
    requires: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Edge:
    """From a prerequisite's lower edge to the upper edge of what builds on it."""

    x1: int
    y1: int
    x2: int
    y2: int


@dataclass(frozen=True, slots=True)
class CourseMap:
    """Everything that the drawing and its list twin show."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    width: int
    height: int
    counts: dict[str, int]


def draw(*, learner: Learner, course: Course, at: dt.datetime) -> CourseMap:
    """Return the map of a course for a learner."""
    bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
    masteries = tracing_selectors.get_masteries(learner=learner, course=course, at=at)
    places, rows = _places(bank)
    nodes = tuple(
        Node(
            name=bank.concept_names[index],
            lines=tuple(textwrap.wrap(bank.concept_names[index], width=20)[:2]),
            x=places[index][0],
            y=places[index][1],
            mastery=masteries[pk],
            requires=tuple(bank.concept_names[r] for c, r in bank.requires if c == index),
        )
        for index, pk in enumerate(bank.concept_ids.tolist())
    )
    counts: dict[str, int] = defaultdict(int)
    for node in nodes:
        counts[node.mastery.band.value] += 1
    return CourseMap(
        nodes=nodes,
        edges=tuple(_edges(bank, places)),
        width=PER_ROW * (NODE_WIDTH + GAP_X) + GAP_X,
        height=rows * (NODE_HEIGHT + GAP_Y) + GAP_Y,
        counts=dict(counts),
    )


def _places(bank: CourseBank) -> tuple[list[tuple[int, int]], int]:
    """Return each concept's corner, and how many rows there are.

    A concept's layer is one below its deepest prerequisite's; a layer that is too wide for a row
    takes several.
    """
    layers: dict[int, list[int]] = defaultdict(list)
    for concept, depth in enumerate(_depths(bank)):
        layers[depth].append(concept)
    places: dict[int, tuple[int, int]] = {}
    row = 0
    for depth in sorted(layers):
        members = layers[depth]
        for start in range(0, len(members), PER_ROW):
            part = members[start : start + PER_ROW]
            left = (PER_ROW - len(part)) * (NODE_WIDTH + GAP_X) // 2 + GAP_X
            for column, concept in enumerate(part):
                x = left + column * (NODE_WIDTH + GAP_X)
                places[concept] = (x, GAP_Y // 2 + row * (NODE_HEIGHT + GAP_Y))
            row += 1
    return [places[index] for index in range(len(bank.concept_ids))], row


def _depths(bank: CourseBank) -> list[int]:
    required: dict[int, list[int]] = defaultdict(list)
    for concept, needs in bank.requires:
        required[concept].append(needs)
    depths: dict[int, int] = {}

    def depth(concept: int) -> int:
        if concept not in depths:
            depths[concept] = 1 + max((depth(r) for r in required[concept]), default=-1)
        return depths[concept]

    return [depth(index) for index in range(len(bank.concept_ids))]


def _edges(bank: CourseBank, places: list[tuple[int, int]]) -> list[Edge]:
    half = NODE_WIDTH // 2
    return [
        Edge(
            x1=places[required][0] + half,
            y1=places[required][1] + NODE_HEIGHT,
            x2=places[concept][0] + half,
            y2=places[concept][1],
        )
        for concept, required in bank.requires
    ]
