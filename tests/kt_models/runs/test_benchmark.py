"""Benchmarks: what is done is left alone, what fails is told, and the table says what was run."""

import json

import numpy as np
import pytest

from kt_models.cli import main
from kt_models.errors import ImpossibleSetting, UnknownName
from kt_models.runs import tables
from kt_models.runs.benchmark import chosen_run, plan, read_settings
from kt_models.runs.folder import RunFolder, RunsClash
from tests.kt_models.factories import random_log, write_log

MODELS = "item-mean,pfa"
# Of PFA: as usual, and held so strongly to nothing that it learns nothing.
CANDIDATES = [{}, {"penalty": 1e4}]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    for name, seed in (("spring", 0), ("autumn", 1)):
        log = random_log(np.random.default_rng(seed), learners=15, answers=22)
        write_log(log, folder / f"{name}.csv")
    return folder


def run(data, out, *more, sets="spring,autumn", models=MODELS):
    names = ["--sets", sets, "--models", models, "--resamples", "20"]
    return main(["benchmark", "--data", str(data), *names, "--out", str(out), *more])


@pytest.fixture(scope="module")
def done(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    assert run(data, out, "--folds", "all") == 0
    return out


class TestBenchmark:
    def test_has_a_run_for_every_set_model_and_fold(self, done):
        runs = {path.parent.relative_to(done) for path in done.rglob("metrics.json")}

        assert {str(path) for path in runs} == {
            f"learner-split/{name}/{model}/fold-{fold}"
            for name in ("spring", "autumn")
            for model in MODELS.split(",")
            for fold in range(5)
        }

    def test_tests_every_learner_once(self, done):
        folds = [
            RunFolder(done / "learner-split" / "spring" / "pfa" / f"fold-{fold}").metrics()
            for fold in range(5)
        ]

        assert sum(fold["n"] for fold in folds) == 15 * 22
        assert len({fold["answers_sha256"] for fold in folds}) == 5

    def test_goes_on_where_it_was_killed(self, data, done, tmp_path):
        run(data, tmp_path, sets="spring")
        place = tmp_path / "learner-split" / "spring"
        kept, lost = place / "item-mean" / "fold-0", place / "pfa" / "fold-0"
        before = (kept / "metrics.json").stat().st_mtime_ns
        (lost / "metrics.json").unlink()

        assert run(data, tmp_path, sets="spring") == 0

        assert (kept / "metrics.json").stat().st_mtime_ns == before
        again = RunFolder(lost).metrics()
        whole = RunFolder(done / "learner-split" / "spring" / "pfa" / "fold-0").metrics()
        assert (again["auc"], again["n"]) == (whole["auc"], whole["n"])

    def test_tells_what_fails_and_does_the_others(self, data, tmp_path, capsys):
        code = run(data, tmp_path, sets="winter,spring", models="item-mean")

        complaint = capsys.readouterr().err
        assert code == 1
        assert "neither winter.csv" in complaint
        assert "1 of 2 evaluations failed" in complaint
        assert (tmp_path / "learner-split" / "spring" / "item-mean" / "fold-0").is_dir()
        assert "spring" in (tmp_path / "table.md").read_text()

    def test_leaves_to_others_what_they_work_on(self, data, tmp_path, capsys):
        busy = RunFolder(tmp_path / "learner-split" / "spring" / "pfa" / "fold-0")

        with busy.lock():
            assert run(data, tmp_path, sets="spring") == 0

        assert "Another process" in capsys.readouterr().err
        assert not busy.finished

    def test_never_takes_a_run_of_other_settings_for_its_own(self, data, tmp_path, capsys):
        settings = tmp_path / "settings.json"
        chosen = ["--settings", str(settings)]
        small = {"hidden": 4, "width": 4, "training": {"epochs": 1}}
        settings.write_text(json.dumps({"dkt": {"*": small}}))
        assert run(data, tmp_path / "out", *chosen, sets="spring", models="dkt") == 0
        settings.write_text(json.dumps({"dkt": {"spring": small | {"hidden": 5}}}))

        assert run(data, tmp_path / "out", *chosen, sets="spring", models="dkt") == 1
        assert "other config" in capsys.readouterr().err

    def test_chooses_among_settings_by_validation_learners_alone(self, data, tmp_path, capsys):
        settings = tmp_path / "settings.json"
        settings.write_text(json.dumps({"pfa": {"spring": CANDIDATES}}))
        out = tmp_path / "out"

        more = ["--settings", str(settings), "--folds", "all"]
        assert run(data, out, *more, sets="spring", models="pfa") == 0

        row = json.loads((out / "table.json").read_text())["sets"]["spring"]["models"]["pfa"]
        for fold in range(5):
            runs = [
                RunFolder(out / "learner-split/spring/pfa" / f"fold-{fold}" / f"candidate-{number}")
                for number in range(2)
            ]
            losses = [run.metrics()["validation_log_loss"] for run in runs]
            best = int(np.argmin(losses))
            assert losses[0] != losses[1]
            assert row["chosen"][str(fold)] == f"candidate-{best}"
            assert row["folds"][str(fold)]["auc"] == runs[best].metrics()["auc"]
        assert "Settings chosen, fold by fold: pfa" in (out / "table.md").read_text()

    def test_leaves_out_a_fold_of_which_a_candidate_is_missing(self, data, tmp_path):
        settings = tmp_path / "settings.json"
        settings.write_text(json.dumps({"pfa": {"spring": CANDIDATES}}))
        out = tmp_path / "out"
        more = ["--settings", str(settings), "--folds", "0,1"]
        assert run(data, out, *more, sets="spring", models="pfa") == 0
        place = out / "learner-split" / "spring" / "pfa" / "fold-0" / "candidate-1"
        (place / "metrics.json").unlink()

        assert run(data, out, *more, "--collect", sets="spring", models="pfa") == 0

        row = json.loads((out / "table.json").read_text())["sets"]["spring"]["models"]["pfa"]
        assert list(row["folds"]) == ["1"]

    def test_drops_an_earlier_choice_where_there_is_none_any_more(self, data, tmp_path):
        settings, out = tmp_path / "settings.json", tmp_path / "out"
        settings.write_text(json.dumps({"pfa": {"spring": CANDIDATES}}))
        assert run(data, out, sets="spring", models="pfa") == 0
        more = ["--settings", str(settings)]
        assert run(data, out, *more, sets="spring", models="pfa") == 0
        place = out / "learner-split" / "spring" / "pfa" / "fold-0"
        assert chosen_run(place).path != place

        assert run(data, out, sets="spring", models="pfa") == 0

        assert chosen_run(place).path == place

    def test_takes_no_run_of_another_log_for_its_own(self, data, tmp_path, capsys):
        own = tmp_path / "data"
        own.mkdir()
        (own / "spring.csv").write_text((data / "spring.csv").read_text())
        assert run(own, tmp_path / "out", sets="spring", models="pfa") == 0
        (own / "spring.csv").write_text((data / "autumn.csv").read_text())

        assert run(own, tmp_path / "out", sets="spring", models="pfa") == 1
        assert "other log" in capsys.readouterr().err

    def test_refuses_a_model_before_anything_runs(self, data, tmp_path):
        assert run(data, tmp_path / "out", models="item-mean,oracle") == 1
        assert not (tmp_path / "out").exists()

    def test_collects_without_running(self, data, tmp_path, capsys):
        assert run(data, tmp_path, "--collect") == 0
        assert "nothing is finished yet" in capsys.readouterr().out
        assert not list(tmp_path.iterdir())


class TestPlan:
    def test_takes_the_first_fold_of_all_models_first(self, tmp_path):
        jobs = plan(
            tmp_path,
            sets=["a"],
            models=["pfa", "item-mean"],
            folds=[0, 1],
            protocol="learner-split",
            settings={},
        )

        assert [(job.fold, job.model) for job in jobs] == [
            (0, "pfa"),
            (0, "item-mean"),
            (1, "pfa"),
            (1, "item-mean"),
        ]

    def test_has_one_fold_of_a_split_by_time(self, tmp_path):
        jobs = plan(
            tmp_path, sets=["a"], models=["pfa"], folds=[0, 1], protocol="time-split", settings={}
        )

        assert [job.fold for job in jobs] == [0]

    def test_refuses_settings_that_the_model_has_not(self, tmp_path):
        jobs = plan(
            tmp_path,
            sets=["a"],
            models=["dkt"],
            folds=[0],
            protocol="learner-split",
            settings={"dkt": {"*": {"layers": 1}}},
        )

        with pytest.raises(ImpossibleSetting):
            list(jobs)

    def test_refuses_a_model_that_there_is_not(self, tmp_path):
        jobs = plan(tmp_path, sets=["a"], models=["x"], folds=[0], protocol="forecast", settings={})

        with pytest.raises(UnknownName):
            list(jobs)


@pytest.mark.parametrize("text", ["{", "[]", '{"dkt": 3}', '{"dkt": {"*": 3}}'])
def test_settings_must_be_by_model_and_set(tmp_path, text):
    (tmp_path / "settings.json").write_text(text)

    with pytest.raises(ImpossibleSetting, match=r"settings\.json"):
        read_settings(tmp_path / "settings.json")


class TestTable:
    @pytest.fixture
    def found(self, done):
        return tables.collect(
            done,
            protocol="learner-split",
            sets=["spring", "winter"],
            models=["pfa", "dkt"],
            seed=0,
        )

    def test_holds_mean_and_spread_of_the_folds_that_are_there(self, found, done):
        assert list(found) == ["spring"]
        assert found["spring"]["learners"] == 15
        row = found["spring"]["models"]["pfa"]
        aucs = [
            json.loads((path / "metrics.json").read_text())["auc"]
            for path in sorted((done / "learner-split" / "spring" / "pfa").glob("fold-*"))
        ]
        assert row["mean"]["auc"] == pytest.approx(np.mean(aucs))
        assert row["sd"]["auc"] == pytest.approx(np.std(aucs, ddof=1))
        assert [row["folds"][str(fold)]["auc"] for fold in range(5)] == aucs
        assert "dkt" not in found["spring"]["models"]

    def test_reads_as_a_table(self, found):
        lines = tables.table("spring", found["spring"])

        row = found["spring"]["models"]["pfa"]
        assert lines[0] == "**spring**: 330 answers, 15 learners, 15 items, 5 concepts."
        assert lines[4].startswith(
            f"| pfa | all | {row['mean']['auc']:.4f} ± {row['sd']['auc']:.4f} |"
        )

    def test_gives_an_interval_where_there_is_one_fold(self, data, tmp_path):
        run(data, tmp_path, "--folds", "2", sets="spring", models="pfa")
        found = tables.collect(
            tmp_path, protocol="learner-split", sets=["spring"], models=["pfa"], seed=0
        )

        only = found["spring"]["models"]["pfa"]["folds"]["2"]
        cell = f"| pfa | 2 | {only['auc']:.4f} ({only['auc_low']:.4f}–{only['auc_high']:.4f}) |"
        assert tables.table("spring", found["spring"])[4].startswith(cell)

    def test_goes_into_the_guides_in_place_of_an_earlier_one(self, data, done, tmp_path):
        docs = tmp_path / "docs"
        (docs / "benchmarks").mkdir(parents=True)
        page = docs / "benchmarks.md"
        page.write_text("# Benchmarks\n\n## One\n\nkept\n\n## Two\n\nkept too\n")

        for _ in range(2):
            assert run(data, done, "--collect", "--docs", str(docs)) == 0

        text = page.read_text()
        assert text.startswith("# Benchmarks\n\n## One\n\nkept\n\n## Two\n\nkept too\n")
        assert text.count(tables.HEADING) == text.count("**spring**") == 1
        result = json.loads((docs / "benchmarks" / "models.json").read_text())
        assert set(result["sets"]) == {"spring", "autumn"}
        assert result["command"].startswith("python -m kt_models benchmark --data DATA --out RUNS")
        assert "--docs docs --collect" in result["command"]
        for told in (text, json.dumps(result)):
            assert not any(str(path.parent) in told for path in (data, done, docs))

    def test_says_of_what_code_each_row_is_where_that_differs(self, data, tmp_path):
        run(data, tmp_path, sets="spring")
        one = tmp_path / "learner-split" / "spring" / "pfa" / "fold-0" / "run.json"
        described = json.loads(one.read_text())
        here = str(described["code"]["commit"])[:7]

        assert "commit" not in (tmp_path / "table.md").read_text()
        one.write_text(json.dumps(described | {"code": {"commit": "0123456789"}}))
        run(data, tmp_path, "--collect", sets="spring")

        lines = (tmp_path / "table.md").read_text().splitlines()
        assert next(line for line in lines if line.startswith("| pfa")).endswith("| 0123456 |")
        assert next(line for line in lines if line.startswith("| item")).endswith(f"| {here} |")
        assert {line.count("|") for line in lines if line.startswith("|")} == {10}

    def test_refuses_to_mix_seeds(self, data, tmp_path, capsys):
        run(data, tmp_path, sets="spring", models="item-mean")
        run(data, tmp_path, "--seed", "1", sets="spring", models="pfa")

        assert run(data, tmp_path, "--collect", sets="spring") == 1
        assert "pfa/fold-0 was run with seed 1, the table is of seed 0" in capsys.readouterr().err

    def test_keeps_the_sections_of_protocols_apart(self, tmp_path):
        page = tmp_path / "benchmarks.md"
        for protocol in ("learner-split", "forecast", "learner-split"):
            result = {"protocol": protocol, "seed": 0, "command": "c", "measured_at": "t"}
            tables.put_section(page, tables.section(result | {"sets": {}}))

        text = page.read_text()
        assert text.count(f"{tables.HEADING}\n") == 1
        assert text.count(f"{tables.HEADING}: forecast\n") == 1


def test_a_busy_folder_is_one_kind_of_clash(tmp_path):
    with RunFolder(tmp_path).lock(), pytest.raises(RunsClash), RunFolder(tmp_path).lock():
        pass
