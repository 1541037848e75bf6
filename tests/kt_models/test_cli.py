"""The command line: figures, files, exit codes; and what importing the light parts pulls in."""

import dataclasses
import json
import shlex
import subprocess
import sys

import numpy as np
import pytest

from kt_models.cli import PROTOCOLS, main
from kt_models.evaluation import protocols
from kt_models.models import MODELS
from kt_models.saved_models import load_model
from tests.kt_models.factories import random_log, write_log

PROMISED = {
    "auc",
    "auc_low",
    "auc_high",
    "log_loss",
    "brier",
    "calibration_error",
    "accuracy",
    "majority_rate",
    "n",
    "seconds",
}
SMALL = ["--set", "hidden=8", "--set", "width=4", "--set", "training.epochs=2"]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    log = random_log(np.random.default_rng(6), learners=10, answers=22)
    return write_log(log, tmp_path_factory.mktemp("log") / "log.csv")


class TestTrain:
    def test_leaves_a_run_whose_model_loads(self, path, tmp_path, capsys):
        out = tmp_path / "models" / "first"

        code = main(["train", "--log", str(path), "--model", "dkt", *SMALL, "--out", str(out)])

        model, provenance = load_model(out / "checkpoint", MODELS)
        assert code == 0
        assert model.config.hidden == 8
        assert provenance["answers"] == 220
        assert "220 answers, 10 learners" in capsys.readouterr().out
        run = json.loads((out / "run.json").read_text())
        assert run["config"]["training"]["epochs"] == 2
        assert run["log"]["sha256"] == provenance["log_sha256"]
        steps = json.loads((out / "curves.json").read_text())["steps"]
        assert [step["step"] for step in steps] == [1, 2]
        assert {
            "train_loss",
            "validation_log_loss",
            "validation_auc",
            "learning_rate",
            "seconds",
        } < set(steps[0])
        assert json.loads((out / "metrics.json").read_text())["epochs"] == 2

    def test_fits_the_live_filter_where_no_model_is_named(self, path, tmp_path):
        assert main(["train", "--log", str(path), "--out", str(tmp_path)]) == 0

        model, provenance = load_model(tmp_path / "checkpoint", MODELS)
        assert model.name == "psi-filter"
        assert provenance["learners"] == 10

    def test_its_command_repeats_it_to_the_bit(self, path, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        main(["train", "--log", str(path), "--model", "dkt", *SMALL, "--seed", "3", "--out", "run"])
        weights = (tmp_path / "run" / "checkpoint" / "weights.safetensors").read_bytes()
        words = shlex.split((tmp_path / "run" / "command.txt").read_text())
        assert words[:3] == ["python", "-m", "kt_models"]

        assert main(words[3:]) == 0

        again = (tmp_path / "run" / "checkpoint" / "weights.safetensors").read_bytes()
        assert again == weights

    def test_tells_an_unreadable_log_in_one_message(self, tmp_path, capsys):
        bad = tmp_path / "bad.csv"
        bad.write_text("learner,item,correct\na,x,perhaps\n")

        code = main(["train", "--log", str(bad), "--out", str(tmp_path)])

        assert code == 1
        assert "line 2, correct = 'perhaps'" in capsys.readouterr().err

    def test_tells_a_folder_that_it_cannot_write_to(self, path, tmp_path, capsys):
        taken = tmp_path / "taken"
        taken.write_text("a file where the folder should be")

        assert main(["train", "--log", str(path), "--out", str(taken)]) == 1
        assert "taken" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("setting", "said"),
        [("layers=3", "layers"), ("hidden=wide", "hidden = 'wide'"), ("hidden", "name=value")],
    )
    def test_tells_a_setting_that_the_model_has_not(self, path, tmp_path, setting, said, capsys):
        line = ["train", "--log", str(path), "--model", "dkt", "--out", str(tmp_path / "run")]

        assert main([*line, "--set", setting]) == 1
        assert said in capsys.readouterr().err
        assert not (tmp_path / "run" / "run.json").exists()

    def test_refuses_a_model_before_it_reads_the_log(self, tmp_path, capsys):
        absent = str(tmp_path / "absent.csv")

        assert main(["train", "--log", absent, "--model", "zz", "--out", str(tmp_path)]) == 1
        assert "No model is called zz" in capsys.readouterr().err


class TestEvaluate:
    def test_tells_answers_of_one_kind_before_anything_is_fitted(self, tmp_path, capsys):
        log = random_log(np.random.default_rng(6), learners=10, answers=22)
        log = dataclasses.replace(log, correct=np.ones(len(log)))
        out = tmp_path / "run"
        asked = ["--log", str(write_log(log, tmp_path / "log.csv")), "--out", str(out)]

        assert main(["evaluate", "--model", "majority", *asked]) == 1
        assert "All 44 answers to be scored are right" in capsys.readouterr().err
        assert not out.exists()

    @pytest.mark.parametrize("protocol", PROTOCOLS)
    def test_writes_the_figures_and_the_predictions(self, path, tmp_path, protocol):
        out = tmp_path / "out"
        line = ["evaluate", "--log", str(path), "--model", "pfa", "--protocol", protocol]

        code = main([*line, "--out", str(out), "--resamples", "50"])

        assert code == 0
        figures = json.loads((out / "metrics.json").read_text())
        assert set(figures) > PROMISED
        assert (figures["model"], figures["protocol"]) == ("pfa", protocol)
        lines = (out / "predictions.csv").read_text().splitlines()
        assert lines[0] == "learner,position,item,correct,predicted"
        assert len(lines) == figures["n"] + 1
        assert figures["n"] == {"forecast": 20, "cold-start": 20}.get(protocol, 44)

    def test_compares_several_and_keeps_a_run_of_each(self, path, tmp_path, capsys):
        out = tmp_path / "out"
        models = "item-mean,pfa"

        code = main(["evaluate", "--log", str(path), "--models", models, "--out", str(out)])

        printed = capsys.readouterr().out
        assert code == 0
        assert "fitted on 8 learners" in printed
        assert [line.split()[0] for line in printed.splitlines()[3:5]] == ["item-mean", "pfa"]
        found = [
            json.loads((out / name / "metrics.json").read_text()) for name in models.split(",")
        ]
        assert found[0]["answers_sha256"] == found[1]["answers_sha256"]
        assert "--model pfa" in (out / "pfa" / "command.txt").read_text()

    def test_compares_what_is_quick_without_a_word(self, path, capsys):
        assert main(["evaluate", "--log", str(path), "--resamples", "10"]) == 0
        assert "item-mean" in capsys.readouterr().out

    def test_reads_a_research_set_by_its_folder(self, tmp_path, capsys):
        folder = tmp_path / "synthetic5"
        folder.mkdir()
        rng = np.random.default_rng(0)
        for part in ("train", "test"):
            rows = [",".join(map(str, rng.integers(0, 2, 4))) for _ in range(10)]
            text = "".join(f"4\n1,2,3,4\n{row}\n" for row in rows)
            (folder / f"naive_c5_q50_s4000_v0_{part}.csv").write_text(text)

        assert main(["evaluate", "--log", str(folder), "--models", "item-mean"]) == 0
        assert "80 answers, 20 learners, 4 items" in capsys.readouterr().out
        assert main(["evaluate", "--log", str(tmp_path), "--models", "item-mean"]) == 1
        assert "dbe_kt22" in capsys.readouterr().err

    def test_tells_a_model_that_there_is_not(self, path, tmp_path, capsys):
        assert main(["evaluate", "--log", str(path), "--models", "oracle"]) == 1
        assert "psi-filter" in capsys.readouterr().err

    def test_tells_that_one_model_needs_a_folder(self, path, capsys):
        assert main(["evaluate", "--log", str(path), "--model", "pfa"]) == 1
        assert "--out DIR" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("protocol", "rows", "said"),
        [
            ("time-split", "a,x,1\nb,x,0\n", "answered_at"),
            ("forecast", "".join(f"{who},x,1\n" * 5 for who in "abcde"), "more than 5"),
            ("learner-split", "a,x,1\nb,x,0\n", "2 learners cannot be dealt out over 5"),
            (
                "learner-split",
                "".join(f"{who},x,1\n" * 5 for who in "abcdefghij"),
                "both right and wrong",
            ),
        ],
    )
    def test_tells_what_a_log_cannot_do(self, tmp_path, protocol, rows, said, capsys):
        log = tmp_path / "log.csv"
        log.write_text("learner,item,correct\n" + rows)
        line = ["evaluate", "--log", str(log), "--model", "item-mean", "--protocol", protocol]

        assert main([*line, "--out", str(tmp_path / "out")]) == 1
        assert said in capsys.readouterr().err
        assert not (tmp_path / "out" / "metrics.json").exists()


def test_the_command_line_offers_the_protocols_that_there_are():
    assert PROTOCOLS == protocols.PROTOCOLS


@pytest.mark.parametrize(
    "line",
    [
        [],
        ["train"],
        ["fly"],
        ["evaluate", "--log", "x", "--folds", "1"],
        ["evaluate", "--log", "x", "--fold", "-1"],
        ["evaluate", "--log", "x", "--protocol", "leave-one-out"],
        ["evaluate", "--log", "x", "--model", "pfa", "--models", "pfa"],
        ["train", "--log", "x", "--out", "y", "--resume", "--replace"],
        ["benchmark", "--data", "x", "--sets", "a", "--models", "b", "--out", "y", "--folds", "5"],
        ["benchmark", "--data", "x", "--sets", ",", "--models", "b", "--out", "y"],
        ["runs"],
        ["runs", "compare"],
    ],
)
def test_a_wrong_command_line_exits_with_two(line):
    with pytest.raises(SystemExit) as caught:
        main(line)

    assert caught.value.code == 2


@pytest.mark.parametrize(
    "module", ["kt_models.streaming.psi_filter", "kt_models.api", "kt_models.cli"]
)
def test_light_modules_load_numpy_and_nothing_heavy(module):
    heavy = ["scipy", "numba", "sklearn", "torch", "pandas", "django", "matplotlib"]
    code = f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])"

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"


def test_folds_that_are_none_are_told_in_words(capsys):
    with pytest.raises(SystemExit):
        main(["benchmark", "--data", "d", "--sets", "s", "--models", "m", "--folds", "a,7"])
    assert "a,7: name folds from 0 to 4" in capsys.readouterr().err
