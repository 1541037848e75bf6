"""The folder of a run: who may write into it, what counts as finished, what survives a kill."""

import dataclasses
import json
import subprocess
import sys

import pytest

from kt_models.runs.description import Description
from kt_models.runs.files import CannotWrite
from kt_models.runs.folder import RunFolder, RunsClash, RunUnreadable, find_runs

ASKED = Description(
    kind="train",
    model="dkt",
    config={"hidden": 8, "sizes": (1, 2)},
    seed=0,
    log={"name": "log.csv", "sha256": "abc"},
    protocol={},
    code={"commit": "123"},
    libraries={},
    command="python -m kt_models train",
    started_at="2026-01-01T00:00:00+00:00",
)


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path / "runs" / "one")


def begun(folder, *, finished=False):
    folder.begin(ASKED, resume=False)
    folder.add_step(1, {"loss": 0.7})
    folder.fit.mkdir()
    (folder.fit / "resume.pt").write_bytes(b"half way")
    if finished:
        folder.finish({"auc": 0.8})


class TestBegin:
    def test_writes_what_was_asked_and_how_to_ask_again(self, folder):
        assert folder.begin(ASKED, resume=False)

        assert folder.description().differences(ASKED) == []
        assert (folder.path / "command.txt").read_text() == "python -m kt_models train\n"
        assert not folder.finished

    def test_goes_on_with_a_killed_run_only_when_told(self, folder):
        begun(folder)

        with pytest.raises(RunsClash, match="--resume"):
            folder.begin(ASKED, resume=False)
        assert folder.begin(ASKED, resume=True)
        assert (folder.fit / "resume.pt").read_bytes() == b"half way"

    def test_leaves_a_finished_run_alone_when_resuming_and_repeats_it_otherwise(self, folder):
        begun(folder, finished=True)

        assert not folder.begin(ASKED, resume=True)
        assert folder.metrics() == {"auc": 0.8}
        assert folder.begin(ASKED, resume=False)
        assert not folder.finished
        assert folder.curves() == []

    @pytest.mark.parametrize("replace", [True, False])
    def test_leaves_alone_what_no_run_wrote(self, folder, replace):
        folder.checkpoint.mkdir(parents=True)
        mine = folder.checkpoint / "mine.txt"
        mine.write_text("x")

        with pytest.raises(RunsClash, match=r"no run \(checkpoint\); name a new or an empty"):
            folder.begin(ASKED, resume=False, replace=replace)
        assert mine.read_text() == "x"

    def test_begins_where_a_run_was_killed_before_it_said_what_it_is(self, folder):
        folder.path.mkdir(parents=True)
        (folder.path / "run.json.part").write_text("{")

        with folder.lock():
            assert folder.begin(ASKED, resume=False)

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"seed": 1}, "other seed"),
            ({"config": {"hidden": 9}}, "other config"),
            ({"log": {"name": "log.csv", "sha256": "abd"}}, "other log"),
            ({"model": "akt", "protocol": {"fold": 1}}, "other model, protocol"),
        ],
    )
    @pytest.mark.parametrize("resume", [True, False])
    def test_never_mixes_two_runs(self, folder, change, said, resume):
        begun(folder, finished=True)

        with pytest.raises(RunsClash, match=said):
            folder.begin(dataclasses.replace(ASKED, **change), resume=resume)
        assert folder.metrics() == {"auc": 0.8}

    def test_drops_another_run_when_told(self, folder):
        begun(folder, finished=True)
        (folder.path / "notes.txt").write_text("mine")
        other = dataclasses.replace(ASKED, seed=1)

        assert folder.begin(other, resume=False, replace=True)

        assert folder.description().seed == 1
        assert not folder.finished
        assert not folder.fit.exists()
        assert (folder.path / "notes.txt").read_text() == "mine"

    def test_other_code_does_not_make_it_another_run(self, folder):
        begun(folder)

        assert folder.begin(
            dataclasses.replace(ASKED, code={"commit": "456"}, command="again"), resume=True
        )

    def test_says_what_cannot_be_written(self, tmp_path):
        (tmp_path / "file").write_text("")

        with pytest.raises(CannotWrite, match="file"):
            RunFolder(tmp_path / "file" / "run").begin(ASKED, resume=False)


class TestCurves:
    def test_keep_steps_in_order_and_replace_those_done_again(self, folder):
        begun(folder)
        for step in (2, 3, 4):
            folder.add_step(step, {"loss": 0.1 * step})

        folder.add_step(3, {"loss": 9.0})

        assert [(s["step"], s["loss"]) for s in folder.curves()] == [(1, 0.7), (2, 0.2), (3, 9.0)]


class TestFinish:
    def test_keeps_the_figures_and_drops_what_was_for_resuming(self, folder):
        begun(folder, finished=True)

        assert folder.finished
        assert not folder.fit.exists()

    def test_refuses_figures_that_are_not_numbers(self, folder):
        begun(folder)

        with pytest.raises(ValueError, match="JSON"):
            folder.finish({"auc": float("nan")})
        assert not folder.finished


class TestLock:
    def test_keeps_a_second_process_out_until_the_first_is_gone(self, folder):
        code = (
            "import sys, pathlib; from kt_models.runs.folder import RunFolder\n"
            f"with RunFolder(pathlib.Path({str(folder.path)!r})).lock():\n"
            "    print('in', flush=True); sys.stdin.read()"
        )
        with subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as other:
            assert other.stdout.readline() == b"in\n"

            with pytest.raises(RunsClash, match="Another process"), folder.lock():
                pass
            other.kill()
            other.wait()

        with folder.lock():
            assert folder.path.is_dir()


class TestReading:
    def test_says_what_is_no_run(self, folder, tmp_path):
        with pytest.raises(RunUnreadable, match="is it a run"):
            folder.description()
        begun(folder)
        (folder.path / "run.json").write_text("{")
        with pytest.raises(RunUnreadable, match=r"run\.json"):
            folder.description()
        (folder.path / "run.json").write_text(json.dumps({"format": 99}))
        with pytest.raises(RunUnreadable, match="format 1"):
            folder.description()

    def test_finds_runs_at_any_depth(self, folder, tmp_path):
        begun(folder)
        RunFolder(tmp_path / "runs" / "b" / "fold-0").begin(ASKED, resume=False)

        assert [run.path.name for run in find_runs(tmp_path)] == ["fold-0", "one"]
