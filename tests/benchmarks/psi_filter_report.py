"""The live filter's section of docs/benchmarks.md, made from the figures alone."""

import re
from pathlib import Path
from typing import Any

HEADING = "## Tracing: the live filter"

INTRODUCTION = """\
`{command}`, {measured_at}, commit {commit},
{hardware}. All figures: `docs/benchmarks/psi_filter.json`.

Learners are split 80/20 (split seed 0 unless stated). Everything global (item offsets, the filter's
scalars, the regressions' weights) comes from the training learners alone; every answer of a test
learner is predicted from that learner's own earlier answers, for the moment the item was *shown*,
so that no response time of the predicted answer leaks in. All models predict the same answers.
Intervals are 95 % bootstrap intervals by learner. *Above the filter* is the log loss beyond the
filter's on the same answers, resampled together: an interval above 0 is a real lead.
*Calibration* is the expected calibration error over 20 bins of equally many answers.
"""

NOTES = """\
The peers are described in `docs/models.md`.
ASSISTments 2017 is an action log, about half of whose rows retry an item just answered wrong; so
the AUC on each learner's first meeting with an item is given too. Which learners a split tests
moves AUC and log loss of every model together, by more than the filter leads the best regression;
the earlier measurement used another split, so compare the gain over the item mean as well.

*Caution.* The fitted practice gains and the decay are weakly identified: on DBE-KT22 a
first gain of 0.04 and one of 0.12 with stronger damping predict equally well, and part of a "gain"
is a weight for recent answers. Gains are held at or above 0. Check them against delayed answers
before a scheduler leans on them.
"""


def write_section(page: Path, result: dict[str, Any]) -> None:
    """Put the section in the page in place of an earlier one, or at its end."""
    before = page.read_text(encoding="utf-8") if page.exists() else "# Benchmarks\n"
    section = section_of(result)
    own = re.compile(rf"^{re.escape(HEADING)}\n.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)
    after = own.sub(lambda _: section, before) if own.search(before) else f"{before}\n{section}"
    page.write_text(after, encoding="utf-8")


def section_of(result: dict[str, Any]) -> str:
    """Return the section as Markdown."""
    told = result | {"commit": result["commit"][:7]}
    parts = [HEADING, "", INTRODUCTION.format(**told)]
    logs = [name for name in ("dbe_kt22", "assistments2017") if name in result]
    for name in logs:
        parts += _accuracy(name, result[name])
    parts += [NOTES, _speed(result, logs)]
    return "\n".join(parts) + "\n"


def _accuracy(name: str, found: dict[str, Any]) -> list[str]:
    first = found["splits"][0]
    lines = [
        f"**{name}**: {first['test_answers']:,} answers of {first['test_learners']} test learners.",
        "",
        "| model | AUC | log loss | above the filter | Brier | calibration | AUC, first meeting |",
        "|---|---|---|---|---|---|---|",
    ]
    for model, figures in first["models"].items():
        above = "–" if model == "psi-filter" else _with_interval(figures["log_loss_above_filter"])
        cells = [
            model,
            _with_interval(figures["auc"]),
            _with_interval(figures["log_loss"]),
            above,
            f"{figures['brier'][0]:.4f}",
            f"{figures['calibration_error']:.4f}",
            f"{figures['first_meeting_auc'][0]:.4f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, "", _anchors(found), ""]


def _anchors(found: dict[str, Any]) -> str:
    """Say what the filter reached on each split, and what was measured before it was built."""
    each = [
        f"split {split['seed']}: {split['models']['psi-filter']['auc'][0]:.4f} / "
        f"{split['models']['psi-filter']['log_loss'][0]:.4f} "
        f"({_gain(split):.4f} under the item mean)"
        for split in found["splits"]
    ]
    (_, item_loss), (auc, loss) = found["anchors"]["item-mean"], found["anchors"]["psi-filter"]
    goal = f"{auc:.4f} / {loss:.4f} ({item_loss - loss:.4f} under the item mean)"
    reached = "AUC / log loss of the filter, " + ";\n".join(each)
    return f"{reached}.\nMeasured earlier, on another split: {goal}."


def _gain(split: dict[str, Any]) -> float:
    models = split["models"]
    return float(models["item-mean"]["log_loss"][0] - models["psi-filter"]["log_loss"][0])


def _with_interval(figures: list[float]) -> str:
    value, low, high = figures
    return f"{value:.4f} ({low:.4f}–{high:.4f})"


def _speed(result: dict[str, Any], logs: list[str]) -> str:
    lines = [
        "Cost of a fold over the whole log, compiled, processor microseconds per answer. *Reading*",
        "only adds up the same arrays (the floor); *Elo* is a learner, concept and item Elo",
        "compiled alike, which keeps neither uncertainty nor time.",
        "",
        "| log | reading | Elo | predict and update | fold to states | folded per second | / Elo |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in logs:
        fold = result[name]["fold"]
        micro = fold["microseconds_per_answer"]
        lines.append(
            f"| {name} | {micro['read_arrays']:.4f} | {micro['elo']:.3f} "
            f"| {micro['predict_and_update']:.3f} | {micro['fold_to_states']:.3f} "
            f"| {fold['answers_per_second']['fold_to_states']:,} answers "
            f"| {fold['fold_to_states_times_elo']:.1f} |"
        )
    lines += [
        "",
        "In the web process (numpy, no compiled code), microseconds per call:",
        "",
        "| history | state | update | predict 300 items |",
        "|---|---|---|---|",
    ]
    for history, costs in result["streaming"].items():
        answers = f"{int(history.split('_')[1]):,} answers"
        lines.append(
            f"| {answers} | {costs['state_bytes']} bytes | {costs['update']} "
            f"| {costs['predict_300_items']} |"
        )
    return "\n".join(lines)
