"""The command line of kt_models: `train` fits a model on a log, `evaluate` compares models on it.

Exit codes: 0 done, 1 an anticipated failure told in one message, 2 a wrong command line.
"""

import argparse
import datetime as dt
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from kt_models import api
from kt_models.errors import KTModelError

ALL_MODELS = ("global-mean", "concept-mean", "item-mean", "pfa", "best-lr", "psi-filter")


class CannotWrite(KTModelError):
    """The folder for the results cannot be written to."""


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except KTModelError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m kt_models", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="train|evaluate")
    train = commands.add_parser("train", help="fit a model on a log and write it to a folder")
    train.set_defaults(run=_train)
    train.add_argument("--model", choices=["psi-filter"], default="psi-filter")
    train.add_argument("--out", type=Path, required=True, help="folder for the fitted model")
    evaluate = commands.add_parser("evaluate", help="compare models on held-out learners of a log")
    evaluate.set_defaults(run=_evaluate)
    evaluate.add_argument("--models", default=",".join(ALL_MODELS), help="names joined by commas")
    evaluate.add_argument("--test-share", type=_share, default=0.2, help="of the learners")
    evaluate.add_argument("--json", type=Path, help="write the figures to this file as well")
    for command in (train, evaluate):
        command.add_argument("--log", type=Path, required=True, help="CSV: learner,item,correct,…")
        command.add_argument("--seed", type=int, default=0)
    return parser


def _share(text: str) -> float:
    value = float(text)
    if not 0.0 < value < 1.0:
        raise argparse.ArgumentTypeError("must be between 0 and 1")
    return value


def _read(path: Path) -> api.ResponseLog:
    # disable=None: a bar on a terminal, silence in a pipe.
    with tqdm(unit=" rows", desc=f"reading {path.name}", disable=None, leave=False) as bar:
        log = api.read_csv(path, progress=lambda count: bar.update(count - bar.n))
    print(
        f"{len(log)} answers, {len(log.learner_keys)} learners, {len(log.item_keys)} items, "
        f"{len(log.concept_keys)} concepts"
    )
    return log


def _train(options: argparse.Namespace) -> None:
    log = _read(options.log)
    today = dt.datetime.now(tz=dt.UTC).date()  # noqa: TID251 - the command line is an interface
    with tqdm(total=100, desc="fitting psi-filter", unit="%", disable=None) as bar:
        fitted = api.fit_filter(log, seed=options.seed, fitted_on=today, progress=bar.update)
    path = options.out / "psi-filter.json"
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        api.save_filter(fitted, path)
    except OSError as error:
        raise CannotWrite(f"{path}: {error.strerror or error}.") from error
    print(f"log loss {fitted.provenance['log_loss']:.4f} on the log itself; wrote {path}")


def _evaluate(options: argparse.Namespace) -> None:
    from kt_models.evaluation.prequential import compare_models  # noqa: PLC0415

    names = [name.strip() for name in options.models.split(",") if name.strip()]
    log = _read(options.log)
    with tqdm(total=len(names), desc="comparing", unit=" models", disable=None) as bar:

        def turn(name: str) -> None:
            bar.set_postfix_str(name)
            bar.update(1)

        found = compare_models(
            log, models=names, seed=options.seed, test_share=options.test_share, progress=turn
        )
    print(
        f"Fitted on {len(found.train.learner_keys)} learners; {len(found.test)} answers of "
        f"{len(found.test.learner_keys)} others, each predicted from that learner's earlier ones."
    )
    print(f"{'model':14}{'AUC':>8} 95 % interval   {'log loss':>8} 95 % interval   Brier   ECE")
    for s in found.scores:
        print(
            f"{s.model:14}{s.auc.value:8.4f} {s.auc.low:.4f}–{s.auc.high:.4f}   "
            f"{s.log_loss.value:8.4f} {s.log_loss.low:.4f}–{s.log_loss.high:.4f}   "
            f"{s.brier.value:.4f}  {s.calibration_error:.4f}"
        )
    if options.json is not None:
        _write_json(options.json, found)


def _write_json(path: Path, found: Any) -> None:
    figures = {
        s.model: {
            "auc": [s.auc.value, s.auc.low, s.auc.high],
            "log_loss": [s.log_loss.value, s.log_loss.low, s.log_loss.high],
            "brier": [s.brier.value, s.brier.low, s.brier.high],
            "calibration_error": s.calibration_error,
        }
        for s in found.scores
    }
    try:
        path.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise CannotWrite(f"{path}: {error.strerror or error}.") from error
