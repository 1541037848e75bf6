"""pyKT's six lines a learner, and DKT's three."""

import pytest

from tests.tutor.responses.importing.reading import read_log
from tutor.responses.importing.errors import UnreadableLog

FIRST = """\
50121,4
106101,106102,106103,106104
7014,7012_7013,7014,-1
0,1,1,1
1647409594000,1647409601500,1647409666000,1647409694000
123,234,456,789
"""
SECOND = """\
u2,2
NA
5,6
1,0
NA
NA
"""
THREE = """\
3
1,2,1
0,1,1
2
3,3,
1,0,
"""


def write(tmp_path, text):
    path = tmp_path / "data.txt"
    path.write_text(text)
    return path


class TestSix:
    def test_gives_each_entry_as_an_answer(self, tmp_path):
        log = read_log(write(tmp_path, FIRST), form="auto")

        assert [(a.item, a.credit, a.elapsed_ms) for a in log.answers] == [
            *(("106101", 0.0, 123), ("106102", 1.0, 234)),
            *(("106103", 1.0, 456), ("106104", 1.0, 789)),
        ]
        assert log.answers[1].answered_at.timestamp() == 1647409601.5
        items = {item.slug: item.concepts for item in log.course.items}
        assert items["106102"] == ("7012", "7013")
        names = {concept.slug: concept.name for concept in log.course.concepts}
        assert names[items["106104"][0]] == "Without a concept"

    def test_takes_the_concept_for_the_item_where_there_are_no_questions(self, tmp_path):
        log = read_log(write(tmp_path, SECOND), form="auto")

        assert [(a.learner, a.item) for a in log.answers] == [("u2", "5"), ("u2", "6")]
        assert not log.is_timed

    def test_reads_seconds_as_seconds(self, tmp_path):
        text = FIRST.replace("000,", ",").replace("500,", ",").replace("4000", "4")

        log = read_log(write(tmp_path, text), form="pykt")

        assert log.answers[0].answered_at.timestamp() == 1647409594

    def test_rejects_a_learner_whose_lines_do_not_fit(self, tmp_path):
        broken = FIRST.replace("50121", "x").replace("0,1,1,1", "0,1,1")

        log = read_log(write(tmp_path, FIRST + broken), form="auto")

        [reject] = log.rejects
        assert (reject.line, reject.value) == (7, "x,4")
        assert "the sequence of responses has not 4 entries" in reject.reason
        assert len(log.answers) == 4


class TestThree:
    def test_numbers_the_learners(self, tmp_path):
        log = read_log(write(tmp_path, THREE), form="auto")

        assert [(a.learner, a.item, a.credit) for a in log.answers] == [
            *(("1", "1", 0.0), ("1", "2", 1.0), ("1", "1", 1.0), ("2", "3", 1.0), ("2", "3", 0.0)),
        ]

    def test_rejects_lengths_that_do_not_fit(self, tmp_path):
        log = read_log(write(tmp_path, THREE + "3\n1,2\n0,1\n"), form="auto")

        assert [reject.line for reject in log.rejects] == [7]


@pytest.mark.parametrize("text", ["a,b,c\n1,2,3\n", "", "5\n1,2\n", "7,3\n1,2,3\n"])
def test_refuses_anything_else(tmp_path, text):
    with pytest.raises(UnreadableLog):
        read_log(write(tmp_path, text), form="pykt")
