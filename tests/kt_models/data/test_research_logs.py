"""Readers of public logs: on a few made rows, and on the real ones where they are unpacked."""

import numpy as np
import pytest

from kt_models.data.csv_log import LogUnreadable
from kt_models.data.research_logs import (
    RESEARCH_LOGS,
    read_assistments2009,
    read_assistments2012,
    read_assistments2017,
    read_dbe_kt22,
    read_lkt_mofacts,
    read_statics2011,
)

DBE = """\
user_id,item_id,timestamp_ms,correct,kc_ids,hint_used,duration_ms,difficulty_feedback
7,2,1000000,1,4_9,0,30000,1
7,3,1050000,0,4,1,-1,0
"""
A17 = "user_id,item_id,timestamp,correct,skill_id\n0,1,1000,0,5\n0,1,1005,1,5\n0,0,9000,1,3\n"


@pytest.fixture
def dbe(tmp_path):
    (tmp_path / "interactions.csv").write_text(DBE)
    return tmp_path


@pytest.fixture
def a17(tmp_path):
    (tmp_path / "interactions.csv").write_text(A17)
    # Item 0 has skill 3; item 1 has skills 2 and 5.
    np.savez(tmp_path / "q_mat.npz", indptr=np.array([0, 1, 3]), indices=np.array([3, 2, 5]))
    return tmp_path


class TestReadDbeKt22:
    def test_takes_the_timestamp_as_the_answer_s_and_subtracts_the_duration(self, dbe):
        log = read_dbe_kt22(dbe)

        assert log.answered_at.tolist() == [1000.0, 1050.0]
        assert log.shown_at.tolist() == [970.0, 1050.0]
        assert log.assisted.tolist() == [False, True]
        assert [log.concept_keys[k] for k in log.concepts[0] if k >= 0] == ["4", "9"]

    def test_says_which_column_is_missing(self, dbe):
        (dbe / "interactions.csv").write_text(DBE.replace("kc_ids", "skills"))

        with pytest.raises(LogUnreadable, match="kc_ids"):
            read_dbe_kt22(dbe)


class TestReadAssistments2017:
    def test_looks_the_skills_of_an_item_up(self, a17):
        log = read_assistments2017(a17)

        named = [{log.concept_keys[k] for k in row if k >= 0} for row in log.concepts]
        assert named == [{"2", "5"}, {"2", "5"}, {"3"}]
        assert log.shown_at.tolist() == [1000.0, 1000.0, 9000.0]

    def test_says_when_a_file_is_not_there(self, a17):
        (a17 / "q_mat.npz").unlink()

        with pytest.raises(LogUnreadable, match="q_mat"):
            read_assistments2017(a17)


class TestReadAssistments2012:
    def test_takes_the_skill_in_the_row(self, a17):
        log = read_assistments2012(a17)

        assert [log.concept_keys[row[0]] for row in log.concepts] == ["5", "5", "3"]
        assert log.concepts.shape == (3, 1)
        assert log.correct.tolist() == [0.0, 1.0, 1.0]


class TestReadAssistments2009:
    @pytest.fixture
    def folder(self, a17):
        header = "user_id\titem_id\ttimestamp\tcorrect\tskill_id\n"
        (a17 / "theophilee_train.tsv").write_text(f"{header}0\t1\t0\t1\t9\n0\t0\t0\t0\t3\n")
        (a17 / "theophilee_test.tsv").write_text(f"{header}4\t0\t0\t1\t3\n")
        return a17

    def test_reads_both_files_in_the_order_of_their_rows(self, folder):
        log = read_assistments2009(folder)

        assert log.learner_keys == ("0", "4")
        assert [log.item_keys[i] for i in log.item] == ["1", "0", "0"]
        assert log.correct.tolist() == [1.0, 0.0, 1.0]
        assert [{log.concept_keys[k] for k in row if k >= 0} for row in log.concepts] == [
            {"2", "5"},
            {"3"},
            {"3"},
        ]
        assert not log.has_times

    def test_says_when_an_item_has_no_row_of_skills(self, folder):
        np.savez(folder / "q_mat.npz", indptr=np.array([0, 1]), indices=np.array([3]))

        with pytest.raises(LogUnreadable, match="no row of"):
            read_assistments2009(folder)


class TestReadStatics2011:
    def test_takes_the_concept_of_an_item_from_the_matrix(self, a17):
        rows = "user_id\titem_id\ttimestamp\tcorrect\tskill_id\n0\t0\t0\t1\t7\n0\t1\t0\t0\t7\n"
        (a17 / "interactions.tsv").write_text(rows)

        log = read_statics2011(a17)

        assert [log.concept_keys[row[0]] for row in log.concepts] == ["3", "2"]
        assert not log.has_times


class TestReadLktMofacts:
    HEADER = "Anon.Student.Id,Time,Outcome,KC..Default.,KC..Cluster.,CF..End.Latency.\n"
    ROWS = (
        "bo,2015-11-02 19:49:38,INCORRECT,a gap,a sentence,12000\n"
        "bo,2015-11-02 19:50:06,STUDY,a gap,a sentence,-1\n"
        "bo,2015-11-02 19:50:20,CORRECT,another,a sentence,2500\n"
    )

    def test_leaves_mere_study_out_and_adds_the_latency_to_the_beginning(self, tmp_path):
        (tmp_path / "interactions.csv").write_text(self.HEADER + self.ROWS)

        log = read_lkt_mofacts(tmp_path)

        assert log.correct.tolist() == [0.0, 1.0]
        assert log.shown_at[1] - log.shown_at[0] == 42.0
        assert (log.answered_at - log.shown_at).tolist() == [12.0, 2.5]
        assert log.concept_keys == ("a sentence",)
        assert log.shown_at[0] == 1_446_493_778.0

    def test_says_which_time_it_cannot_read(self, tmp_path):
        (tmp_path / "interactions.csv").write_text(
            self.HEADER + self.ROWS.replace("2015-11-02 19:49:38", "yesterday")
        )

        with pytest.raises(LogUnreadable, match="'yesterday' is not a time"):
            read_lkt_mofacts(tmp_path)


def test_says_when_rows_differ_in_length(a17):
    (a17 / "interactions.csv").write_text(A17 + "0,1,9\n")

    with pytest.raises(LogUnreadable, match="rows differ in length"):
        read_assistments2012(a17)


def test_says_which_column_holds_no_numbers(a17):
    (a17 / "interactions.csv").write_text(A17.replace("1005", "noon"))

    with pytest.raises(LogUnreadable, match="column timestamp"):
        read_assistments2012(a17)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "rows", "learners", "items", "concepts", "right"),
    [
        ("dbe_kt22", 161_953, 1_264, 212, 93, 0.7645),
        ("assistments2009", 278_336, 3_114, 17_708, 123, 0.6586),
        ("assistments2012_dev", 1_394_544, 17_220, 50_309, 263, 0.6956),
        ("assistments2017", 934_638, 1_708, 3_162, 102, 0.3732),
        ("statics2011", 189_297, 282, 1_223, 98, 0.7654),
        ("ednet_sample", 222_141, 5_002, 10_779, 188, 0.5929),
        ("lkt_mofacts", 55_122, 478, 144, 36, 0.5451),
        ("akt_splits/assist2009_pid", 274_561, 4_150, 16_891, 110, 0.6617),
        ("akt_splits/assist2017_pid", 941_502, 1_705, 3_162, 102, 0.3726),
        ("synthetic5", 200_000, 4_000, 50, 50, 0.6078),
    ],
)
def test_reads_the_real_log_whole(research_data, name, rows, learners, items, concepts, right):
    log = RESEARCH_LOGS[name](research_data(name))

    assert (len(log), len(log.learner_keys)) == (rows, learners)
    assert (len(log.item_keys), len(log.concept_keys)) == (items, concepts)
    assert log.correct.mean() == pytest.approx(right, abs=5e-5)


def test_every_research_log_is_checked_on_the_real_files():
    mark = test_reads_the_real_log_whole.pytestmark[0]

    assert {case[0] for case in mark.args[1]} == set(RESEARCH_LOGS)
