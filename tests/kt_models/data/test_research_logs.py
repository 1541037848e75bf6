"""Readers of public logs: on a few made rows, and on the real ones where they are unpacked."""

from pathlib import Path

import numpy as np
import pytest

from kt_models.data.csv_log import LogUnreadable
from kt_models.data.research_logs import (
    read_assistments2012,
    read_assistments2017,
    read_dbe_kt22,
)

DBE = """\
user_id,item_id,timestamp_ms,correct,kc_ids,hint_used,duration_ms,difficulty_feedback
7,2,1000000,1,4_9,0,30000,1
7,3,1050000,0,4,1,-1,0
"""
A17 = "user_id,item_id,timestamp,correct,skill_id\n0,1,1000,0,5\n0,1,1005,1,5\n0,0,9000,1,3\n"
REAL = Path(__file__).parents[3] / "data"


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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("read", "folder", "rows", "learners"),
    [
        (read_dbe_kt22, "dbe_kt22", 161_953, 1_264),
        (read_assistments2017, "assistments2017", 934_638, 1_708),
        (read_assistments2012, "assistments2012_dev", 1_394_544, 17_220),
    ],
)
def test_reads_the_real_log_whole(read, folder, rows, learners):
    if not (REAL / folder / "interactions.csv").is_file():
        pytest.skip(f"unpack {folder} into {REAL} to run this")

    log = read(REAL / folder)

    assert (len(log), len(log.learner_keys)) == (rows, learners)
