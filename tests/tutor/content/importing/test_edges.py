"""Prerequisites from files: how they are read, and how circles are broken."""

import graphlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.content.importing import junyi
from tutor.content.importing.edges import Edge, read_edges
from tutor.content.importing.errors import ContentUnreadable, PrerequisitesInCircle
from tutor.content.importing.names import log_slug
from tutor.content.importing.untangling import untangle
from tutor.responses.importing import naming

CONCEPTS = {"adding": "Adding numbers", "doubling": "Doubling", "naming": "Naming sums"}


def written(folder, text, encoding="utf-8"):
    path = folder / "edges.csv"
    path.write_bytes(text.encode(encoding))
    return path


def pairs(folder, text):
    return [(edge.concept, edge.requires) for edge in read_edges(written(folder, text)).edges]


class TestReadEdges:
    @pytest.mark.parametrize(
        "text",
        [
            "doubling,adding\nnaming,doubling\n",
            "concept,requires\ndoubling,adding\nnaming,doubling\n",
            "requires,concept\nadding,doubling\ndoubling,naming\n",
            "Prerequisite;Skill\nadding;doubling\ndoubling;naming\n",
            "source\ttarget\nadding\tdoubling\ndoubling\tnaming\n",
            "\ufeffconcept,requires\n\n doubling , adding\nnaming,doubling\n\n",
        ],
    )
    def test_finds_the_columns(self, tmp_path, text):
        assert pairs(tmp_path, text) == [("doubling", "adding"), ("naming", "doubling")]

    def test_says_how_it_read_them(self, tmp_path):
        reading = read_edges(written(tmp_path, "source,target\nadding,doubling\n")).reading
        assert "`source,target`" in reading
        assert "“adding” comes before “doubling”" in reading

    def test_reads_lists_of_prerequisites_in_full(self, tmp_path):
        table = 'name,live,prerequisites\na,TRUE,\nb,TRUE,a\nc,TRUE,"a, b,"\n'
        assert pairs(tmp_path, table) == [("b", "a"), ("c", "a"), ("c", "b")]

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "is empty"),
            ("doubling\n", "line 1: two columns"),
            ("concept,requires\ndoubling,\n", "line 2: a cell is empty"),
            ('a,"b\n', "not a CSV"),
            ("a,b\x00\n", "line 1: a NUL character"),
            (f"a,{'b' * 400}\n", "longer than"),
        ],
    )
    def test_refuses_and_says_where(self, tmp_path, text, said):
        with pytest.raises(ContentUnreadable, match=said):
            read_edges(written(tmp_path, text))

    def test_refuses_another_encoding_and_a_missing_file(self, tmp_path):
        with pytest.raises(ContentUnreadable, match="UTF-8"):
            read_edges(written(tmp_path, "ä,b\n", encoding="latin-1"))
        with pytest.raises(ContentUnreadable, match="No such file"):
            read_edges(tmp_path / "none.csv")


def found(*edges, drop_cycles=False, concepts=CONCEPTS, **fields):
    listed = [Edge(concept, required, 1) for concept, required in edges]
    return untangle(edges=listed, concepts=concepts, drop_cycles=drop_cycles, **fields)


class TestUntangle:
    def test_takes_slugs_and_names(self):
        got = found(("Doubling", "adding"), ("naming_sums", "ADDING NUMBERS"))
        assert got.requires == {"adding": (), "doubling": ("adding",), "naming": ("adding",)}

    def test_counts_what_leads_nowhere(self):
        got = found(
            ("doubling", "adding"), ("doubling", "adding"), ("doubling", "doubling"),
            ("doubling", "tripling"), ("tripling", "halving"),
        )  # fmt: skip
        assert (got.read, got.edges, got.repeated) == (5, 1, 1)
        assert (got.unknown, got.loops) == (("tripling", "halving"), ("doubling",))

    def test_refuses_a_circle_and_names_it(self):
        with pytest.raises(PrerequisitesInCircle, match=r"(?=.*adding)(?=.*doubling)"):
            found(("doubling", "adding"), ("adding", "doubling"))

    def test_drops_what_runs_against_the_teaching_order(self):
        got = found(
            ("adding", "naming"), ("doubling", "adding"), ("naming", "doubling"), drop_cycles=True
        )
        assert got.dropped == (("adding", "naming"),)
        assert got.edges == 2

    def test_keeps_what_held_before(self):
        got = found(("naming", "doubling"), before=[("doubling", "adding")])
        assert got.requires["doubling"] == ("adding",)
        assert got.edges == 2

    @given(
        st.lists(
            st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")).filter(
                lambda pair: pair[0] != pair[1]
            ),
            unique=True,
            max_size=10,
        )
    )
    def test_drops_as_few_as_trying_all_sets(self, edges):
        got = found(*edges, drop_cycles=True, concepts={letter: letter for letter in "abcdef"})

        assert not has_circle([edge for edge in edges if edge not in got.dropped])
        assert len(got.dropped) == fewest(edges)

    def test_ends_soon_on_a_large_knot(self):
        letters = {f"c{number}": f"c{number}" for number in range(40)}
        edges = list(itertools.permutations(letters, 2))
        got = found(*edges, drop_cycles=True, concepts=letters)
        assert got.edges == 40 * 39 / 2


def has_circle(edges):
    sorter = graphlib.TopologicalSorter()
    for concept, required in edges:
        sorter.add(concept, required)
    try:
        sorter.prepare()
    except graphlib.CycleError:
        return True
    return False


def fewest(edges):
    return next(
        size
        for size in range(len(edges) + 1)
        if any(
            not has_circle([edge for edge in edges if edge not in dropped])
            for dropped in itertools.combinations(edges, size)
        )
    )


TABLE = """name,live,prerequisites,pretty_display_name,topic,area
halves,TRUE,"wholes,thirds",一半,fractions,arithmetic
thirds,TRUE,wholes,?之一,fractions,arithmetic
wholes,TRUE,,,N/A,
quarter parts,TRUE,"halves,nothing",四分,fractions,arithmetic
halves,FALSE,quarters_0.5,一半,fractions,arithmetic
quarters_0.5,TRUE,quarters_0.5,四分,fractions,arithmetic
"""


class TestJunyi:
    def read(self, tmp_path, table=TABLE, **options):
        path = written(tmp_path, table)
        return junyi.read(path, slug="junyi", title="Junyi", **{"drop_cycles": False, **options})

    def test_makes_a_concept_and_an_item_of_each_exercise(self, tmp_path):
        table = self.read(tmp_path)

        concepts = {concept.slug: concept for concept in table.course.concepts}
        quarters = log_slug("quarters_0.5")
        assert list(concepts) == ["wholes", quarters, "thirds", "halves", log_slug("quarter parts")]
        assert concepts["halves"].requires == ("wholes", "thirds", quarters)
        assert concepts["halves"].name == "Halves (一半)"
        assert concepts["thirds"].name == "Thirds"
        assert concepts["halves"].description == "Arithmetic · Fractions"
        assert [item.slug for item in table.course.items] == list(concepts)
        assert {item.kind for item in table.course.items} == {"self_marked"}
        assert (table.rows, table.repeated) == (6, ("halves",))
        assert table.prerequisites.unknown == ("nothing",)
        assert table.prerequisites.loops == (quarters,)

    def test_goes_by_the_slugs_that_a_log_gives(self):
        for name in ("halves", "quarter parts", "quarters_0.5", "Q1", "x" * 90, "", "é"):
            assert log_slug(name) == naming.slug_of(name)

    def test_refuses_another_table(self, tmp_path):
        with pytest.raises(ContentUnreadable, match="lacks the column prerequisites"):
            self.read(tmp_path, "name,topic\na,b\n")
        with pytest.raises(ContentUnreadable, match="names no exercise"):
            self.read(tmp_path, "name,prerequisites\n")
