"""Many evaluations, one folder each: sets x folds x models; what is done is left alone."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kt_models.data.csv_log import LogUnreadable, read_csv
from kt_models.data.log import ResponseLog
from kt_models.data.research_logs import RESEARCH_LOGS
from kt_models.errors import ImpossibleSetting
from kt_models.runs.files import write_json, writing
from kt_models.runs.folder import RunFolder
from kt_models.runs.making_models import Settings, config_of, make_model

EVERY_SET = "*"
CANDIDATES = "candidates.json"


@dataclass(frozen=True, slots=True)
class Job:
    """One evaluation of a benchmark.

    Attributes:
        set_name: of the log.
        fold: whose learners are tested.
        model: its name.
        settings: laid over the model's usual configuration.
        folder: of the run.
        candidates: how many settings this fold's are chosen among; 0 where there is no choice.
    """

    set_name: str
    fold: int
    model: str
    settings: Settings
    folder: RunFolder
    candidates: int = 0

    def note_candidates(self) -> None:
        """Say beside the runs of a fold among how many the choice is, so that none is missing.

        Where there is no choice, what was noted of an earlier one is dropped.
        """
        place = self.folder.path.parent if self.candidates else self.folder.path
        with writing(place):
            if not self.candidates:
                (place / CANDIDATES).unlink(missing_ok=True)
                return
            place.mkdir(parents=True, exist_ok=True)
            write_json(place / CANDIDATES, {"candidates": self.candidates})

    def done(self, *, seed: int, log_sha256: str) -> bool:
        """Return whether the folder holds this evaluation of this very log, finished."""
        if not self.folder.finished:
            return False
        found = self.folder.description()
        config = json.loads(json.dumps(config_of(make_model(self.model, self.settings))))
        own = (self.model, config, seed, log_sha256)
        return (found.model, found.config, found.seed, found.log.get("sha256")) == own


def plan(
    out: Path,
    *,
    sets: Sequence[str],
    models: Sequence[str],
    folds: Sequence[int],
    protocol: str,
    settings: Mapping[str, Mapping[str, Settings | Sequence[Settings]]],
) -> Iterator[Job]:
    """Yield the jobs, the first fold of all models before the second of any.

    Where several settings are given, each is a job, and `chosen_run` takes one of them fold by
    fold, by the validation learners of that fold alone.

    Args:
        out: folder of all runs.
        sets: names of the logs.
        models: names of the models.
        folds: numbers of the folds.
        protocol: its name; a split by time has one fold.
        settings: by model, then by set or `*` for all others; a list holds candidates.

    Raises:
        UnknownName: there is no such model.
        ImpossibleSetting: a model has no such setting.
    """
    for set_name in sets:
        for fold in folds if protocol != "time-split" else folds[:1]:
            for model in models:
                own = settings.get(model, {})
                chosen = own.get(set_name, own.get(EVERY_SET, {}))
                path = folder_of(out, protocol, set_name, model) / f"fold-{fold}"
                if isinstance(chosen, Mapping):
                    make_model(model, chosen)
                    yield Job(set_name, fold, model, chosen, RunFolder(path))
                    continue
                for number, one in enumerate(chosen):
                    make_model(model, one)
                    place = RunFolder(path / f"candidate-{number}")
                    yield Job(set_name, fold, model, one, place, candidates=len(chosen))


def chosen_run(fold: Path) -> RunFolder | None:
    """Return the finished run of a fold: the only one, or the best of its candidates.

    The best is that of the lowest log loss on the validation learners, who are none of those
    tested; of equals the first. None if one of them is still missing.

    Args:
        fold: folder of a fold, as `plan` lays it out.

    Raises:
        RunUnreadable: a file of a run is damaged.
    """
    if not (fold / CANDIDATES).is_file():
        only = RunFolder(fold)
        return only if only.finished else None
    count = int(RunFolder(fold).read(CANDIDATES)["candidates"])
    runs = [RunFolder(fold / f"candidate-{number}") for number in range(count)]
    if not all(run.finished for run in runs):
        return None
    return min(runs, key=lambda run: float(run.metrics()["validation_log_loss"]))


def folder_of(out: Path, protocol: str, set_name: str, model: str) -> Path:
    """Return the folder of a model's folds on a set."""
    return out / protocol / set_name / model


def log_path(data: Path, set_name: str) -> Path:
    """Return where a set lies: a research set's folder, or a CSV in the project's format.

    Raises:
        LogUnreadable: there is neither.
    """
    csv = data / f"{set_name}.csv"
    if set_name in RESEARCH_LOGS and (data / set_name).is_dir():
        return data / set_name
    if csv.is_file():
        return csv
    known = ", ".join(RESEARCH_LOGS)
    raise LogUnreadable(f"{data} holds neither {csv.name} nor a research set of the name: {known}.")


def read_set(data: Path, set_name: str) -> ResponseLog:
    """Return the log of a set.

    Raises:
        LogUnreadable: it is not there, or cannot be read.
    """
    path = log_path(data, set_name)
    return RESEARCH_LOGS[set_name](path) if path.is_dir() else read_csv(path)


def read_settings(path: Path) -> Mapping[str, Mapping[str, Settings | Sequence[Settings]]]:
    """Return settings from a JSON file: model -> set or `*` -> settings, or a list to choose from.

    Raises:
        ImpossibleSetting: the file cannot be read, or is not so.
    """
    try:
        values: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ImpossibleSetting(f"{path}: {error}.") from error
    whole = isinstance(values, dict) and all(
        isinstance(of_set, dict) and all(_settings(one) for one in of_set.values())
        for of_set in values.values()
    )
    if not whole:
        advice = '{"dkt": {"*": {"hidden": 64}}}'
        raise ImpossibleSetting(f"{path}: write model -> set or * -> settings, as {advice}.")
    found: Mapping[str, Mapping[str, Settings | Sequence[Settings]]] = values
    return found


def _settings(value: object) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(one, dict) for one in value)
    return isinstance(value, dict)
