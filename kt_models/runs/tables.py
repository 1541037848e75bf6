"""The table of a benchmark: folds with their spread, as JSON and as Markdown."""

import re
import statistics
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kt_models.runs.benchmark import chosen_run, folder_of
from kt_models.runs.folder import RunFolder, RunsClash

HEADING = "## Models of knowledge tracing"
AVERAGED = ("auc", "log_loss", "brier", "calibration_error", "accuracy", "majority_rate", "seconds")
KEPT = (
    *AVERAGED,
    "auc_low",
    "auc_high",
    "log_loss_low",
    "log_loss_high",
    "n",
    "learners",
    "training_learners",
    "device",
    "validation_log_loss",
    "auc_by_position",
)

INTRODUCTION = """\
Learners are dealt out over five folds (seed {seed}). Everything that a model learns comes from the
learners of the other folds, a tenth of whom decide when to stop and how to recalibrate. {protocol}
All models predict the same answers. Where two folds or more were run: their mean ± standard
deviation. For one fold: its 95 % bootstrap interval by learner. *Calibration* is the expected
calibration error over 20 bins of equally many answers; *seconds* are of fitting and predicting one
fold by the clock. Where a model was given several settings, those of each fold are the ones with
the lowest log loss on that fold's validation learners, none of whom is tested in it.
"""

TOLD = {
    "learner-split": """\
Every answer of a test learner is predicted from that learner's earlier ones, for the moment the
item was shown.""",
    "forecast": """\
Of a test learner's first 20 answers the last ten are predicted from the first ten, open loop: which
items come and when is known, outcomes are not.""",
    "cold-start": """\
The first ten answers of a test learner are predicted, each from those before.""",
    "time-split": """\
That is so of the other tables; here models learn from the first 80 % of all answers by time, and
the rest is predicted, each from that learner's earlier answers.""",
}


def heading(protocol: str) -> str:
    """Return the heading of a protocol's section in the benchmarks' page."""
    return HEADING if protocol == "learner-split" else f"{HEADING}: {protocol}"


def file_name(protocol: str) -> str:
    """Return the name of a protocol's file of figures."""
    return "models.json" if protocol == "learner-split" else f"models_{protocol}.json"


def collect(
    out: Path, *, protocol: str, sets: Iterable[str], models: Iterable[str], seed: int
) -> dict[str, Any]:
    """Return what finished runs reached: set -> size of the log and model -> folds, mean, sd.

    Args:
        out: folder of all runs.
        protocol: its name.
        sets: names of the logs.
        models: names of the models, in the order of the table.
        seed: of all runs.

    Raises:
        RunsClash: a run has another seed, so it has other test learners.
    """
    found: dict[str, Any] = {}
    models = tuple(models)
    for set_name in sets:
        rows, log = {}, None
        for model in models:
            runs = _finished(folder_of(out, protocol, set_name, model))
            _require_seed(runs.values(), seed)
            if runs:
                rows[model] = _row(runs)
                log = next(iter(runs.values())).description().log
        if log is not None:
            size = {name: log[name] for name in ("answers", "learners", "items", "concepts")}
            found[set_name] = size | {"models": rows}
    return found


def _finished(folder: Path) -> dict[int, RunFolder]:
    runs = {int(path.name.split("-")[1]): chosen_run(path) for path in folder.glob("fold-*")}
    return {fold: run for fold, run in sorted(runs.items()) if run is not None}


def _require_seed(runs: Iterable[RunFolder], seed: int) -> None:
    for run in runs:
        own = run.description().seed
        if own != seed:
            msg = f"{run.path} was run with seed {own}, the table is of seed {seed}"
            raise RunsClash(f"{msg}; give --seed {own}, or a folder of runs for each seed.")


def _row(runs: Mapping[int, RunFolder]) -> dict[str, Any]:
    metrics = {fold: run.metrics() for fold, run in runs.items()}
    columns = {name: [one[name] for one in metrics.values()] for name in AVERAGED}
    description = next(iter(runs.values())).description()
    names = {str(fold): run.path.name for fold, run in runs.items()}
    chosen = {fold: name for fold, name in names.items() if name.startswith("candidate")}
    return {
        "config": description.config,
        "chosen": chosen,
        "commits": sorted({str(run.description().code.get("commit")) for run in runs.values()}),
        "mean": {name: statistics.fmean(values) for name, values in columns.items()},
        "sd": {name: statistics.stdev(values) for name, values in columns.items()}
        if len(metrics) > 1
        else None,
        "folds": {
            str(fold): {name: one[name] for name in KEPT if name in one}
            for fold, one in metrics.items()
        },
    }


def section(result: Mapping[str, Any]) -> str:
    """Return the section of the benchmarks' page, from the figures alone."""
    protocol = result["protocol"]
    lines = [heading(protocol), ""]
    told = INTRODUCTION.format(seed=result["seed"], protocol=TOLD[protocol])
    lines += [f"`{result['command']}`, {result['measured_at']}.", ""]
    lines += [f"All figures: `docs/benchmarks/{file_name(protocol)}`.", ""]
    lines += [textwrap.fill(told, width=100), ""]
    rows = [row for found in result["sets"].values() for row in found["models"].values()]
    differ = len({commit for row in rows for commit in row["commits"]}) > 1
    for name, found in result["sets"].items():
        lines += table(name, found, commits=differ)
    return "\n".join(lines)


def table(name: str, found: Mapping[str, Any], *, commits: bool = False) -> list[str]:
    """Return the table of one set as lines of Markdown; `commits` says of what code a row is."""
    parts = ("answers", "learners", "items", "concepts")
    size = ", ".join(f"{found[part]:,} {part}" for part in parts)
    columns = ["model", "folds", "AUC", "log loss", "Brier", "calibration"]
    columns += ["accuracy (majority)", "seconds", *(["commit"] if commits else [])]
    lines = [f"**{name}**: {size}.", "", f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for model, row in found["models"].items():
        mean = row["mean"]
        cells = [
            model,
            _folds(list(row["folds"])),
            _with_spread("auc", row),
            _with_spread("log_loss", row),
            f"{mean['brier']:.4f}",
            f"{mean['calibration_error']:.4f}",
            f"{mean['accuracy']:.4f} ({mean['majority_rate']:.4f})",
            f"{mean['seconds']:,.0f}",
        ]
        if commits:
            cells.append(", ".join(commit[:7] for commit in row["commits"]))
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, "", *_choices(found["models"])]


def _choices(rows: Mapping[str, Any]) -> list[str]:
    """Return a paragraph on which settings were chosen in which fold; none without a choice."""
    told = [
        f"{model} {' '.join(str(int(name.split('-')[1]) + 1) for name in row['chosen'].values())}"
        for model, row in rows.items()
        if row.get("chosen")
    ]
    return [f"Settings chosen, fold by fold: {'; '.join(told)}.", ""] if told else []


def _folds(folds: Sequence[str]) -> str:
    return "all" if len(folds) == 5 else ", ".join(folds)


def _with_spread(name: str, row: Mapping[str, Any]) -> str:
    if row["sd"] is not None:
        return f"{row['mean'][name]:.4f} ± {row['sd'][name]:.4f}"
    only = next(iter(row["folds"].values()))
    return f"{only[name]:.4f} ({only[f'{name}_low']:.4f}–{only[f'{name}_high']:.4f})"


def put_section(page: Path, text: str) -> None:
    """Put a section into the page in place of an earlier one of its heading, or at its end."""
    before = page.read_text(encoding="utf-8") if page.exists() else "# Benchmarks\n"
    own_heading = text.split("\n", maxsplit=1)[0]
    own = re.compile(rf"^{re.escape(own_heading)}\n.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)
    after = own.sub(lambda _: text, before) if own.search(before) else f"{before}\n{text}"
    page.write_text(after.rstrip() + "\n", encoding="utf-8")
