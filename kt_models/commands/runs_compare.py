"""`runs compare`: paired differences of runs on the same answers."""

import argparse
import dataclasses

from kt_models.evaluation.resampling import Interval
from kt_models.runs.comparing import common_folds, compare, read_evaluation
from kt_models.runs.files import write_json, writing

NAMES = {"auc": "AUC", "log_loss": "log loss", "brier": "Brier"}


def run(options: argparse.Namespace) -> None:
    """Print each run's figures and how far it is from the first; with --json, write them.

    Raises:
        KTModelError: a folder is no finished evaluation, or the runs are of other answers.
    """
    evaluations = [read_evaluation(path) for path in options.runs]
    folds = common_folds(evaluations)
    first = evaluations[0].whole(folds)
    which = "" if folds == [-1] else f", folds {', '.join(map(str, folds))}"
    print(f"{len(first.prob)} answers of {len(set(first.learner.tolist()))} learners{which}")
    found = compare(evaluations, seed=options.seed, resamples=options.resamples)
    print(f"{'':10}{'value':>9} 95 % interval   {'to the first':>13} 95 % interval")
    for one in evaluations:
        print(f"{one.model}  {one.name}")
        for name, figures in found[one.name].items():
            print(_line(NAMES[name], figures))
    if options.json is not None:
        values = {
            name: {
                metric: {what: dataclasses.asdict(value) for what, value in figures.items()}
                for metric, figures in rows.items()
            }
            for name, rows in found.items()
        }
        with writing(options.json):
            write_json(options.json, values)


def _line(name: str, figures: dict[str, Interval]) -> str:
    value = figures["value"]
    text = f"  {name:8}{value.value:9.4f} {value.low:.4f}–{value.high:.4f}"
    difference = figures.get("difference")
    if difference is None:
        return text
    sure = "" if difference.low <= 0.0 <= difference.high else "  *"
    return (
        f"{text}   {difference.value:+13.5f} {difference.low:+.5f} to {difference.high:+.5f}{sure}"
    )
