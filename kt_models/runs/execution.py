"""Carrying out a run: fit, predict, measure, and leave all of it in the run's folder."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kt_models.data.log import ResponseLog
from kt_models.evaluation.figures import ScoredAnswers, figures_of
from kt_models.evaluation.metrics import OneKindOfAnswer
from kt_models.evaluation.protocols import Trial, run_trial
from kt_models.evaluation.resampling import RESAMPLES
from kt_models.models.base import AbstractModel, Fitting, Step
from kt_models.models.network import NetworkModel
from kt_models.runs.code_version import code_version, device_name, library_versions
from kt_models.runs.description import Description
from kt_models.runs.files import writing
from kt_models.runs.folder import RunFolder
from kt_models.runs.making_models import Settings, config_of, make_model
from kt_models.runs.predictions import write_answers
from kt_models.saved_models import save_model

Progress = Callable[[Step], object]


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be run, and how to say so again.

    Attributes:
        model: its name.
        log: the answers of all learners.
        log_name: where they are from.
        seed: of everything random.
        command: repeats the run.
        started_at: ISO 8601, UTC.
        settings: laid over the model's usual configuration.
    """

    model: str
    log: ResponseLog
    log_name: str
    seed: int
    command: str
    started_at: str
    settings: Settings = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Manner:
    """How a run treats what its folder holds already.

    Attributes:
        resume: go on with an equal run that was killed, and leave a finished one alone.
        replace: drop whatever run is there.
        progress: told of every step of the fit.
    """

    resume: bool = False
    replace: bool = False
    progress: Progress | None = None


def train(path: Path, request: Request, manner: Manner = Manner()) -> dict[str, Any]:
    """Fit a model on a whole log, save it, and return what was measured on the way.

    Raises:
        RunsClash: the folder holds a run that stands in the way, or a process at work.
        CannotWrite: the folder cannot be written to.
        KTModelError: whatever the model raises; nothing is half written.
    """
    model, folder = make_model(request.model, request.settings), RunFolder(path)
    with folder.lock():
        if not folder.begin(
            _description(request, model, kind="train", protocol={}),
            resume=manner.resume,
            replace=manner.replace,
        ):
            return folder.metrics()
        steps = _Steps(folder, manner.progress)
        began = time.perf_counter()
        model.fit(request.log, _fitting(folder, request, steps))
        metrics = _common(request, model, time.perf_counter() - began, steps)
        _keep(folder, request, model, metrics)
        folder.finish(metrics)
    return metrics


def evaluate(
    path: Path,
    request: Request,
    trial: Trial,
    protocol: Mapping[str, Any],
    manner: Manner = Manner(),
    *,
    resamples: int = RESAMPLES,
) -> dict[str, Any]:
    """Fit a model on a trial's training answers, predict and measure; return the figures.

    Args:
        path: the folder of the run.
        request: what to run.
        trial: of the request's log.
        protocol: name and numbers that the trial was made by, for the description.
        manner: what to do about what is in the folder.
        resamples: of the bootstrap by learner.

    Raises:
        RunsClash: the folder holds a run that stands in the way, or a process at work.
        CannotWrite: the folder cannot be written to.
        OneKindOfAnswer: the scored answers are all right or all wrong; nothing is fitted.
        KTModelError: whatever the model or a metric raises; nothing is half written.
    """
    _require_both_kinds(trial)
    model, folder = make_model(request.model, request.settings), RunFolder(path)
    with folder.lock():
        if not folder.begin(
            _description(request, model, kind="evaluate", protocol=protocol),
            resume=manner.resume,
            replace=manner.replace,
        ):
            return folder.metrics()
        steps = _Steps(folder, manner.progress)
        done = run_trial(trial, lambda: model, _fitting(folder, request, steps))
        answers = ScoredAnswers.of(done)
        figures = figures_of(answers, seed=request.seed, resamples=resamples)
        metrics = figures.to_dict() | _common(request, model, done.seconds, steps)
        metrics |= dict(protocol) | {
            "training_learners": len(trial.train.learner_keys),
            "answers_sha256": answers.sha256(),
        }
        _keep(folder, request, model, metrics)
        write_answers(path, trial.test, answers)
        folder.finish(metrics)
    return metrics


def _require_both_kinds(trial: Trial) -> None:
    right = trial.test.correct[trial.scored] > 0.5
    if len(right) and right.all() == right.any():
        msg = f"All {len(right)} answers to be scored are {'right' if right[0] else 'wrong'}"
        raise OneKindOfAnswer(
            f"{msg}; AUC needs both right and wrong ones: take another fold or protocol."
        )


def _description(
    request: Request,
    model: AbstractModel,
    *,
    kind: str,
    protocol: Mapping[str, Any],
) -> Description:
    log = request.log
    return Description(
        kind=kind,
        model=request.model,
        config=config_of(model),
        seed=request.seed,
        log={
            "name": request.log_name,
            "sha256": log.sha256(),
            "answers": len(log),
            "learners": len(log.learner_keys),
            "items": len(log.item_keys),
            "concepts": len(log.concept_keys),
        },
        protocol=protocol,
        code=code_version(),
        libraries=library_versions(),
        command=request.command,
        started_at=request.started_at,
    )


class _Steps:
    """Keeps the curves of a fit while it runs."""

    def __init__(self, folder: RunFolder, progress: Progress | None) -> None:
        self.folder, self.progress, self.reported = folder, progress, 0

    def __call__(self, step: Step) -> None:
        self.reported += 1
        if step.figures:
            self.folder.add_step(step.done, step.figures)
        if self.progress is not None:
            self.progress(step)


def _fitting(folder: RunFolder, request: Request, steps: _Steps) -> Fitting:
    return Fitting(seed=request.seed, folder=folder.fit, progress=steps)


def _common(
    request: Request, model: AbstractModel, seconds: float, steps: _Steps
) -> dict[str, Any]:
    metrics: dict[str, Any] = {
        "model": request.model,
        "seed": request.seed,
        "seconds": seconds,
        "device": device_name(),
        "validation_log_loss": model.validation_log_loss,
    }
    if isinstance(model, NetworkModel):
        epochs, best = model.history.epochs, model.history.best
        # Those before a kill were not reported this time, but they were paid for.
        earlier = epochs[: max(len(epochs) - steps.reported, 0)]
        metrics["seconds"] += sum(epoch["seconds"] for epoch in earlier)
        metrics |= {"epochs": len(epochs), "best_epoch": best + 1}
        metrics["validation_auc"] = epochs[best]["validation_auc"]
    return metrics


def _keep(
    folder: RunFolder,
    request: Request,
    model: AbstractModel,
    metrics: Mapping[str, Any],
) -> None:
    """Save the model and what it told on the way."""
    if isinstance(model, NetworkModel):
        # A fit that went on after a kill did not report the epochs before it once more.
        for number, figures in enumerate(model.history.epochs, start=1):
            folder.add_step(number, figures)
    told = {name: value for name, value in metrics.items() if not isinstance(value, list)}
    log = request.log
    provenance = {
        "log_sha256": log.sha256(),
        "learners": len(log.learner_keys),
        "answers": len(log),
        "seed": request.seed,
        "code": code_version(),
        "metrics": told,
    }
    with writing(folder.checkpoint):
        save_model(model, folder.checkpoint, provenance=provenance)
