"""What the commands share: reading a log, bars on a terminal, the clock, how to say it again."""

import argparse
import contextlib
import datetime as dt
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from kt_models.data.csv_log import LogUnreadable, read_csv
from kt_models.data.log import ResponseLog
from kt_models.data.research_logs import RESEARCH_LOGS
from kt_models.models.base import Step
from kt_models.runs.execution import Manner, Progress, Request
from kt_models.runs.making_models import written_settings


def read_log(path: Path) -> ResponseLog:
    """Return the log in a CSV of the project's format, or in the folder of a research set.

    Raises:
        LogUnreadable: neither, or it cannot be read.
    """
    if not path.is_dir():
        # disable=None: a bar on a terminal, silence in a pipe.
        with tqdm(unit=" rows", desc=f"reading {path.name}", disable=None, leave=False) as bar:
            return read_csv(path, progress=lambda count: bar.update(count - bar.n))
    whole = path.resolve().as_posix()
    for name, read in RESEARCH_LOGS.items():
        if whole.endswith(f"/{name}"):
            return read(path)
    known = ", ".join(RESEARCH_LOGS)
    raise LogUnreadable(f"{path}: a folder, but not one of the research sets {known}.")


def described(log: ResponseLog) -> str:
    """Return one line on how much a log holds."""
    return (
        f"{len(log)} answers, {len(log.learner_keys)} learners, {len(log.item_keys)} items, "
        f"{len(log.concept_keys)} concepts"
    )


def now() -> str:
    """Return the moment as ISO 8601 in UTC."""
    moment = dt.datetime.now(tz=dt.UTC)  # noqa: TID251 - the command line is an interface
    return moment.isoformat(timespec="seconds")


def command_line(arguments: Sequence[str]) -> str:
    """Return the command that does this again, whatever is in the folder then."""
    kept = [text for text in arguments if text not in ("--resume", "--replace")]
    return shlex.join(["python", "-m", "kt_models", *kept])


def evaluation_command(
    request: Request, *, log: Path, protocol: Mapping[str, Any], resamples: int, out: Path
) -> str:
    """Return the command that does one evaluation again."""
    words = ["evaluate", "--log", str(log), "--model", request.model, "--seed", str(request.seed)]
    words += ["--protocol", protocol["protocol"]]
    for name in ("fold", "folds"):
        if name in protocol:
            words += [f"--{name}", str(protocol[name])]
    for text in written_settings(request.settings):
        words += ["--set", text]
    return command_line([*words, "--resamples", str(resamples), "--out", str(out)])


def manner_of(options: argparse.Namespace, progress: Progress | None = None) -> Manner:
    """Return what a command was told to do about what its folder holds."""
    return Manner(resume=options.resume, replace=options.replace, progress=progress)


@contextlib.contextmanager
def fitting_bar(what: str) -> Iterator[Callable[[Step], object]]:
    """Show the steps of a fit on a terminal."""
    with tqdm(desc=what, unit=" steps", disable=None, leave=False) as bar:

        def show(step: Step) -> None:
            # A model that is fitted once more with everybody begins at 1 again.
            if step.done < bar.n:
                bar.reset()
            bar.total = step.total
            loss = step.figures.get("validation_log_loss")
            if loss is not None:
                bar.set_postfix_str(f"validation log loss {loss:.4f}", refresh=False)
            bar.update(step.done - bar.n)

        yield show


def figures_line(metrics: dict[str, Any]) -> str:
    """Return one line of the figures that a run reached; `FIGURES_HEAD` stands above."""

    def interval(name: str) -> str:
        low, high = metrics[f"{name}_low"], metrics[f"{name}_high"]
        return f"{metrics[name]:8.4f} {low:.4f}–{high:.4f}   "

    return (
        f"{metrics['model']:14}{interval('auc')}{interval('log_loss')}{metrics['brier']:.4f}  "
        f"{metrics['calibration_error']:.4f}  {metrics['accuracy']:.4f}  {metrics['seconds']:9.1f}"
    )


FIGURES_HEAD = (
    f"{'model':14}{'AUC':>8} 95 % interval   {'log loss':>8} 95 % interval   "
    f"{'Brier':6}  {'ECE':6}  accuracy  seconds"
)
