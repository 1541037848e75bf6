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
    """Return the section as Markdown, of the parts that have run."""
    lines = [HEADING, "", "All figures: `docs/benchmarks/calibration.json`."]
    for name, describe in DESCRIBE.items():
        if name in result:
            lines += [*describe(result[name]["found"]), "", circumstances(result[name])]
    return "\n".join(lines) + "\n\n"


def circumstances(part):
    """Return by what command, when, on what and at which commit a part was measured."""
    told = part["circumstances"]
    where = f"{told['hardware']}, commit {told['commit'][:7]}"
    return f"`{told['command']}`, {told['measured_at']}, {where}."


def recovery(runs_by_engine):
    lines = [
        "",
        "**Recovery.** 1,000 learners N(0, 1), 100 items with b ~ N(0, 1) and log a ~ N(0,",
        "0.35), a fifth of all pairs answered; means over the seeds, in brackets the least and",
        "the greatest. The targets were set for five seeds; more of them tell what is luck in",
        "those.",
        "",
        "| figure | target | "
        + " | ".join(f"{name}, {len(runs)} seeds" for name, runs in runs_by_engine.items())
        + " |",
        "|---|---|" + "---|" * len(runs_by_engine),
    ]
    for figure, target in TARGETS.items():
        cells = [spread([one[figure] for one in runs]) for runs in runs_by_engine.values()]
        lines.append(f"| {figure.replace('_', ' ')} | {target} | {' | '.join(cells)} |")
    return lines


def linking(runs_by_engine):
    lines = [
        "",
        "**Linking.** 60 new items, answered by other learners, N(0.7, 1.2), who also answer 40",
        "known items; about 250 answers an item. Error of the new items' difficulties on the",
        "old scale (targets: bias at most 0.03, RMSE at most 0.25), with the standard error of",
        "the bias over the seeds: what five seeds show is mostly chance, and the many seeds say",
        "how large the bias is. The truth is the population's; the last column takes the first",
        "learners' own mean and sd for 0 and 1, without that chance.",
        "",
        "| method | RMSE | bias | bias to the sample |",
        "|---|---|---|---|",
    ]
    for engine, runs in runs_by_engine.items():
        for name in runs[0]:
            rmse, *biases = (
                [run[name][figure] for run in runs] for figure in ("rmse", "bias", "bias_to_sample")
            )
            cells = [f"{np.mean(rmse):.3f}", *map(with_error, biases)]
            lines.append(f"| {name} ({engine}, {len(runs)} seeds) | {' | '.join(cells)} |")
    return lines


def lsat(found):
    rows = [
        f"| {name} | " + " | ".join(f"{x:.3f}" for x in one.values()) + " |"
        for name, one in found.items()
    ]
    return [
        "",
        "**Marginal log-likelihood** (target: within 0.5 of the published maximum).",
        "",
        "| data | published | py-irt | EM | EM, flat priors |",
        "|---|---|---|---|---|",
        *rows,
    ]


def next_window(found):
    lines = [
        "",
        "**The next window.** Log loss, in nats, of first attempts in the last fifth of a real",
        "log, foretold from the items and abilities before it; both engines with the same",
        "priors (target: py-irt within 0.002 of EM).",
        "",
        "| log | fitted on | foretold | py-irt | EM | apart | item mean |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, one in found.items():
        loss = one["log_loss"]
        apart = loss["py-irt"] - loss["em"]
        told = f"{loss['py-irt']:.5f} | {loss['em']:.5f} | {apart:+.5f} | {loss['item mean']:.5f}"
        lines.append(f"| {name} | {one['fitted']:,} | {one['answers']:,} | {told} |")
    return lines


def speed(found):
    lines = [
        "",
        "**Speed.** Processor seconds of the fit alone, 20 answers a learner; warm from 85 % of",
        "the learners. *Ratio*: the warm py-irt fit's time over EM's (target at a million: at",
        "most 5, in 2 GB); *gap*: RMSE of its difficulties to EM's.",
        "",
        "| responses | items | EM | EM, warm | py-irt, warm | py-irt, cold | ratio | gap | GB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one in found:
        seconds = " | ".join(f"{x:.1f}" for x in one["processor_seconds"].values())
        sizes = f"{one['responses']:,} | {one['items']:,}"
        rest = f"{one['rmse_warm_py_irt_to_em']:.4f} | {one['peak_gigabytes']:.2f}"
        lines.append(f"| {sizes} | {seconds} | {one['warm_py_irt_times_em']:.1f} | {rest} |")
    return lines


def whole(found):
    lines = [
        "",
        "**A whole calibration**, started from one of 85 % of the learners, with both engines,",
        "standard errors and all that judges the fit, in a process of its own: processor",
        "seconds and peak memory (target at ten millions: completes in 6 GB). EM's cold fit",
        "beside it; *missed*: gates that the run did not meet.",
        "",
        "| responses | learners | items | EM | py-irt | other | judging | whole | GB | missed |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for one in found:
        took = {step["step"]: step["processor_seconds"] for step in one["steps"]}
        steps = ("fitting by py-irt", "holding it against the other engine", "judging the fit")
        sizes = " | ".join(f"{one[name]:,}" for name in ("responses", "learners", "items"))
        seconds = " | ".join(f"{took[step]:.0f}" for step in steps)
        missed = ", ".join(name for name, met in one["gates"].items() if not met) or "none"
        rest = f"{one['processor_seconds']:.0f} | {one['peak_gigabytes']:.2f} | {missed}"
        em = one["em"]["processor_seconds"]
        lines.append(f"| {sizes} | {em:.0f} | {seconds} | {rest} |")
    return lines


def spread(values):
    return f"{np.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def with_error(values):
    return f"{np.mean(values):+.3f} ± {np.std(values, ddof=1) / np.sqrt(len(values)):.3f}"


DESCRIBE = {
    "recovery": recovery,
    "linking": linking,
    "lsat": lsat,
    "next_window": next_window,
    "speed": speed,
    "whole": whole,
}
