"""The command line: figures, files, exit codes; and what importing the light parts pulls in."""

import csv
import json
import subprocess
import sys

import numpy as np
import pytest

from kt_models import api
from kt_models.cli import main
from tests.kt_models.factories import random_log


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    log = random_log(np.random.default_rng(6), learners=10, answers=12)
    path = tmp_path_factory.mktemp("log") / "log.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["learner", "item", "correct", "concepts", "answered_at"])
        for r in range(len(log)):
            concepts = "|".join(log.concept_keys[k] for k in log.concepts[r] if k >= 0)
            learner, item = log.learner_keys[log.learner[r]], log.item_keys[log.item[r]]
            writer.writerow([learner, item, log.correct[r], concepts, log.answered_at[r]])
    return path


class TestTrain:
    def test_writes_a_model_that_loads(self, path, tmp_path, capsys):
        out = tmp_path / "models" / "first"

        code = main(["train", "--log", str(path), "--model", "psi-filter", "--out", str(out)])

        fitted = api.load_filter(out / "psi-filter.json")
        assert code == 0
        assert fitted.provenance["answers"] == 120
        assert "120 answers, 10 learners" in capsys.readouterr().out

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


class TestEvaluate:
    def test_prints_a_row_per_model_and_writes_the_figures(self, path, tmp_path, capsys):
        figures = tmp_path / "figures.json"
        models = "global-mean,item-mean"

        code = main(["evaluate", "--log", str(path), "--models", models, "--json", str(figures)])

        printed = capsys.readouterr().out
        assert code == 0
        assert "2 others" in printed
        assert set(json.loads(figures.read_text())) == {"global-mean", "item-mean"}
        assert "global-mean     0.5000" in printed

    def test_tells_a_model_that_there_is_not(self, path, capsys):
        assert main(["evaluate", "--log", str(path), "--models", "oracle"]) == 1
        assert "psi-filter" in capsys.readouterr().err


@pytest.mark.parametrize(
    "line", [[], ["train"], ["evaluate", "--log", "x", "--test-share", "2"], ["fly"]]
)
def test_a_wrong_command_line_exits_with_two(line):
    with pytest.raises(SystemExit) as caught:
        main(line)

    assert caught.value.code == 2


@pytest.mark.parametrize("module", ["kt_models.streaming.psi_filter", "kt_models.api"])
def test_light_modules_load_numpy_and_nothing_heavy(module):
    heavy = ["scipy", "numba", "sklearn", "torch", "pandas", "django"]
    code = f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])"

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"
