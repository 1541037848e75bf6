"""ASSISTments exports of three years: each answer once, with all its skills."""

import csv

import pytest

from tests.tutor.responses.importing.reading import read_log
from tutor.responses.importing.errors import UnreadableLog

HEADER_2009 = (
    "order_id,assignment_id,user_id,assistment_id,problem_id,original,correct,attempt_count,"
    "ms_first_response,tutor_mode,skill_id,skill_name,hint_count,first_action"
)
# The real file is ordered by skill, so that the rows of one answer lie far apart.
ROWS_2009 = [
    "20,1,7,3,100,1,1,1,5000,tutor,1,Box and Whisker,0,0",
    "10,1,7,3,101,1,0,2,-4000,tutor,1,Box and Whisker,1,1",
    "30,1,8,3,100,1,0,1,8000,tutor,1,Box and Whisker,0,0",
    "20,1,7,3,100,1,1,1,5000,tutor,13,Median,0,0",
    "30,1,8,3,100,1,0,1,8000,tutor,13,Median,0,0",
    "40,1,8,3,100,1,1,1,6000,tutor,13,Median,0,0",
    "50,1,8,3,102,0,1,1,,tutor,,,0,0",
]


def write(path, header, rows, *, encoding="utf-8"):
    path.write_text("\n".join([header, *rows, ""]), encoding=encoding)
    return path


def concepts_of(log, item):
    names = {concept.slug: concept.name for concept in log.course.concepts}
    return [names[c] for one in log.course.items if one.slug == item for c in one.concepts]


class Test2009:
    def test_merges_the_rows_of_one_answer(self, tmp_path):
        log = read_log(write(tmp_path / "skill_builder.csv", HEADER_2009, ROWS_2009), form="auto")

        assert [(a.learner, a.item, a.credit) for a in log.answers] == [
            ("7", "101", 0.0),
            ("7", "100", 1.0),
            ("8", "100", 0.0),
            ("8", "100", 1.0),
            ("8", "102", 1.0),
        ]
        assert concepts_of(log, "100") == ["Box and Whisker", "Median"]
        assert concepts_of(log, "102") == ["Without a concept"]
        assert not log.is_timed
        assert any(w.startswith("2 rows repeat an answer for another skill") for w in log.warnings)

    def test_takes_an_impossible_duration_as_unknown(self, tmp_path):
        log = read_log(write(tmp_path / "a.csv", HEADER_2009, ROWS_2009), form="assistments")

        assert log.rejects == []
        assert [a.elapsed_ms for a in log.of("7")] == [None, 5000]
        assert [a.hints for a in log.of("7")] == [1, 0]

    def test_splits_the_skills_of_the_collapsed_file(self, tmp_path):
        rows = ["20,1,7,3,100,1,1,1,5000,tutor,1_13,Box and Whisker_Median,0,0"]
        rows += ["21,1,7,3,101,1,1,1,5000,tutor,4_5,Of one name,0,0"]

        log = read_log(write(tmp_path / "a.csv", HEADER_2009, rows), form="auto")

        assert concepts_of(log, "100") == ["Box and Whisker", "Median"]
        assert concepts_of(log, "101") == ["4", "5"]

    def test_reads_a_file_that_is_not_utf_8(self, tmp_path):
        rows = [
            ROWS_2009[0].replace("Median", "Médiane"),
            ROWS_2009[3].replace("Median", "Médiane"),
        ]

        path = write(tmp_path / "a.csv", HEADER_2009, rows, encoding="latin-1")

        assert concepts_of(read_log(path, form="auto"), "100") == ["Box and Whisker", "Médiane"]

    def test_two_answers_of_one_second_are_two(self, tmp_path):
        rows = [ROWS_2009[0], ROWS_2009[0].replace("20,", "21,", 1)]

        assert len(read_log(write(tmp_path / "a.csv", HEADER_2009, rows), form="auto").answers) == 2


class Test2012:
    HEADER = (
        "problem_log_id,skill,problem_id,user_id,assignment_id,start_time,end_time,correct,"
        "hint_count,ms_first_response,skill_id"
    )

    def test_orders_by_time_and_reads_names(self, tmp_path):
        rows = [
            "2,Area,p1,u,1,2012-09-28 15:11:24.0,2012-09-28 15:12:20.5,1,0,56023,8",
            "1,Area,p2,u,1,2012-09-28 15:09:20.0,2012-09-28 15:10:20.0,0.25,2,3000,8",
            "3,,p3,u,1,2012-09-28 16:09:20,2012-09-28 16:10:20,0,0,3000,",
        ]

        log = read_log(write(tmp_path / "a.csv", self.HEADER, rows), form="auto")

        assert [(a.item, a.credit, a.hints) for a in log.answers] == [
            *(("p2", 0.25, 2), ("p1", 1.0, 0), ("p3", 0.0, 0)),
        ]
        assert log.answers[1].answered_at.isoformat() == "2012-09-28T15:12:20.500000+00:00"
        assert concepts_of(log, "p1") == ["Area"]
        assert log.is_timed


class Test2017:
    HEADER = "studentId,actionId,skill,problemId,assignmentId,startTime,endTime,timeTaken,correct"

    def test_keeps_every_action_with_its_time(self, tmp_path):
        rows = [
            "8,9950,properties-of-geometric-figures,1118,1,1096470301,1096470350,49,0",
            "8,9951,noskill,1119,1,1096470351,1096470353,2.5,1",
            "8,9952,properties-of-geometric-figures,1118,1,1096470401,1096470404,3,1",
        ]

        log = read_log(write(tmp_path / "a.csv", self.HEADER, rows), form="auto")

        assert [(a.item, a.elapsed_ms) for a in log.answers] == [
            *(("1118", 49_000), ("1119", 2_500), ("1118", 3_000)),
        ]
        assert log.answers[0].answered_at.timestamp() == 1096470350
        assert concepts_of(log, "1119") == ["Without a concept"]
        assert any("log of actions" in warning for warning in log.warnings)


def test_says_which_columns_it_looks_for(tmp_path):
    path = write(tmp_path / "a.csv", "user_id,problem_id,right", ["1,2,1"])

    with pytest.raises(UnreadableLog, match=r"no ASSISTments export that is known.*order_id"):
        read_log(path, form="assistments")


def test_a_bad_row_is_named_by_the_file_s_own_column(tmp_path):
    path = write(tmp_path / "a.csv", HEADER_2009, [ROWS_2009[0], ROWS_2009[1].replace("101", "")])

    [reject] = read_log(path, form="auto").rejects

    assert (reject.line, reject.field, reject.reason) == (3, "problem_id", "empty")


def test_quoted_cells_are_read_as_csv_has_them(tmp_path):
    path = tmp_path / "a.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER_2009.split(","))
        writer.writerow([*ROWS_2009[0].split(",")[:11], "Mean, Median, Mode", "0", "0"])

    assert concepts_of(read_log(path, form="auto"), "100") == ["Mean, Median, Mode"]
