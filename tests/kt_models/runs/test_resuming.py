"""A run whose process is killed goes on and ends with the very same result."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from kt_models.cli import main
from kt_models.streaming.psi_parameters import FilterParameters
from tests.kt_models.factories import simulated_log, write_log

EPOCHS = 10


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    log, _ = simulated_log(
        np.random.default_rng(0), FilterParameters(), learners=24, answers=20, items=10
    )
    return write_log(log, tmp_path_factory.mktemp("log") / "log.csv")


def line(command, path, out):
    settings = ["hidden=8", "width=4", f"training.epochs={EPOCHS}", f"training.patience={EPOCHS}"]
    sets = [word for text in settings for word in ("--set", text)]
    # Small batches make epochs long enough to be killed between two of them.
    small = ["--set", "training.positions=80"]
    return [command, "--log", str(path), "--model", "dkt", *sets, *small, "--out", str(out)]


@pytest.fixture(autouse=True)
def _one_thread():
    # How sums are split over threads changes their last digits.
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def start(arguments):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "kt_models", *arguments],
        env=environment,
        stderr=subprocess.DEVNULL,
    )


def kill_after(epochs, arguments, out):
    """Run a command in a process of its own and kill it when so many epochs are done."""
    with start(arguments) as process:
        while process.poll() is None:
            curves = out / "curves.json"
            if curves.is_file() and len(json.loads(curves.read_text())["steps"]) >= epochs:
                break
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert process.returncode == -signal.SIGKILL, "it ended before it could be killed"


@pytest.mark.slow
@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_kill_and_continue_gives_the_same_result(command, path, tmp_path, capsys):
    # What is not killed runs here: a process of its own takes seconds to load torch.
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert main(line(command, path, whole)) == 0

    kill_after(2, line(command, path, killed), killed)

    done = len(json.loads((killed / "curves.json").read_text())["steps"])
    assert 2 <= done < EPOCHS
    assert not (killed / "metrics.json").exists()
    assert main(line(command, path, killed)) == 1
    assert "--resume" in capsys.readouterr().err
    assert main([*line(command, path, killed), "--resume"]) == 0
    for name in ("checkpoint/weights.safetensors", "predictions.csv"):
        if (whole / name).exists():
            assert (killed / name).read_bytes() == (whole / name).read_bytes()
    results = [json.loads((out / "metrics.json").read_text()) for out in (whole, killed)]
    for result in results:
        assert result.pop("seconds") > 0.0
    assert results[0] == results[1]
    curves = [json.loads((out / "curves.json").read_text())["steps"] for out in (whole, killed)]
    told = ("step", "train_loss", "validation_log_loss", "validation_auc", "learning_rate")
    assert [[s[n] for n in told] for s in curves[0]] == [[s[n] for n in told] for s in curves[1]]


def test_a_finished_run_is_not_done_again_when_resumed(path, tmp_path):
    arguments = ["evaluate", "--log", str(path), "--model", "pfa", "--out", str(tmp_path / "run")]
    main(arguments)
    before = (tmp_path / "run" / "metrics.json").stat().st_mtime_ns

    assert main([*arguments, "--resume"]) == 0

    assert (tmp_path / "run" / "metrics.json").stat().st_mtime_ns == before
