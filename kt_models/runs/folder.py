"""The folder of one run: what was asked for, how it went, what came of it.

run.json          model, configuration, seed, hash of the log, protocol, version of the code
command.txt       one command that repeats it
curves.json       one entry per step of the fit
fit/              what a killed fit needs to go on; gone when the run is over
checkpoint/       the fitted model
predictions.csv   and .npz, of an evaluation
metrics.json      the figures; written last, so a folder that has it is a finished run
"""

import contextlib
import dataclasses
import fcntl
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kt_models.errors import KTModelError
from kt_models.runs.description import Description
from kt_models.runs.files import write_json, write_text, writing

FORMAT = 1
RUN, COMMAND, CURVES, METRICS = "run.json", "command.txt", "curves.json", "metrics.json"
PREDICTIONS = ("predictions.npz", "predictions.csv")
# What a run leaves that was killed before it had said what it is.
EMPTY = {"lock", f"{RUN}.part"}


class RunsClash(KTModelError):
    """A folder holds another run, or another process is at work in it."""


class FolderBusy(RunsClash):
    """Another process is at work in the folder."""


class RunUnreadable(KTModelError):
    """A folder is no run, or what it holds is damaged."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folder of a run."""

    path: Path

    @property
    def fit(self) -> Path:
        """Where the fit keeps what it needs to go on."""
        return self.path / "fit"

    @property
    def checkpoint(self) -> Path:
        """Where the fitted model is saved."""
        return self.path / "checkpoint"

    @property
    def finished(self) -> bool:
        """Whether the run came to its end."""
        return (self.path / METRICS).is_file()

    def begin(self, description: Description, *, resume: bool, replace: bool = False) -> bool:
        """Claim the folder for a run and return whether there is anything left to do.

        A finished run is repeated, unless `resume` asks to leave alone what is done.

        Args:
            description: of the run.
            resume: go on with an equal run that was killed.
            replace: drop whatever run is there.

        Raises:
            RunsClash: another run is there, or an equal one that was killed, and neither is asked;
                or files that are no run's.
            CannotWrite: the folder cannot be written to.
        """
        self._require_run_or_empty()
        if (self.path / RUN).is_file() and not replace:
            differs = description.differences(self.description())
            if differs:
                what = ", ".join(differs)
                msg = f"{self.path} holds a run with other {what}"
                raise RunsClash(f"{msg}; name another folder, or add --replace.")
            if resume:
                return not self.finished
            if not self.finished:
                msg = f"{self.path} holds a run that did not finish"
                raise RunsClash(f"{msg}; add --resume to go on, or --replace to begin anew.")
        with writing(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            if (self.path / RUN).is_file():
                self._clear()
            # First, because it says that what else comes here is a run's and may be cleared.
            write_json(self.path / RUN, {"format": FORMAT} | dataclasses.asdict(description))
            write_text(self.path / COMMAND, description.command + "\n")
        return True

    def _require_run_or_empty(self) -> None:
        if (self.path / RUN).is_file() or not self.path.is_dir():
            return
        with writing(self.path):
            strange = sorted(path.name for path in self.path.iterdir() if path.name not in EMPTY)
        if strange:
            msg = f"{self.path} holds files but no run ({', '.join(strange[:3])})"
            raise RunsClash(f"{msg}; name a new or an empty folder.")

    def _clear(self) -> None:
        for name in (METRICS, COMMAND, CURVES, *PREDICTIONS):
            (self.path / name).unlink(missing_ok=True)
        for folder in (self.fit, self.checkpoint):
            shutil.rmtree(folder, ignore_errors=True)
        # Last: a folder without it is nobody's to clear.
        (self.path / RUN).unlink(missing_ok=True)

    def description(self) -> Description:
        """Return what the run was asked to do.

        Raises:
            RunUnreadable: there is no run, or of another format.
        """
        values = self.read(RUN)
        names = [field.name for field in dataclasses.fields(Description)]
        if values.get("format") != FORMAT or not set(names) <= set(values):
            msg = f"{self.path / RUN}: not a run of format {FORMAT}, which this code reads."
            raise RunUnreadable(msg)
        return Description(**{name: values[name] for name in names})

    def metrics(self) -> dict[str, Any]:
        """Return the figures of a finished run.

        Raises:
            RunUnreadable: it is not finished, or the file is damaged.
        """
        return self.read(METRICS)

    def curves(self) -> list[dict[str, float]]:
        """Return one entry per step of the fit; none where the model reports none."""
        return list(self.read(CURVES)["steps"]) if (self.path / CURVES).is_file() else []

    def add_step(self, done: int, figures: Mapping[str, float]) -> None:
        """Keep the figures of a step, in place of earlier ones of it and of those after."""
        before = [step for step in self.curves() if step["step"] < done]
        with writing(self.path):
            write_json(self.path / CURVES, {"steps": [*before, {"step": done, **figures}]})

    def finish(self, metrics: Mapping[str, Any]) -> None:
        """Write the figures, which makes it a finished run, and drop what was for resuming."""
        with writing(self.path):
            write_json(self.path / METRICS, dict(metrics))
            shutil.rmtree(self.fit, ignore_errors=True)

    def read(self, name: str) -> dict[str, Any]:
        """Return the JSON object in a file of the folder.

        Raises:
            RunUnreadable: there is none, or it is damaged.
        """
        path = self.path / name
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise RunUnreadable(f"{path}: {error.strerror or error}; is it a run?") from error
        except ValueError as error:
            raise RunUnreadable(f"{path}: {error}.") from error
        if not isinstance(values, dict):
            raise RunUnreadable(f"{path}: not a JSON object.")
        return values

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes out of the folder until the block ends, or this process does.

        Raises:
            FolderBusy: another process is at work in it.
            CannotWrite: the folder cannot be made.
        """
        with writing(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            file = (self.path / "lock").open("w", encoding="utf-8")
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise FolderBusy(f"Another process is at work in {self.path}.") from error
            yield


def find_runs(root: Path) -> list[RunFolder]:
    """Return the runs in a folder and below it, by path."""
    return [RunFolder(path.parent) for path in sorted(root.rglob(RUN))]
