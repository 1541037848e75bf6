"""Any table: what its columns mean is guessed, shown and can be said."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.tutor.responses.importing.reading import AT, read_log
from tutor.responses.importing.errors import MappingInvalid, UnreadableLog
from tutor.responses.importing.looking import look
from tutor.responses.importing.mapping import (
    ColumnMapping,
    from_dict,
    read_mapping,
    write_mapping,
)

# Header, a first row, and what it is taken for.
FOREIGN = [
    (
        "user_id,item_id,timestamp,correct,skill_id\n7,q,1400000000,1,3\n",
        {
            "learner": "user_id",
            "item": "item_id",
            "correct": "correct",
            "answered_at": "timestamp",
            "concepts": "skill_id",
        },
        {"time_unit": "seconds", "separator": ""},
    ),
    (
        "Student ID;Question;Score;Submitted At;Duration (s)\na;q;0;2024-05-01 10:00;12\n",
        {
            "learner": "Student ID",
            "item": "Question",
            "correct": "Score",
            "answered_at": "Submitted At",
        },
        {"delimiter": ";"},
    ),
    (
        "Schüler\tAufgabe\tRichtig\tZeit\tDauer\nä\tq\t1\t1700000000123\t12.5\n",
        {
            "learner": "Schüler",
            "item": "Aufgabe",
            "correct": "Richtig",
            "answered_at": "Zeit",
            "elapsed_ms": "Dauer",
        },
        {"time_unit": "milliseconds", "elapsed_unit": "seconds", "delimiter": "\t"},
    ),
    (
        "uid,problem,outcome,kcs,hintUsed\na,q,correct,add;carry,false\n",
        {
            "learner": "uid",
            "item": "problem",
            "correct": "outcome",
            "concepts": "kcs",
            "hints": "hintUsed",
        },
        {"separator": ";"},
    ),
    (
        "pupil,exercise,ok,date\na,q,richtig,31.03.2026 08:00\nb,q,50 %,1.04.2026 9:30\n",
        {"learner": "pupil", "item": "exercise", "correct": "ok", "answered_at": "date"},
        {"time_format": "%d.%m.%Y %H:%M"},
    ),
    # A column whose content does not fit is not taken for what its title says.
    (
        "user,question,response,correct,time\na,q,B,1,soon\n",
        {"learner": "user", "item": "question", "correct": "correct"},
        {},
    ),
    (
        "user_id,order_id,problem_id,result\na,3,p,1\na,1,p,0\n",
        {"learner": "user_id", "order": "order_id", "item": "problem_id", "correct": "result"},
        {},
    ),
]


def write(tmp_path, text, name="log.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


class TestGuess:
    @pytest.mark.parametrize(("text", "columns", "entries"), FOREIGN, ids=range(len(FOREIGN)))
    def test_finds_what_the_columns_mean(self, tmp_path, text, columns, entries):
        found = look(write(tmp_path, text))

        assert found.problems == ()
        assert {field: names[0] for field, names in found.mapping.columns.items()} == columns
        assert {name: getattr(found.mapping, name) for name in entries} == entries

    @pytest.mark.parametrize(("text", "columns", "entries"), FOREIGN, ids=range(len(FOREIGN)))
    def test_is_what_is_read(self, tmp_path, text, columns, entries):
        path = write(tmp_path, text)

        guessed, said = read_log(path), read_log(path, mapping=look(path).mapping)

        assert guessed == said
        assert len(guessed.answers) == len(text.splitlines()) - 1
        assert guessed.rejects == []

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("a,b,c\nx,y,z\n", "No column looks like learner"),
            ("learner,item\na,b\n", "No column looks like correct"),
            ("1,2,3\n4,5,6\n", "The first line holds numbers"),
            # Zeros and ones alone do not say that a column is the result.
            ("user,task,is_wrong\na,q,1\na,q,0\n", "No column looks like correct"),
            ("user,task,response\na,q,1\na,q,0\n", "No column looks like correct"),
            ("user,task,points\na,q,3\na,q,5\n", "points goes up to 5, where 1 is a right answer"),
        ],
    )
    def test_says_what_has_to_be_named(self, tmp_path, text, said):
        path = write(tmp_path, text)

        assert any(said in problem for problem in look(path).problems)
        with pytest.raises(UnreadableLog, match=said):
            read_log(path)

    def test_goes_around_what_somebody_named(self, tmp_path):
        path = write(tmp_path, "user,student_id,task,correct\nteam,7,q,1\n")

        found = look(path, named={"learner": ("user",), "item": ("task", "student_id")})

        assert found.mapping.columns["learner"] == ("user",)
        [answer] = read_log(path, mapping=found.mapping).answers
        assert (answer.learner, answer.item_name) == ("team", "q / 7")


@pytest.mark.parametrize("cell", ["1e400", "nan", "-inf", "1_0", "٣", " "])
def test_strange_numbers_are_no_reason_to_fail(tmp_path, cell):
    header = "user,task,correct,time,hints,attempt,duration,skill,order_id"
    path = write(tmp_path, f"{header}\na,q,{cell},{cell},{cell},{cell},{cell},{cell},{cell}\n")

    found = look(path)

    assert found.mapping.columns["learner"] == ("user",)


class TestMapping:
    def test_survives_its_file(self, tmp_path):
        mapping = ColumnMapping(
            columns={"learner": ("a",), "item": ("b", "c"), "correct": ("d",)},
            time_zone="Europe/Berlin",
            time_format="%d.%m.%Y %H:%M",
            keep=("x",),
            merge_skills=True,
            full_score=5.0,
        )

        write_mapping(mapping, tmp_path / "m.json")

        assert read_mapping(tmp_path / "m.json") == mapping
        assert from_dict({}) == ColumnMapping()

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            ([], "an object"),
            ({"colums": {}}, "there is no entry colums"),
            ({"columns": {"pupil": "a"}}, "pupil is no field"),
            ({"columns": {"correct": ["a", "b"]}}, "correct needs exactly one column"),
            ({"columns": {"item": []}}, "item needs exactly one column"),
            ({"columns": {"item": 3}}, "item is the name of a column"),
            ({"time_unit": "days"}, "time_unit is one of"),
            ({"time_zone": "Mars"}, "is no time zone"),
            ({"time_zone": "../etc/passwd"}, "is no time zone"),
            ({"encoding": "klingon"}, "is no encoding"),
            ({"delimiter": "::"}, "delimiter is one character"),
            ({"full_score": 0}, "full_score is a number above 0"),
            ({"full_score": True}, "full_score is a number above 0"),
            ({"merge_skills": "yes"}, "merge_skills is true or false"),
            ({"separator": None}, "separator is text"),
        ],
    )
    def test_refuses_what_means_nothing(self, tmp_path, data, said):
        (tmp_path / "m.json").write_text(json.dumps(data))

        with pytest.raises(MappingInvalid, match=said):
            read_mapping(tmp_path / "m.json")

    def test_says_which_column_the_table_lacks(self, tmp_path):
        mapping = ColumnMapping(
            columns={"learner": ("who",), "item": ("b",), "correct": ("c",)},
        )

        with pytest.raises(UnreadableLog, match="There is no column who"):
            read_log(write(tmp_path, "a,b,c\n1,2,1\n"), mapping=mapping)

    def test_reads_points_other_times_and_other_encodings(self, tmp_path):
        path = tmp_path / "log.csv"
        path.write_bytes("wer;was;punkte;wann\nJörg;q;4;01.03.2026 10:30\n".encode("latin-1"))
        mapping = ColumnMapping(
            columns={
                "learner": ("wer",),
                "item": ("was",),
                "correct": ("punkte",),
                "answered_at": ("wann",),
            },
            time_format="%d.%m.%Y %H:%M",
            time_zone="Europe/Berlin",
            full_score=5.0,
            encoding="latin-1",
        )

        [answer] = read_log(path, mapping=mapping).answers

        assert (answer.learner, answer.credit) == ("Jörg", 0.8)
        assert answer.answered_at.isoformat() == "2026-03-01T09:30:00+00:00"

    def test_keeps_the_columns_it_names_and_leaves_out_the_others(self, tmp_path):
        text = "user,task,correct,mood,address\na,q,1,good,Elm Street 5\n"
        path = write(tmp_path, text)

        plain = read_log(path)
        kept = read_log(path, mapping=look(path).mapping.changed(keep=("mood",)))

        assert plain.answers[0].extra is None
        assert "Columns left out: mood, address." in plain.warnings
        assert kept.answers[0].extra == {"mood": "good"}

    def test_merges_rows_that_differ_in_the_skill_alone(self, tmp_path):
        text = "user,task,correct,skill,time\n" + "".join(
            f"a,q,1,{skill},{time}\n" for time in (1400000000, 1400000060) for skill in "xyz"
        )
        path = write(tmp_path, text)
        mapping = look(path).mapping

        plain, merged = (
            read_log(path, mapping=mapping.changed(merge_skills=merge)) for merge in (False, True)
        )

        assert (len(plain.answers), len(merged.answers)) == (6, 2)
        assert merged.course.items[0].concepts == ("x", "y", "z")
        assert any("4 rows repeat an answer for another skill" in w for w in merged.warnings)

    def test_will_not_merge_where_answers_cannot_be_told_apart(self, tmp_path):
        path = write(tmp_path, "user,task,correct,skill\na,q,1,x\na,q,1,y\n")

        with pytest.raises(UnreadableLog, match="merge_skills needs a column"):
            read_log(path, mapping=look(path).mapping.changed(merge_skills=True))


class TestParquet:
    def table(self, **columns):
        return pa.table(
            {
                "learner": ["a", "a", "b"],
                "item": [3, 4, 3],
                "correct": [True, False, None],
                "concepts": [["x", "y"], [], None],
                "answered_at": pa.array([1_700_000_000_123_456] * 3, pa.timestamp("us", "UTC")),
                "elapsed_ms": pa.array([100.0, None, 3.0]),
                **columns,
            }
        )

    def test_reads_typed_columns(self, tmp_path):
        pq.write_table(self.table(), tmp_path / "log.parquet", row_group_size=2)

        log = read_log(tmp_path / "log.parquet", form="auto")

        assert [(a.learner, a.item, a.credit, a.elapsed_ms) for a in log.answers] == [
            *(("a", "3", 1.0, 100), ("a", "4", 0.0, None)),
        ]
        assert log.answers[0].answered_at.isoformat() == "2023-11-14T22:13:20.123456+00:00"
        assert log.course.items[0].concepts == ("x", "y")
        [reject] = log.rejects
        assert (reject.line, reject.field, reject.reason) == (3, "correct", "empty")

    def test_reads_dictionaries_nanoseconds_and_part_credit_exactly(self, tmp_path):
        nano = pa.array([1_700_000_000_123_456_789] * 3, pa.timestamp("ns"))
        columns = {
            "learner": pa.array(["a", "a", "b"]).dictionary_encode(),
            "answered_at": nano,
            "correct": pa.array([0.1, 1 / 3, 1.0]),
        }
        pq.write_table(self.table(**columns), tmp_path / "log.parquet")

        log = read_log(tmp_path / "log.parquet")

        assert [a.credit for a in log.answers] == [0.1, 1 / 3, 1.0]
        assert log.answers[0].answered_at.microsecond == 123_456

    def test_says_when_a_file_is_damaged(self, tmp_path):
        pq.write_table(self.table(), tmp_path / "log.parquet")
        whole = (tmp_path / "log.parquet").read_bytes()
        (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])

        with pytest.raises(UnreadableLog, match="no readable Parquet"):
            read_log(tmp_path / "cut.parquet")


def test_a_row_from_the_future_is_rejected_in_every_unit(tmp_path):
    late = AT.timestamp() + 3600
    for text, unit in ((f"{late:.0f}", "seconds"), (f"{late * 1000:.0f}", "milliseconds")):
        path = write(tmp_path, f"user,task,correct,time\na,q,1,{text}\na,q,1,{text[:-3]}000\n")
        mapping = look(path).mapping.changed(time_unit=unit)

        assert "in the future" in read_log(path, mapping=mapping).rejects[0].reason


class TestScale:
    def test_that_shows_late_is_asked_about(self, tmp_path):
        scores = [0, 1] * 200 + [5, 3] * 200
        rows = "".join(f"a,q{n},{score}\n" for n, score in enumerate(scores))
        path = write(tmp_path, f"user,task,points\n{rows}")

        with pytest.raises(UnreadableLog, match="400 results of points lie beyond 1"):
            read_log(path)
        mapping = look(path).mapping.changed(full_score=5.0)
        assert len(read_log(path, mapping=mapping).answers) == 800


class TestTimes:
    def test_day_and_month_are_not_guessed_where_both_fit(self, tmp_path):
        path = write(tmp_path, "user,task,correct,time\na,q,1,03/04/2026 10:00\n")

        log = read_log(path)

        assert not log.is_timed
        assert any("time is titled like a time and is not read" in w for w in log.warnings)

    def test_of_twelve_hours_are_read(self, tmp_path):
        path = write(tmp_path, "user,task,correct,time\na,q,1,03/31/2026 10:30 PM\n")

        [answer] = read_log(path).answers

        assert answer.answered_at.isoformat() == "2026-03-31T22:30:00+00:00"


def test_a_column_without_a_title_of_its_own_is_called_by_its_place(tmp_path):
    path = write(tmp_path, "user,task,x,x\na,q,1,0\nb,q,0,1\n")

    found = look(path, named={"correct": ("column 4",)})

    assert found.problems == ()
    assert [a.credit for a in read_log(path, mapping=found.mapping).answers] == [0.0, 1.0]


@pytest.mark.parametrize("bad", [0, 2])
def test_a_mended_row_of_a_log_without_times_finds_its_place(tmp_path, bad):
    rows = [f"a,q{n},{n % 2}" for n in range(6)]
    whole = read_log(write(tmp_path, "\n".join(["learner,item,correct", *rows])))
    rows[bad] = f"a,q{bad},maybe"

    cut = read_log(write(tmp_path, "\n".join(["learner,item,correct", *rows])))

    moments = {answer.item: answer.answered_at for answer in whole.answers}
    assert len(cut.answers) == 5
    assert all(answer.answered_at == moments[answer.item] for answer in cut.answers)
