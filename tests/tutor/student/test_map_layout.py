"""Where concepts stand on the map."""

from hypothesis import given
from hypothesis import strategies as st

from tutor.student import map_layout


@st.composite
def graphs(draw):
    """A number of concepts, and links that only lead to earlier ones."""
    count = draw(st.integers(1, 24))
    links = st.tuples(st.integers(1, count), st.integers(0, count - 1))
    drawn = draw(st.sets(links, max_size=40))
    return count, sorted((a, b) for a, b in drawn if b < a < count)


def reachable(count, links):
    """Concept -> everything it rests on, by exhausting the links."""
    found = {concept: {b for a, b in links if a == concept} for concept in range(count)}
    for _ in range(count):
        found = {a: below.union(*(found[b] for b in below)) for a, below in found.items()}
    return found


class TestLayOut:
    @given(graphs())
    def test_puts_every_concept_below_what_it_builds_on(self, graph):
        count, links = graph
        layout = map_layout.lay_out(n_concepts=count, requires=links)

        assert all(layout.corners[a][1] > layout.corners[b][1] for a, b in links)
        assert all(edge.dy > 0 for edge in layout.edges)

    @given(graphs())
    def test_lets_no_two_boxes_touch_and_none_leave_the_drawing(self, graph):
        count, links = graph
        layout = map_layout.lay_out(n_concepts=count, requires=links)
        width, height = map_layout.NODE_WIDTH, map_layout.NODE_HEIGHT

        for x, y in layout.corners:
            assert x >= 0
            assert y >= 0
            assert x + width <= layout.width
            assert y + height <= layout.height
        for one in range(count):
            for other in range(one):
                (x1, y1), (x2, y2) = layout.corners[one], layout.corners[other]
                assert abs(x1 - x2) > width or abs(y1 - y2) > height

    def test_of_no_concept_is_empty(self):
        assert map_layout.lay_out(n_concepts=0, requires=[]).corners == ()


class TestDropImplied:
    @given(graphs())
    def test_keeps_what_rests_on_what_with_as_few_lines_as_possible(self, graph):
        count, links = graph
        kept = map_layout.drop_implied(n_concepts=count, requires=links)

        assert reachable(count, kept) == reachable(count, links)
        for link in kept:
            fewer = [other for other in kept if other != link]
            assert reachable(count, fewer) != reachable(count, links)
