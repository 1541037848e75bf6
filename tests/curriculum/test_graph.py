"""The graph against brute force over every path."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curriculum.graph import CycleFound, PrerequisiteGraph, SelfPrerequisite, UnknownNode

SIZE = 7
PAIRS = list(itertools.combinations(range(SIZE), 2))


@st.composite
def dags(draw):
    """Random DAGs whose node order is not already topological."""
    names = draw(st.permutations(range(SIZE)))
    edges = draw(st.lists(st.sampled_from(PAIRS), unique=True))
    return [(names[a], names[b]) for a, b in edges]


def build(edges):
    return PrerequisiteGraph.from_edges(edges=edges, nodes=range(SIZE))


def has_path(edges, start, end):
    """Search all simple paths, by recursion: slow and plain."""
    return any(a == start and (b == end or has_path(edges, b, end)) for a, b in edges)


def longest_chain(edges, node):
    return max((1 + longest_chain(edges, a) for a, b in edges if b == node), default=0)


def layer_of(layers):
    return {node: number for number, layer in enumerate(layers) for node in layer}


class TestRelations:
    @given(edges=dags())
    def test_ancestors_and_descendants_are_the_nodes_with_a_path(self, edges):
        graph = build(edges)
        for node in range(SIZE):
            others = range(SIZE)
            assert graph.ancestors(node) == {a for a in others if has_path(edges, a, node)}
            assert graph.descendants(node) == {b for b in others if has_path(edges, node, b)}

    @given(edges=dags())
    def test_order_puts_prerequisites_first(self, edges):
        order = build(edges).order
        assert sorted(order) == list(range(SIZE))
        assert all(order.index(a) < order.index(b) for a, b in edges)

    @given(edges=dags(), mastered=st.sets(st.integers(0, SIZE - 1)))
    def test_frontier_is_what_can_be_started(self, edges, mastered):
        expected = [
            node
            for node in range(SIZE)
            if node not in mastered and all(a in mastered for a, b in edges if b == node)
        ]
        assert list(build(edges).frontier(mastered)) == expected

    def test_unknown_nodes_are_refused(self):
        graph = PrerequisiteGraph.from_requires(requires={"a": []})
        for call in (graph.ancestors, graph.descendants, lambda node: graph.frontier([node])):
            with pytest.raises(UnknownNode) as caught:
                call("b")
            assert caught.value.facts["node"] == "b"

    def test_repeated_edges_count_once(self):
        graph = PrerequisiteGraph.from_edges(edges=[("a", "b"), ("a", "b")])
        assert graph.requires == {"a": (), "b": ("a",)}
        assert graph.order == ("a", "b")


class TestLevels:
    @given(edges=dags())
    def test_level_is_the_longest_chain_below(self, edges):
        levels = layer_of(build(edges).levels())
        assert levels == {node: longest_chain(edges, node) for node in range(SIZE)}

    @given(edges=dags())
    def test_layers_point_forward_and_are_no_longer_than_levels(self, edges):
        graph = build(edges)
        layers, levels = layer_of(graph.layers()), layer_of(graph.levels())
        assert set(layers) == set(range(SIZE))
        assert all(layers[a] < layers[b] for a, b in edges)
        assert sum(layers[b] - layers[a] for a, b in edges) <= sum(
            levels[b] - levels[a] for a, b in edges
        )

    def test_a_late_root_is_drawn_beside_what_needs_it(self):
        graph = PrerequisiteGraph.from_edges(edges=[("a", "b"), ("b", "c"), ("c", "d"), ("x", "d")])
        assert graph.levels() == (("a", "x"), ("b",), ("c",), ("d",))
        assert graph.layers() == (("a",), ("b",), ("c", "x"), ("d",))

    def test_an_empty_graph_has_no_levels(self):
        graph = PrerequisiteGraph[str].from_requires(requires={})
        assert graph.levels() == graph.layers() == graph.order == ()


class TestTransitiveReduction:
    @given(edges=dags())
    def test_keeps_exactly_the_edges_no_longer_path_implies(self, edges):
        reduced = build(edges).transitive_reduction()
        kept = {(a, b) for b, needed in reduced.requires.items() for a in needed}
        assert kept == {
            (a, b) for a, b in edges if not has_path([e for e in edges if e != (a, b)], a, b)
        }
        assert all(reduced.ancestors(n) == build(edges).ancestors(n) for n in range(SIZE))


class TestRefusals:
    def test_a_cycle_is_named_in_full_and_in_order(self):
        with pytest.raises(CycleFound, match="a cycle: a -> b -> c -> a") as caught:
            PrerequisiteGraph.from_edges(
                edges=[("a", "b"), ("b", "c"), ("c", "a"), ("x", "a"), ("c", "y")]
            )
        assert caught.value.facts == {"cycle": ("a", "b", "c", "a")}

    @given(edges=dags(), extra=st.sampled_from(list(itertools.permutations(range(SIZE), 2))))
    def test_one_more_edge_is_refused_exactly_when_it_closes_a_cycle(self, edges, extra):
        first, last = extra
        if not has_path(edges, last, first):
            assert build([*edges, extra]).order
            return
        with pytest.raises(CycleFound) as caught:
            build([*edges, extra])
        cycle = caught.value.facts["cycle"]
        assert cycle[0] == cycle[-1]
        assert len(set(cycle)) == len(cycle) - 1
        assert set(itertools.pairwise(cycle)) <= {*edges, extra}
        assert " -> ".join(map(str, cycle)) in str(caught.value)

    def test_a_node_that_requires_itself_is_refused(self):
        with pytest.raises(SelfPrerequisite) as caught:
            PrerequisiteGraph.from_requires(requires={"a": ["a"]})
        assert caught.value.facts == {"node": "a"}

    def test_an_edge_from_or_to_nowhere_is_refused(self):
        with pytest.raises(UnknownNode, match="b requires z"):
            PrerequisiteGraph.from_requires(requires={"a": [], "b": ["z"]})
        with pytest.raises(UnknownNode, match="no z"):
            PrerequisiteGraph.from_edges(edges=[("a", "z")], nodes=["a"])
