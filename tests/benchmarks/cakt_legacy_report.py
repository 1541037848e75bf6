"""The section of docs/benchmarks.md on the published splits, made from the runs' figures alone."""

import json
import textwrap
from pathlib import Path
from typing import Any

from kt_models.data.legacy_splits import LEGACY_SETS
from tests.benchmarks.product.circumstances import DOCS, circumstances, write

HEADING = """\
## CAKT on the splits it was published on

`{command}`, each row of the day and commit that it names, {hardware}.
The legacy protocol (learners split 70/30 as published, sequences of 10 to 201 answers only, or cut
at 201 for Statics, concepts in place of items, answers from a sequence's second on), kept for this
comparison alone. Recipe as published: Adam at 1e-3, times 0.3 every five epochs, L2 1e-5. Seed 0,
one run each (`run SET VARIANT --branch BRANCH --epochs N --positions N`); *batch* is the most
answers of one, padding included. {compared}

*Honest* is the test AUC at the epoch of the highest AUC on validation learners (a tenth of the
training learners, held out of training). *Best epoch on the test* is what the published program
reports: the highest test AUC of all epochs; no figure of ours elsewhere is chosen so.

| set | variant | branch | honest AUC | best on test | paper | off by | epochs | batch | answers/s \
| run |
|---|---|---|---|---|---|---|---|---|---|---|
"""
LEAKY = """\
**{name} is leaky**: a question with several skills is several rows with one and the same answer, so
that a model can copy what it is asked for. Its figures compare with the CAKT, AKT and DKVMN papers
only.
"""
VARIANTS = """\
*paper* looks back at the concept asked next (k = 6, H = 17), *code* at that of the last answer
(k = 4, H = 15), as the published program does. A *branch* other than conv3d stands in place of the
convolutions: *mean* is the plain mean of the same faded embeddings, *none* leaves them out; the
paper's figure beside it is that of its whole network. A run with fewer epochs than planned was cut
off; where the best epoch is the last, more of them might have raised it. *answers/s* are by the
clock of a machine that did other things too: speeds of different days do not compare.{missing}
"""


def write_report(runs: Path) -> None:
    """Gather RUNS/*/metrics.json into docs/benchmarks/cakt_legacy.json and its section."""
    found = {
        path.parent.name: json.loads(path.read_text())
        for path in sorted(runs.glob("*/metrics.json"))
    }
    told = {name: summary(name, run) for name, run in found.items()}
    before = json.loads((DOCS / "benchmarks" / "cakt_legacy.json").read_text())["runs"]
    result = circumstances() | {"runs": dict(sorted((before | told).items()))}
    write("cakt_legacy", result=result, section=section(result))


def summary(name: str, run: dict[str, Any]) -> dict[str, Any]:
    """Return a run with the figures that are reported of it."""
    epochs = run["epochs"]
    chosen = max(range(len(epochs)), key=lambda k: epochs[k]["validation_auc"])
    best = max(range(len(epochs)), key=lambda k: epochs[k]["test_auc"])
    kind = LEGACY_SETS[name.split("-", maxsplit=1)[0]]
    seconds = sorted(epoch["train_seconds"] for epoch in epochs)[len(epochs) // 2]
    return {
        "leaky": kind.leaky,
        "published_auc": kind.published_auc,
        "honest_auc": epochs[chosen]["test_auc"],
        "honest_epoch": chosen + 1,
        "honest_log_loss": epochs[chosen]["test_log_loss"],
        "best_epoch_on_test_auc": epochs[best]["test_auc"],
        "best_epoch_on_test": best + 1,
        "answers_per_second": round(run["answers"]["train"] / seconds),
        **run,
    }


def section(result: dict[str, Any]) -> str:
    """Return the section as Markdown."""
    runs = result["runs"]
    rows = ""
    for name, run in runs.items():
        kind, variant, branch = name.split("-", maxsplit=2)
        off = 100.0 * (run["honest_auc"] - run["published_auc"])
        cells = [
            kind,
            variant,
            branch,
            f"{run['honest_auc']:.4f} (epoch {run['honest_epoch']})",
            f"{run['best_epoch_on_test_auc']:.4f} (epoch {run['best_epoch_on_test']})",
            f"{run['published_auc']:.4f}",
            f"{off:+.2f} points",
            f"{len(run['epochs'])} of {run['recipe']['epochs']}",
            f"{run['recipe']['positions']:,}",
            f"{run['answers_per_second']:,}",
            f"{run['measured']['date']}, {run['measured']['commit']}",
        ]
        rows += f"| {' | '.join(cells)} |\n"
    wanted = [f"{kind}-{variant}" for kind in LEGACY_SETS for variant in ("paper", "code")]
    missing = [name for name in wanted if f"{name}-conv3d" not in runs]
    told = f" Not run: {', '.join(missing)}." if missing else ""
    leaky = [LEAKY.format(name=name) for name, kind in LEGACY_SETS.items() if kind.leaky]
    head = HEADING.format(**result, compared=comparable(runs))
    return "\n".join([head + rows, VARIANTS.format(missing=told), *leaky])


def comparable(runs: dict[str, Any]) -> str:
    """Return which rows were trained alike but for the branch, and how far these are apart."""
    told = []
    for name, run in runs.items():
        whole = f"{'-'.join(name.split('-')[:2])}-conv3d"
        if name == whole or whole not in runs:
            continue
        points = 100.0 * (run["honest_auc"] - runs[whole]["honest_auc"])
        alike = run["recipe"] == runs[whole]["recipe"] and same_length(run, runs[whole])
        told.append(
            f"*{name}* was trained by the recipe of *{whole}*: {points:+.2f} points of honest AUC,"
            f" one seed{other_code(run, runs[whole])}."
            if alike
            else f"*{name}* was trained otherwise than *{whole}*: their difference is not that of"
            " the branch alone."
        )
    return textwrap.fill(" ".join(told) or "No two rows differ in the branch alone.", width=100)


def other_code(one: dict[str, Any], other: dict[str, Any]) -> str:
    """Return that two runs are of different commits, or nothing."""
    here, there = (run["measured"]["commit"] for run in (one, other))
    if here == there:
        return ""
    return (
        f"; but by the code of {here} and not of {there}, so the difference is that of the branch"
        " and of what changed in the code in between"
    )


def same_length(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Return whether as many epochs were run."""
    return len(one["epochs"]) == len(other["epochs"])
