"""The command line of kt_models.

    train       fit a model on a log
    evaluate    fit models and judge them on answers that they have not learnt from
    benchmark   the same over several sets, models and folds; goes on where it was killed
    runs        list, compare and plot what the others left; learning curves

Exit codes: 0 done, 1 an anticipated failure told in one message, 2 a wrong command line,
130 stopped from the keyboard.
"""

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from kt_models.errors import KTModelError

PROTOCOLS = ("learner-split", "time-split", "forecast", "cold-start")
FOLDS = 5


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    options = parser().parse_args(arguments)
    options.arguments = tuple(arguments)
    try:
        # Only the command that was asked for loads what it needs, which may be torch.
        importlib.import_module(f"kt_models.commands.{options.command}").run(options)
    except KTModelError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; the same command with --resume goes on.", file=sys.stderr)
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    whole = argparse.ArgumentParser(
        prog="python -m kt_models",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = whole.add_subparsers(required=True, metavar="train|evaluate|benchmark|runs")
    _add_train(commands.add_parser("train", help="fit a model on a log and keep it in a folder"))
    _add_evaluate(commands.add_parser("evaluate", help="judge models on held-out answers of a log"))
    _add_benchmark(commands.add_parser("benchmark", help="sets x models x folds, and their table"))
    _add_runs(commands.add_parser("runs", help="list, compare, plot; learning curves"))
    return whole


def _add_train(train: argparse.ArgumentParser) -> None:
    train.set_defaults(command="train")
    train.add_argument("--model", default="psi-filter", help="its name (%(default)s)")
    train.add_argument("--out", type=Path, required=True, help="folder of the run")
    _add_log(train)
    _add_fitting(train)
    _add_manner(train)


def _add_evaluate(evaluate: argparse.ArgumentParser) -> None:
    evaluate.set_defaults(command="evaluate")
    which = evaluate.add_mutually_exclusive_group()
    which.add_argument("--model", help="one model; --out is its run")
    which.add_argument("--models", type=_names, help="several, joined by commas; a run each")
    evaluate.add_argument("--out", type=Path, help="folder of the run or runs")
    evaluate.add_argument(
        "--protocol", choices=PROTOCOLS, default="learner-split", help="(%(default)s)"
    )
    evaluate.add_argument(
        "--fold", type=_from(0), default=0, help="which learners are tested (%(default)s)"
    )
    evaluate.add_argument(
        "--folds",
        type=_from(2),
        default=FOLDS,
        help="into which learners are dealt out (%(default)s)",
    )
    evaluate.add_argument(
        "--resamples", type=_from(1), default=500, help="of the bootstrap (%(default)s)"
    )
    _add_log(evaluate)
    _add_fitting(evaluate)
    _add_manner(evaluate)


def _add_benchmark(benchmark: argparse.ArgumentParser) -> None:
    benchmark.set_defaults(command="benchmark")
    benchmark.add_argument("--data", type=Path, required=True, help="folder of the unpacked sets")
    benchmark.add_argument("--sets", type=_names, required=True, help="names joined by commas")
    benchmark.add_argument("--models", type=_names, required=True, help="names joined by commas")
    benchmark.add_argument(
        "--folds", type=_numbers, default=(0,), help=f"of {FOLDS}, joined by commas; all for all"
    )
    benchmark.add_argument(
        "--protocol", choices=PROTOCOLS, default="learner-split", help="(%(default)s)"
    )
    benchmark.add_argument("--settings", type=Path, help="JSON: model -> set or * -> settings")
    benchmark.add_argument("--seed", type=int, default=0, help="(%(default)s)")
    benchmark.add_argument(
        "--resamples", type=_from(1), default=500, help="of the bootstrap (%(default)s)"
    )
    benchmark.add_argument("--out", type=Path, required=True, help="folder of all its runs")
    benchmark.add_argument("--collect", action="store_true", help="make the table, run nothing")
    benchmark.add_argument("--docs", type=Path, help="write the table into this folder's guides")


def _add_runs(runs: argparse.ArgumentParser) -> None:
    verbs = runs.add_subparsers(required=True, metavar="list|compare|plot|learning-curve")
    listing = verbs.add_parser("list", help="the runs below a folder and what they reached")
    listing.set_defaults(command="runs_list")
    listing.add_argument("folder", type=Path)
    compare = verbs.add_parser("compare", help="paired differences with intervals")
    compare.set_defaults(command="runs_compare")
    compare.add_argument("runs", type=Path, nargs="+", help="the first is what others are held to")
    compare.add_argument("--json", type=Path, help="write the figures to this file as well")
    compare.add_argument("--seed", type=int, default=0, help="(%(default)s)")
    compare.add_argument(
        "--resamples", type=_from(1), default=500, help="of the bootstrap (%(default)s)"
    )
    plot = verbs.add_parser("plot", help="learning curves, reliability, AUC by history length")
    plot.set_defaults(command="runs_plot")
    plot.add_argument("runs", type=Path, nargs="+")
    plot.add_argument("--out", type=Path, required=True, help="a .png or .svg")
    curve = verbs.add_parser("learning-curve", help="how many more learners a model needs")
    curve.set_defaults(command="runs_learning_curve")
    curve.add_argument("--model", required=True)
    curve.add_argument("--out", type=Path, required=True, help="folder of its runs and report")
    curve.add_argument(
        "--sizes",
        type=_from(3),
        default=5,
        help="training sets, each twice the one before (%(default)s)",
    )
    curve.add_argument("--seeds", type=_from(1), default=3, help="runs per size (%(default)s)")
    curve.add_argument(
        "--gain", type=_positive, default=0.002, help="of log loss, in nats (%(default)s)"
    )
    _add_log(curve)
    _add_fitting(curve)
    curve.add_argument(
        "--resamples", type=_from(1), default=500, help="of the bootstrap (%(default)s)"
    )


def _add_log(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--log", type=Path, required=True, help="CSV (learner,item,correct,…) or a research set"
    )


def _add_fitting(command: argparse.ArgumentParser) -> None:
    command.add_argument("--seed", type=int, default=0, help="(%(default)s)")
    command.add_argument(
        "--set",
        dest="settings",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="of the model's configuration, as training.epochs=30; may be repeated",
    )


def _add_manner(command: argparse.ArgumentParser) -> None:
    manner = command.add_mutually_exclusive_group()
    manner.add_argument("--resume", action="store_true", help="go on where this was killed")
    manner.add_argument("--replace", action="store_true", help="drop the run that --out holds")


def _names(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise argparse.ArgumentTypeError("names nothing")
    return names


def _numbers(text: str) -> tuple[int, ...]:
    if text == "all":
        return tuple(range(FOLDS))
    parts = [part.strip() for part in text.split(",")]
    if not set(parts) <= set(map(str, range(FOLDS))):
        raise argparse.ArgumentTypeError(
            f"{text}: name folds from 0 to {FOLDS - 1}, joined by commas, or all"
        )
    return tuple(int(part) for part in parts)


def _from(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"must be at least {least}")
        return value

    # argparse calls it like a type and names it in its messages.
    read.__name__ = "whole number"
    return read


def _positive(text: str) -> float:
    value = float(text)
    if not value > 0.0:
        raise argparse.ArgumentTypeError("must be above 0")
    return value
