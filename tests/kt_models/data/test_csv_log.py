"""The log CSV: what it holds, and what is said when it cannot be read."""

import io

import numpy as np
import pytest

from kt_models.data.csv_log import LogUnreadable, parse_csv, read_csv

FULL = """\
learner,item,correct,concepts,answered_at,elapsed_ms,hints,attempt,group,colour
bo,sum-2,0,adding|carrying,2026-03-01T10:05:00Z,8000,2,1,a,red
ann,sum-1,1,adding,1772359200,4000,0,1,a,blue

bo,sum-1,0.5,adding,2026-03-01T11:00:00+01:00,,,,,
"""


def read(text):
    return parse_csv(io.StringIO(text))


class TestParseCsv:
    def test_orders_answers_by_learner_and_time(self):
        log = read(FULL)

        assert log.learner_keys == ("bo", "ann")
        assert log.starts.tolist() == [0, 2, 3]
        assert [log.item_keys[i] for i in log.item] == ["sum-1", "sum-2", "sum-1"]
        assert log.correct.tolist() == [0.5, 0.0, 1.0]
        assert log.answered_at.tolist() == [1772359200.0, 1772359500.0, 1772359200.0]
        assert log.assisted.tolist() == [False, True, False]

    def test_knows_the_concepts_of_each_answer(self):
        log = read(FULL)

        named = [{log.concept_keys[k] for k in row if k >= 0} for row in log.concepts]
        assert named == [{"adding"}, {"adding", "carrying"}, {"adding"}]

    def test_takes_the_time_an_item_was_shown_from_its_duration(self):
        log = read(FULL)

        assert log.shown_at.tolist() == [1772359200.0, 1772359492.0, 1772359196.0]

    def test_counts_gaps_under_ten_minutes_as_none_where_durations_are_unknown(self):
        log = read("learner,item,correct,answered_at\na,x,1,0\na,y,1,599\na,z,1,2000\n")

        assert log.shown_at.tolist() == [0.0, 0.0, 2000.0]

    def test_keeps_the_order_of_rows_where_times_tie_or_are_missing(self):
        tied = read("learner,item,correct,answered_at\na,x,1,5\na,y,1,5\na,w,1,5\n")
        timeless = read("learner,item,correct\na,x,1\na,y,1\na,w,1\n")

        for log in (tied, timeless):
            assert [log.item_keys[i] for i in log.item] == ["x", "y", "w"]
        assert not timeless.has_times
        assert not timeless.answered_at.any()

    def test_makes_an_item_without_concepts_its_own_concept(self):
        assert read("learner,item,correct\na,x,1\n").concept_keys == ("x",)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "line 1: column learner, item, correct is missing"),
            ("learner,item\n", "column correct is missing"),
            ("learner,item,correct\n", "no answer below the header"),
            ("learner,item,correct\na,x,1\na,x,yes\n", "line 3, correct = 'yes': is not a number"),
            ("learner,item,correct\na,x,1.2\n", "must be between 0 and 1"),
            ("learner,item,correct\n,x,1\n", "line 2, learner = '': is empty"),
            ("learner,item,correct\na,x\n", "line 2, correct = ''"),
            ("learner,item,correct,answered_at\na,x,1,soon\n", "answered_at = 'soon': is not a ti"),
            ("learner,item,correct,answered_at\na,x,1,nan\n", "answered_at = 'nan'"),
            ("learner,item,correct,hints\na,x,1,-1\n", "hints = '-1': must not be negative"),
            ("learner,item,correct,answered_at\na,x,1,5\nb,y,1,\n", "empty for 1 answers"),
        ],
    )
    def test_says_what_cannot_be_read_and_where(self, text, said):
        with pytest.raises(LogUnreadable) as caught:
            read(text)

        assert said in str(caught.value)

    def test_counts_lines_as_an_editor_does(self):
        with pytest.raises(LogUnreadable, match="line 4, correct"):
            read('learner,item,correct\na,"two\nlines",1\nb,x,maybe\n')

    def test_lists_several_problems_but_not_all(self):
        with pytest.raises(LogUnreadable) as caught:
            read("learner,item,correct\n" + "a,x,no\n" * 50)

        assert len(str(caught.value).splitlines()) == 10


class TestReadCsv:
    def test_reads_a_file_with_a_byte_order_mark(self, tmp_path):
        path = tmp_path / "log.csv"
        path.write_text(FULL, encoding="utf-8-sig")

        assert read_csv(path).sha256() == read(FULL).sha256()

    def test_says_when_the_file_is_not_there_or_not_text(self, tmp_path):
        latin = tmp_path / "latin.csv"
        latin.write_bytes("learner,item,correct\nZoë,x,1\n".encode("latin-1"))

        for path, said in ((tmp_path / "none.csv", "No such file"), (latin, "not UTF-8")):
            with pytest.raises(LogUnreadable, match=said):
                read_csv(path)

    def test_tells_its_progress(self, tmp_path):
        path = tmp_path / "log.csv"
        path.write_text("learner,item,correct\n" + "a,x,1\n" * 25_000)
        told = []

        read_csv(path, progress=told.append)

        assert told == [10_000, 20_000]


def test_the_hash_of_a_log_sees_one_flipped_answer():
    assert read(FULL).sha256() == read(FULL).sha256()
    assert read(FULL.replace("sum-2,0,", "sum-2,1,")).sha256() != read(FULL).sha256()


def test_a_log_of_some_learners_keeps_their_answers_and_the_vocabulary():
    log = read(FULL)

    some = log.only_learners(np.array([1]))

    assert some.learner_keys == ("ann",)
    assert some.correct.tolist() == [1.0]
    assert some.item_keys == log.item_keys
