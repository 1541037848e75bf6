"""The decision log: written, read, refused; and the command over it."""

import csv
import json

import numpy as np
import pytest

from curriculum.bandits import make_policy
from curriculum.cli import main
from curriculum.evaluation import (
    DecisionsUnreadable,
    decision_row,
    find_target,
    read_decisions,
    write_rows,
)
from curriculum.scheduler import find_distribution
from curriculum.simulation.practising import practise
from tests.curriculum.evaluation.worlds import classroom


class Recorder:
    """Notes decisions with a reward that says nothing."""

    def __init__(self, logging, targets):
        self.logging, self.targets, self.rows, self.choices = logging, targets, [], []

    def chosen(self, choice):
        self.choices.append(choice)
        self.rows.append(
            decision_row(
                decision_id=f"d{len(self.rows)}",
                learner=f"l{self.index}",
                chances=choice.chances,
                pair=choice.pair,
                policy=self.logging,
                reward=float(len(self.rows) % 3),
                reward_kind="turns",
                targets=self.targets,
            )
        )

    def answered(self, answered):
        pass


@pytest.fixture(scope="module")
def recorded():
    recorder = Recorder(make_policy("gain-softmax"), [make_policy("sec")])
    room = classroom(seed=6, minutes=4.0)
    for recorder.index in range(12):
        practise(room, recorder.logging, index=recorder.index, listener=recorder)
    return recorder


@pytest.fixture
def path(recorded, tmp_path):
    write_rows(recorded.rows, tmp_path / "log.jsonl")
    return tmp_path / "log.jsonl"


def test_what_was_written_is_read(recorded, path):
    log = read_decisions(path)

    assert len(log) == len(recorded.rows) > 50
    assert len(set(log.learner.tolist())) == 12
    assert log.policies == (make_policy("gain-softmax").version,)
    np.testing.assert_allclose(log.propensity, [row["propensity"] for row in recorded.rows])
    np.testing.assert_array_equal(log.reward, np.arange(len(log)) % 3)
    assert log.left_to_chance.all()
    assert not list(path.parent.glob(".*"))


@pytest.mark.parametrize("name", ["uniform", "gain-softmax", "linear-softmax", "sec"])
def test_chances_from_the_log_are_those_of_the_scheduler(recorded, path, name):
    log = read_decisions(path)
    target = find_target(log, name)

    for row in range(0, len(log), 7):
        choice = recorded.choices[row]
        exact = find_distribution(choice.situation, policy=make_policy(name))
        arms = np.bincount(exact.choices.arm, weights=exact.joint)
        span = slice(log.starts[row], log.starts[row + 1])
        # Features are written to six digits.
        assert target.pair[row] == pytest.approx(exact.joint[choice.pair], rel=1e-3)
        np.testing.assert_allclose(target.arms[span], arms, rtol=1e-3, atol=1e-6)


def test_a_table_is_read_like_the_lines(recorded, path, tmp_path):
    with (tmp_path / "log.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(recorded.rows[0]))
        writer.writeheader()
        for row in recorded.rows:
            writer.writerow(row | {"eligible_arms": json.dumps(row["eligible_arms"])})

    lines, table = read_decisions(path), read_decisions(tmp_path / "log.csv")

    for name in ("propensity", "reward", "values", "chosen", "starts"):
        np.testing.assert_array_equal(getattr(lines, name), getattr(table, name))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"propensity": 0.0}, "propensity = 0.0 is out of range"),
        ({"propensity": 1.5}, "give a chance from 0 to 1"),
        ({"propensity": "often"}, "propensity = 'often' is no number"),
        ({"arm": "99:learn"}, "arm 99:learn is not among the eligible ones"),
        ({"decision_id": "d0"}, "decision_id d0 is there twice"),
        ({"reward": "good"}, "reward = 'good' is no number"),
        ({"at": "yesterday"}, "neither epoch seconds nor ISO 8601"),
        ({"eligible_arms": {"epsilon": 0.05}}, "arms is missing"),
        ({"eligible_arms": None}, "NoneType"),
    ],
)
def test_a_wrong_line_is_named(recorded, tmp_path, change, message):
    rows = [*recorded.rows[:3], recorded.rows[3] | change]
    write_rows(rows, tmp_path / "log.jsonl")

    with pytest.raises(DecisionsUnreadable, match="line 4") as refusal:
        read_decisions(tmp_path / "log.jsonl")
    assert message in str(refusal.value)


def test_arms_that_do_not_add_up_are_refused(recorded, tmp_path):
    row = json.loads(json.dumps(recorded.rows[0]))
    row["eligible_arms"]["arms"][0]["propensity"] /= 2.0
    write_rows([row], tmp_path / "log.jsonl")

    with pytest.raises(DecisionsUnreadable, match="propensities sum to"):
        read_decisions(tmp_path / "log.jsonl")


@pytest.mark.parametrize("text", ["", "no json\n", "[1, 2]\n", '{"decision_id": "a"}\n'])
def test_what_is_no_log_is_refused(tmp_path, text):
    (tmp_path / "log.jsonl").write_text(text)

    with pytest.raises(DecisionsUnreadable):
        read_decisions(tmp_path / "log.jsonl")
    with pytest.raises(DecisionsUnreadable):
        read_decisions(tmp_path / "missing.jsonl")


def test_decisions_without_chance_are_marked(recorded, tmp_path):
    rows = json.loads(json.dumps(recorded.rows[:3]))
    rows[0]["eligible_arms"]["exploring"] = "test"
    rows[1]["eligible_arms"]["exploring"] = "capped"
    rows[2]["eligible_arms"]["fallback"] = "ValueError: broken"
    write_rows(rows, tmp_path / "log.jsonl")

    assert read_decisions(tmp_path / "log.jsonl").left_to_chance.tolist() == [False, True, False]


def test_the_command_says_what_a_policy_is_worth(path, tmp_path, capsys):
    out = tmp_path / "worth.json"
    arguments = ["--policy", "sec", "--min-learners", "10", "--resamples", "200", "--out", str(out)]

    assert main(["evaluate", str(path), *arguments]) == 0

    said = capsys.readouterr().out
    assert "doubly robust" in said
    assert "clipped at 20" in said
    figures = json.loads(out.read_text())
    assert figures["learners"] == 12
    assert f"IPS            {figures['estimates']['ips']['value']:+.5f}" in said


def test_the_command_refuses_thin_support_with_a_code_of_its_own(path, capsys):
    assert main(["evaluate", str(path), "--policy", "sec"]) == 3
    assert "refused: 12 learners are too few" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--policy", "wish"], "There is no policy wish"),
        (["--policy", "zpdes"], "does not say what zpdes would have done"),
        (["--policy", "linear-softmax=/no.json"], "/no.json: not readable"),
        (["--policy", "sec", "--reward-kind", "clicks"], "There is no reward clicks"),
        (["--policy", "sec", "--clip", "0"], "clip of at least 1"),
        (["--policy", "sec", "--min-learners", "5", "--out", "/no/such/folder/x.json"], "/no/such"),
    ],
)
def test_the_command_tells_mistakes_in_one_message(path, capsys, arguments, message):
    assert main(["evaluate", str(path), *arguments]) == 1
    assert message in capsys.readouterr().err


def test_a_simulation_writes_a_log_that_can_be_evaluated(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("curriculum.simulation.matrix.LEARNERS_EACH", 3)
    names = ["--policy", "gain-softmax", "--policy", "zpdes", "--simulator", "pfa"]
    rest = ["--learners", "6", "--minutes", "4", "--out", str(tmp_path), "--decisions"]
    assert main(["simulate", *names, *rest]) == 0

    log = tmp_path / "decisions-pfa-gain-softmax.jsonl"
    settings = ["--min-learners", "6", "--resamples", "200"]
    assert main(["evaluate", str(log), "--policy", "zpdes", *settings]) in {0, 3}
    assert main(["evaluate", str(log), "--policy", "uniform", *settings]) == 0
    assert "of 6 learners" in capsys.readouterr().out
