"""The prerequisite graph of a course: an immutable directed acyclic graph.

An edge (a, b) says that `a` is a direct prerequisite of `b`; it is written `a -> b`.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Self, TypeVar

from curriculum.errors import CurriculumError

Node = TypeVar("Node", bound=str | int)


class CycleFound(CurriculumError):
    """Some nodes are prerequisites of themselves; `facts["cycle"]` names them in order."""


class UnknownNode(CurriculumError):
    """A node was named that the graph does not have."""


class SelfPrerequisite(CurriculumError):
    """A node was declared as its own direct prerequisite."""


@dataclass(frozen=True, slots=True)
class PrerequisiteGraph(Generic[Node]):
    """Direct prerequisites of each node; built by `from_requires` or `from_edges`.

    Attributes:
        requires: For each node, in the order given, its direct prerequisites.
        unlocks: For each node, the nodes it is a direct prerequisite of.
        order: All nodes, prerequisites first; ties keep the order given.
    """

    requires: Mapping[Node, tuple[Node, ...]]
    unlocks: Mapping[Node, tuple[Node, ...]] = field(repr=False)
    order: tuple[Node, ...] = field(repr=False)

    @classmethod
    def from_requires(cls, *, requires: Mapping[Node, Iterable[Node]]) -> Self:
        """Build from each node's direct prerequisites; repeated ones count once.

        Raises:
            UnknownNode: a prerequisite is not itself a key of `requires`.
            SelfPrerequisite: a node requires itself.
            CycleFound: the prerequisites form a cycle.
        """
        direct = {node: tuple(dict.fromkeys(needed)) for node, needed in requires.items()}
        following: dict[Node, list[Node]] = {node: [] for node in direct}
        for node, needed in direct.items():
            for prerequisite in needed:
                if prerequisite == node:
                    raise SelfPrerequisite(f"{node} requires itself.", node=node)
                if prerequisite not in direct:
                    raise UnknownNode(
                        f"{node} requires {prerequisite}, which does not exist.",
                        node=prerequisite,
                        required_by=node,
                    )
                following[prerequisite].append(node)
        unlocks = {node: tuple(after) for node, after in following.items()}
        return cls(requires=direct, unlocks=unlocks, order=_order(direct, unlocks))

    @classmethod
    def from_edges(
        cls, *, edges: Iterable[tuple[Node, Node]], nodes: Iterable[Node] | None = None
    ) -> Self:
        """Build from (prerequisite, dependent) pairs.

        Args:
            edges: The direct prerequisites.
            nodes: All nodes in their order. Without it, those that the edges name, in order
                of appearance.

        Raises:
            UnknownNode: `nodes` is given and an edge names another node.
            SelfPrerequisite: an edge joins a node to itself.
            CycleFound: the edges form a cycle.
        """
        pairs = list(edges)
        known = (node for pair in pairs for node in pair) if nodes is None else nodes
        needed: dict[Node, list[Node]] = {node: [] for node in known}
        for prerequisite, dependent in pairs:
            if dependent not in needed:
                raise UnknownNode(f"There is no {dependent}.", node=dependent)
            needed[dependent].append(prerequisite)
        return cls.from_requires(requires=needed)

    def ancestors(self, node: Node) -> frozenset[Node]:
        """Return every direct and indirect prerequisite of `node`, without itself."""
        return _reach(self.requires, node)

    def descendants(self, node: Node) -> frozenset[Node]:
        """Return every node that directly or indirectly requires `node`, without itself."""
        return _reach(self.unlocks, node)

    def frontier(self, mastered: Collection[Node]) -> tuple[Node, ...]:
        """Return the nodes not mastered whose direct prerequisites all are, in given order.

        Raises:
            UnknownNode: a mastered node is not in the graph.
        """
        done = set(mastered)
        for node in done:
            if node not in self.requires:
                raise UnknownNode(f"There is no {node}.", node=node)
        return tuple(
            node
            for node, needed in self.requires.items()
            if node not in done and done.issuperset(needed)
        )

    def levels(self) -> tuple[tuple[Node, ...], ...]:
        """Return the nodes by level: the longest chain of prerequisites below each.

        Level 0 has no prerequisites; each node of level n has one on level n - 1.
        """
        return _group(self.requires, self._depths())

    def layers(self) -> tuple[tuple[Node, ...], ...]:
        """Return longest-path layers for drawing: every edge points to a later layer.

        Like `levels`, but a node with more dependents than prerequisites is pulled towards
        its dependents, which shortens the drawn edges and never lengthens their sum.
        """
        layer = self._depths()
        for node in reversed(self.order):
            after = self.unlocks[node]
            if len(after) > len(self.requires[node]):
                layer[node] = min(layer[dependent] for dependent in after) - 1
        return _group(self.requires, layer)

    def transitive_reduction(self) -> Self:
        """Return the graph without the edges that a longer chain already implies."""
        implied: dict[Node, frozenset[Node]] = {}
        for node in self.order:
            implied[node] = frozenset(self.requires[node]).union(
                *(implied[needed] for needed in self.requires[node])
            )
        kept = {
            node: [
                candidate
                for candidate in needed
                if not any(candidate in implied[other] for other in needed)
            ]
            for node, needed in self.requires.items()
        }
        return type(self).from_requires(requires=kept)

    def _depths(self) -> dict[Node, int]:
        depth: dict[Node, int] = {}
        for node in self.order:
            depth[node] = 1 + max((depth[needed] for needed in self.requires[node]), default=-1)
        return depth


def _reach(step: Mapping[Node, tuple[Node, ...]], start: Node) -> frozenset[Node]:
    if start not in step:
        raise UnknownNode(f"There is no {start}.", node=start)
    found: set[Node] = set()
    waiting = deque(step[start])
    while waiting:
        node = waiting.popleft()
        if node not in found:
            found.add(node)
            waiting.extend(step[node])
    return frozenset(found)


def _group(nodes: Iterable[Node], number_of: Mapping[Node, int]) -> tuple[tuple[Node, ...], ...]:
    groups: list[list[Node]] = [[] for _ in range(1 + max(number_of.values(), default=-1))]
    for node in nodes:
        groups[number_of[node]].append(node)
    return tuple(tuple(group) for group in groups if group)


def _order(
    requires: Mapping[Node, tuple[Node, ...]], unlocks: Mapping[Node, tuple[Node, ...]]
) -> tuple[Node, ...]:
    """Return the nodes, prerequisites first (Kahn 1962), or raise CycleFound."""
    missing = {node: len(needed) for node, needed in requires.items()}
    ready = deque(node for node, count in missing.items() if count == 0)
    order: list[Node] = []
    while ready:
        node = ready.popleft()
        order.append(node)
        for dependent in unlocks[node]:
            missing[dependent] -= 1
            if missing[dependent] == 0:
                ready.append(dependent)
    if len(order) < len(requires):
        cycle = _find_cycle(requires, lambda node: missing[node] > 0)
        named = " -> ".join(str(node) for node in cycle)
        raise CycleFound(f"The prerequisites form a cycle: {named}.", cycle=cycle)
    return tuple(order)


def _find_cycle(
    requires: Mapping[Node, tuple[Node, ...]], is_stuck: Callable[[Node], bool]
) -> tuple[Node, ...]:
    """Return one cycle along the edges, first node repeated at the end.

    Every stuck node has a stuck prerequisite, so walking back must meet a node again.
    """
    node: Node = next(stuck for stuck in requires if is_stuck(stuck))
    walked: list[Node] = []
    position: dict[Node, int] = {}
    while node not in position:
        position[node] = len(walked)
        walked.append(node)
        node = next(needed for needed in requires[node] if is_stuck(needed))
    # Walked against the edges: reversed, it reads from prerequisite to dependent.
    return tuple(reversed([*walked[position[node] :], node]))
