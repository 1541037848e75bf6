"""`evaluate`: fit models and judge them on answers of a log that they have not learnt from."""

import argparse
import dataclasses
import tempfile
from pathlib import Path
from typing import Any

from kt_models.commands.common import (
    FIGURES_HEAD,
    described,
    evaluation_command,
    figures_line,
    fitting_bar,
    manner_of,
    now,
    read_log,
)
from kt_models.data.log import ResponseLog
from kt_models.errors import ImpossibleSetting
from kt_models.evaluation.protocols import Trial, trial_of
from kt_models.models import MODELS
from kt_models.runs.execution import Request, evaluate
from kt_models.runs.making_models import make_model, parse_settings

# What is fitted in seconds; compared where no model is named.
QUICK = ("majority", "concept-mean", "item-mean", "bkt", "pfa", "logistic", "elo", "psi-filter")


def run(options: argparse.Namespace) -> None:
    """Evaluate one model into a folder, or several beside each other.

    Raises:
        KTModelError: the log, a name, the settings or the folder do not do.
    """
    if options.model is not None:
        if options.out is None:
            raise ImpossibleSetting("evaluate --model NAME needs --out DIR for its results.")
        _evaluate(options, {options.model: options.out})
    elif options.out is not None:
        _evaluate(options, {name: options.out / name for name in _several(options)})
    else:
        with tempfile.TemporaryDirectory() as folder:
            _evaluate(options, {name: Path(folder) / name for name in _several(options)})


def _several(options: argparse.Namespace) -> tuple[str, ...]:
    return options.models or tuple(name for name in QUICK if name in MODELS)


def _evaluate(options: argparse.Namespace, places: dict[str, Path]) -> None:
    settings = parse_settings(options.settings)
    for name in places:
        # Before an hour of fitting, not after: is there such a model, with such settings?
        make_model(name, settings)
    log = read_log(options.log)
    print(described(log))
    trial = trial_of(
        log, options.protocol, fold=options.fold, folds=options.folds, seed=options.seed
    )
    print(
        f"{options.protocol}: fitted on {len(trial.train.learner_keys)} learners; "
        f"{int(trial.scored.sum())} answers of {len(trial.test.learner_keys)} learners are scored"
    )
    print(FIGURES_HEAD)
    for name, place in places.items():
        print(figures_line(_one(options, name, place, log, trial)), flush=True)
    if options.out is not None:
        print(f"wrote {options.out}")


def _one(
    options: argparse.Namespace, name: str, place: Path, log: ResponseLog, trial: Trial
) -> dict[str, Any]:
    protocol = protocol_of(options.protocol, fold=options.fold, folds=options.folds)
    request = Request(
        model=name,
        log=log,
        log_name=options.log.name,
        seed=options.seed,
        command="",
        started_at=now(),
        settings=parse_settings(options.settings),
    )
    again = evaluation_command(
        request, log=options.log, protocol=protocol, resamples=options.resamples, out=place
    )
    request = dataclasses.replace(request, command=again)
    with fitting_bar(f"fitting {name}") as show:
        return evaluate(
            place,
            request,
            trial,
            protocol,
            manner_of(options, show),
            resamples=options.resamples,
        )


def protocol_of(name: str, *, fold: int, folds: int) -> dict[str, Any]:
    """Return how a trial was made, for the description of its run."""
    # A split by time has no folds.
    return (
        {"protocol": name}
        if name == "time-split"
        else {
            "protocol": name,
            "fold": fold,
            "folds": folds,
        }
    )
