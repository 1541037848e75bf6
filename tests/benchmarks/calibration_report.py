"""The calibration benchmark's section of docs/benchmarks.md."""

import re

import numpy as np

HEADING = "## Calibration: items against the truth"
TARGETS = {
    "r_difficulty": "≥ 0.97",
    "r_log_discrimination": "≥ 0.81",
    "rmse_difficulty": "–",
    "rmse_difficulty_linked": "≤ 0.22",
    "sd_ratio": "0.95–1.05",
    "coverage_difficulty": "0.93–0.97",
    "coverage_log_discrimination": "–",
    "r_ability": "–",
    "processor_seconds": "–",
}


def write_section(page, result):
    """Replace the benchmark's own section of a page, or add it."""
    replace_section(page, HEADING, section_of(result))


def replace_section(page, heading, section):
    """Replace the section under a heading of a page, or add it."""
    before = page.read_text(encoding="utf-8")
    own = re.compile(rf"^{re.escape(heading)}\n.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)
    after = own.sub(lambda _: section, before) if own.search(before) else f"{before}\n{section}"
    page.write_text(after.rstrip("\n") + "\n", encoding="utf-8")


def section_of(result):
    """Return the section as Markdown."""
    parts = [head, recovery, linking, lsat, next_window, speed]
    return "\n".join(line for part in parts for line in part(result)) + "\n\n"


def head(result):
    return [
        HEADING,
        "",
        f"`{result['command']}`, {result['measured_at']},",
        f"commit {result['commit'][:7]}, {result['hardware']}.",
        "All figures: `docs/benchmarks/calibration.json`.",
    ]


def recovery(result):
    lines = [
        "",
        "1,000 learners N(0, 1), 100 items with b ~ N(0, 1) and log a ~ N(0, 0.35), a fifth of all",
        "pairs answered; means over the seeds, in brackets the least and the greatest. The targets",
        "were set for five seeds; more of them tell what is luck in those.",
        "",
        "| figure | target | "
        + " | ".join(f"{name}, {len(runs)} seeds" for name, runs in result["recovery"].items())
        + " |",
        "|---|---|" + "---|" * len(result["recovery"]),
    ]
    for figure, target in TARGETS.items():
        cells = [spread([one[figure] for one in runs]) for runs in result["recovery"].values()]
        lines.append(f"| {figure.replace('_', ' ')} | {target} | {' | '.join(cells)} |")
    return lines


def linking(result):
    lines = [
        "",
        "Linking: 60 new items, answered by other learners, N(0.7, 1.2), who also answer 40 known",
        "items; about 250 answers an item. Error of the new items' difficulties on the old scale.",
        "The truth is the population's (targets: bias at most 0.03, RMSE at most 0.25); the last",
        "column takes the first learners' own mean and sd for 0 and 1, without that chance.",
        "",
        "| method | RMSE | bias | bias to the sample |",
        "|---|---|---|---|",
    ]
    for engine, runs in result["linking"].items():
        for name in runs[0]:
            cells = [
                spread([run[name][figure] for run in runs])
                for figure in ("rmse", "bias", "bias_to_sample")
            ]
            lines.append(f"| {name} ({engine}, {len(runs)} seeds) | {' | '.join(cells)} |")
    return lines


def lsat(result):
    if "lsat" not in result:
        return []
    rows = [
        f"| {name} | " + " | ".join(f"{x:.3f}" for x in one.values()) + " |"
        for name, one in result["lsat"].items()
    ]
    return [
        "",
        "Marginal log-likelihood (target: within 0.5 of the published maximum):",
        "",
        "| data | published | py-irt | EM | EM, flat priors |",
        "|---|---|---|---|---|",
        *rows,
    ]


def next_window(result):
    if not result["next_window"]:
        return []
    lines = [
        "",
        "Log loss of first attempts in the last fifth of a real log, foretold from the items and",
        "abilities before it (target: py-irt within 0.002 of EM):",
        "",
        "| log | fitted on | foretold | py-irt | EM | item mean |",
        "|---|---|---|---|---|---|",
    ]
    for name, one in result["next_window"].items():
        losses = " | ".join(f"{x:.5f}" for x in one["log_loss"].values())
        lines.append(f"| {name} | {one['fitted']:,} | {one['answers']:,} | {losses} |")
    return lines


def speed(result):
    lines = [
        "",
        "Processor seconds, 20 answers a learner; warm from 85 % of the learners. *Gap*: RMSE of",
        "the warm py-irt fit's difficulties to EM's; *ratio*: its time over EM's.",
        "",
        "| responses | items | EM | EM, warm | py-irt, warm | py-irt, cold | ratio | gap | GB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one in result["speed"]:
        seconds = " | ".join(f"{x:.1f}" for x in one["processor_seconds"].values())
        sizes = f"{one['responses']:,} | {one['items']:,}"
        rest = f"{one['rmse_warm_py_irt_to_em']:.4f} | {one['peak_gigabytes']:.2f}"
        lines.append(f"| {sizes} | {seconds} | {one['warm_py_irt_times_em']:.1f} | {rest} |")
    return lines


def spread(values):
    return f"{np.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"
