"""Runs held against each other: only on the same answers, in pairs; lists and pictures."""

import json
import shutil

import numpy as np
import pytest

from kt_models.cli import main
from kt_models.evaluation import metrics
from kt_models.runs.comparing import NotComparable, common_folds, compare, read_evaluation
from kt_models.runs.folder import RunUnreadable
from kt_models.runs.predictions import read_answers
from kt_models.streaming.psi_parameters import FilterParameters
from tests.kt_models.factories import simulated_log, write_log

PNG = b"\x89PNG"


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """Runs of two models on two folds, and one of a run of its own."""
    folder = tmp_path_factory.mktemp("runs")
    log, _ = simulated_log(np.random.default_rng(0), FilterParameters(), learners=60, answers=25)
    write_log(log, folder / "simulated.csv")
    names = ["--sets", "simulated", "--models", "concept-mean,pfa", "--folds", "0,1"]
    line = ["benchmark", "--data", str(folder), *names, "--resamples", "20"]
    assert main([*line, "--out", str(folder / "runs")]) == 0
    small = ["--set", "hidden=4", "--set", "width=4", "--set", "training.epochs=2"]
    line = ["evaluate", "--log", str(folder / "simulated.csv"), "--model", "dkt", *small]
    assert main([*line, "--out", str(folder / "alone")]) == 0
    return folder


def models(out):
    place = out / "runs" / "learner-split" / "simulated"
    return place / "concept-mean", place / "pfa"


class TestCompare:
    def test_pairs_the_answers_of_all_folds(self, out):
        mean, pfa = (read_evaluation(path) for path in models(out))

        found = compare([mean, pfa], seed=0, resamples=100)

        whole, other = pfa.whole([0, 1]), mean.whole([0, 1])
        assert len(whole.prob) == 24 * 25
        assert len(np.unique(whole.learner)) == 24
        lead = found[pfa.name]["auc"]["difference"]
        assert lead.value == pytest.approx(
            metrics.auc(whole.correct, whole.prob) - metrics.auc(other.correct, other.prob)
        )
        assert lead.low < lead.value < lead.high
        assert "difference" not in found[mean.name]["auc"]

    def test_leaves_folds_out_that_not_all_have(self, out):
        mean, pfa = models(out)
        one = read_evaluation(pfa / "fold-1")
        both = read_evaluation(mean)
        del both.answers[0]

        assert common_folds([both, read_evaluation(pfa)]) == [1]
        assert list(one.answers) == [-1]

    def test_refuses_other_answers(self, out):
        mean, pfa = models(out)

        with pytest.raises(NotComparable, match="other answers"):
            common_folds([read_evaluation(mean / "fold-0"), read_evaluation(pfa / "fold-1")])
        with pytest.raises(NotComparable, match="No fold"):
            common_folds([read_evaluation(mean), read_evaluation(pfa / "fold-1")])

    def test_compares_a_fold_with_the_same_answers_asked_alone(self, out):
        _, pfa = models(out)

        found = compare(
            [read_evaluation(pfa / "fold-0"), read_evaluation(out / "alone")], seed=0, resamples=20
        )

        assert len(found) == 2

    def test_says_what_is_no_evaluation(self, out, tmp_path):
        with pytest.raises(RunUnreadable):
            read_evaluation(tmp_path)
        with pytest.raises(RunUnreadable):
            read_answers(out)


@pytest.fixture(scope="module")
def tuned(out):
    """PFA on two folds, each the better of two settings; a stale run of one lies beside them."""
    settings = out / "settings.json"
    # So held to nothing that it says the same of everybody.
    settings.write_text(json.dumps({"pfa": {"simulated": [{"penalty": 1e6}, {}]}}))
    names = ["--sets", "simulated", "--models", "pfa", "--folds", "0,1", "--resamples", "20"]
    line = ["benchmark", "--data", str(out), *names, "--settings", str(settings)]
    assert main([*line, "--out", str(out / "tuned")]) == 0
    place = out / "tuned" / "learner-split" / "simulated" / "pfa"
    stale, _ = models(out)
    shutil.copytree(stale / "fold-0", place / "fold-0", dirs_exist_ok=True)
    return place


def best_of(fold):
    runs = [fold / f"candidate-{number}" for number in (0, 1)]
    return min(
        runs, key=lambda run: json.loads((run / "metrics.json").read_text())["validation_log_loss"]
    )


class TestCandidates:
    def test_the_chosen_one_is_compared_not_a_stale_run(self, tuned):
        found = read_evaluation(tuned)

        assert sorted(found.answers) == [0, 1]
        assert found.model == "pfa"
        for fold in (0, 1):
            best = read_answers(best_of(tuned / f"fold-{fold}"))
            assert (found.answers[fold].prob == best.prob).all()

    def test_a_fold_and_a_candidate_are_runs_too(self, tuned):
        chosen = read_evaluation(tuned / "fold-1")
        best = read_evaluation(best_of(tuned / "fold-1"))
        one, other = (read_evaluation(tuned / "fold-1" / f"candidate-{n}") for n in (0, 1))

        assert (chosen.answers[-1].prob == best.answers[-1].prob).all()
        assert (one.answers[-1].prob != other.answers[-1].prob).any()

    def test_a_fold_of_which_one_is_missing_is_left_out(self, tuned, tmp_path):
        part = tmp_path / "pfa"
        shutil.copytree(tuned, part)
        (part / "fold-0" / "candidate-0" / "metrics.json").unlink()

        assert sorted(read_evaluation(part).answers) == [1]

    @pytest.mark.parametrize("command", ["compare", "plot"])
    def test_the_commands_read_them(self, out, tuned, tmp_path, command):
        mean, _ = models(out)
        more = ["--out", str(tmp_path / "picture.png")] if command == "plot" else []

        assert main(["runs", command, str(mean), str(tuned), *more]) == 0


class TestCommands:
    def test_compare_prints_and_writes_paired_differences(self, out, tmp_path, capsys):
        mean, pfa = models(out)
        line = ["runs", "compare", str(mean), str(pfa), "--resamples", "50"]

        assert main([*line, "--json", str(tmp_path / "found.json")]) == 0

        printed = capsys.readouterr().out
        assert "600 answers of 24 learners, folds 0, 1" in printed
        assert printed.count(" to +") + printed.count(" to -") == 3
        found = json.loads((tmp_path / "found.json").read_text())
        assert set(found[str(pfa)]["log_loss"]["difference"]) == {"value", "low", "high"}

    def test_plot_draws_any_runs(self, out, tmp_path):
        _, pfa = models(out)
        picture = tmp_path / "new" / "picture.png"

        assert main(["runs", "plot", str(pfa), str(out / "alone"), "--out", str(picture)]) == 0

        assert picture.read_bytes().startswith(PNG)

    def test_plot_says_which_format_it_cannot_write(self, out, tmp_path, capsys):
        _, pfa = models(out)

        assert main(["runs", "plot", str(pfa), "--out", str(tmp_path / "picture.doc")]) == 1
        assert "picture.doc" in capsys.readouterr().err

    def test_list_names_finished_unfinished_and_damaged_runs(self, out, tmp_path, capsys):
        broken = tmp_path / "broken"
        broken.mkdir()
        (broken / "run.json").write_text("{")
        begun = tmp_path / "begun"
        begun.mkdir()
        for name in ("run.json", "curves.json"):
            (begun / name).write_bytes((out / "alone" / name).read_bytes())

        assert main(["runs", "list", str(tmp_path)]) == 0
        assert main(["runs", "list", str(out)]) == 0

        printed = capsys.readouterr().out
        assert "unfinished, 2 steps" in printed
        assert "unreadable" in printed
        auc = json.loads((out / "alone" / "metrics.json").read_text())["auc"]
        [line] = [line for line in printed.splitlines() if line.startswith("dkt") and "0." in line]
        assert f"{auc:.4f}" in line

    def test_list_says_when_there_is_none(self, tmp_path, capsys):
        assert main(["runs", "list", str(tmp_path)]) == 1
        assert "no run" in capsys.readouterr().err


class TestLearningCurve:
    def test_trains_on_nested_learners_and_reports(self, out, tmp_path, capsys):
        place = tmp_path / "curve"
        line = ["runs", "learning-curve", "--log", str(out / "simulated.csv"), "--seeds", "2"]
        line += ["--model", "item-mean", "--sizes", "3", "--resamples", "30", "--out", str(place)]

        assert main(line) == 0

        printed = capsys.readouterr().out
        report = json.loads((place / "learning_curve.json").read_text())
        assert report["sizes"] == [12, 24, 48]
        assert report["verdict"] in printed
        assert (place / "learning_curve.png").read_bytes().startswith(PNG)
        losses = [
            json.loads((place / f"learners-24/seed-{seed}/metrics.json").read_text())["log_loss"]
            for seed in (0, 1)
        ]
        assert report["errors"][1] == pytest.approx(np.mean(losses))
        assert losses[0] != losses[1]

        assert main(line) == 0
        assert json.loads((place / "learning_curve.json").read_text()) == report

    def test_says_when_a_log_is_too_small(self, out, tmp_path, capsys):
        line = ["runs", "learning-curve", "--log", str(out / "simulated.csv"), "--model", "pfa"]

        assert main([*line, "--sizes", "6", "--out", str(tmp_path)]) == 1
        assert "name fewer sizes" in capsys.readouterr().err
