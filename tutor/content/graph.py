"""The tutor's only door to the prerequisite graph."""

from collections.abc import Iterable, Mapping

from curriculum.graph import CycleFound, PrerequisiteGraph, SelfPrerequisite, UnknownNode

__all__ = [
    "CycleFound",
    "PrerequisiteGraph",
    "SelfPrerequisite",
    "UnknownNode",
    "build_graph",
]


def build_graph(*, requires: Mapping[str, Iterable[str]]) -> PrerequisiteGraph[str]:
    """Return the graph of concept slugs, each with its direct prerequisites.

    Raises:
        CycleFound: the prerequisites form a cycle, which the message names.
        SelfPrerequisite: a concept requires itself.
        UnknownNode: a prerequisite is not a concept of the course.
    """
    return PrerequisiteGraph[str].from_requires(requires=requires)
