"""Readers of logs that give each learner's answers as lists on a few lines."""

import pytest

from kt_models.data.csv_log import LogUnreadable
from kt_models.data.research_logs import (
    read_akt_assist2009,
    read_akt_assist2017,
    read_ednet_sample,
    read_synthetic5,
)

# Learner 70 answers problem 5 (skills 1 and 2, so two rows), 6 twice, and 5 again.
AKT = "0,70\n5,5,6,6,5,5\n1,2,1,1,1,2\n1,1,0,0,0,0\n"


def concepts_of(log):
    return [{log.concept_keys[k] for k in row if k >= 0} for row in log.concepts]


def items_of(log):
    return [log.item_keys[i] for i in log.item]


@pytest.fixture(params=["assist2009_pid", "assist2017_pid"])
def akt(request, tmp_path):
    for fold in range(1, 6):
        text = AKT if fold == 1 else f"{fold},7{fold}\n5\n1\n{fold % 2}\n"
        (tmp_path / f"{request.param}_test{fold}.csv").write_text(text)
    return tmp_path


class TestReadAkt:
    @pytest.mark.parametrize("akt", ["assist2009_pid"], indirect=True)
    def test_makes_one_row_of_the_rows_of_one_answer(self, akt):
        log = read_akt_assist2009(akt)

        assert log.learner_keys == ("70", "72", "73", "74", "75")
        assert items_of(log)[:4] == ["5", "6", "6", "5"]
        assert concepts_of(log)[:4] == [{"1", "2"}, {"1"}, {"1"}, {"1", "2"}]
        assert log.correct[:4].tolist() == [1.0, 0.0, 0.0, 0.0]
        assert not log.has_times

    @pytest.mark.parametrize("akt", ["assist2017_pid"], indirect=True)
    def test_keeps_every_row_of_an_action_log(self, akt):
        log = read_akt_assist2017(akt)

        assert len(log) == 6 + 4
        assert log.correct.sum() == 2 + 2

    @pytest.mark.parametrize("akt", ["assist2009_pid"], indirect=True)
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("0,70\n5\n1\n", "3 lines are no whole number of 4"),
            ("0,70\n5,6\n1\n1,0\n", "line 1: lists of 2, 1, 2 entries"),
            ("0,70\n5,6\n1,1\n1,x\n", "outcome 'x'"),
        ],
    )
    def test_says_what_does_not_fit(self, akt, text, said):
        (akt / "assist2009_pid_test3.csv").write_text(text)

        with pytest.raises(LogUnreadable, match=said):
            read_akt_assist2009(akt)

    @pytest.mark.parametrize("akt", ["assist2009_pid"], indirect=True)
    def test_says_which_fold_is_not_there(self, akt):
        (akt / "assist2009_pid_test4.csv").unlink()

        with pytest.raises(LogUnreadable, match="test4"):
            read_akt_assist2009(akt)


class TestReadSynthetic5:
    def test_reads_both_files_of_a_version_with_every_item_its_own_concept(self, tmp_path):
        (tmp_path / "naive_c5_q50_s4000_v3_train.csv").write_text("2\n1,2,\n1,0,\n2\n1,2,\n0,0,\n")
        (tmp_path / "naive_c5_q50_s4000_v3_test.csv").write_text("2\n1,2,\n1,1,\n")

        log = read_synthetic5(tmp_path, version=3)

        assert len(log.learner_keys) == 3
        assert log.correct.tolist() == [1.0, 0.0, 0.0, 0.0, 1.0, 1.0]
        assert concepts_of(log)[:2] == [{"1"}, {"2"}]


class TestReadEdnetSample:
    @pytest.fixture
    def ednet(self, tmp_path):
        text = "[2]\n[7, 8]\n[1, 0]\n[0, 1]\n[1]\n[8]\n[0]\n[1]\n"
        (tmp_path / "data.txt").write_text(text)
        (tmp_path / "pro_id_dict.txt").write_text("{'q5': 0, 'q9': 1}")
        (tmp_path / "pro_skill_dict.txt").write_text("{'q5': '19;2;181', 'q9': '143'}")
        return tmp_path

    def test_takes_a_problem_s_set_of_skills_apart(self, ednet):
        log = read_ednet_sample(ednet)

        assert log.starts.tolist() == [0, 2, 3]
        assert concepts_of(log) == [{"143"}, {"19", "2", "181"}, {"19", "2", "181"}]
        assert log.correct.tolist() == [0.0, 1.0, 1.0]

    @pytest.mark.parametrize(
        ("file", "text", "said"),
        [
            ("pro_id_dict.txt", "{'q5': 0}", "line 3: problem '1' is not in pro_id_dict"),
            ("pro_skill_dict.txt", "{'q5': '19'}", "pro_skill_dict.txt: 'q9' is missing"),
            ("pro_skill_dict.txt", "q5 = 19", "not a Python dictionary"),
        ],
    )
    def test_says_what_is_missing_in_the_dictionaries(self, ednet, file, text, said):
        (ednet / file).write_text(text)

        with pytest.raises(LogUnreadable, match=said):
            read_ednet_sample(ednet)
