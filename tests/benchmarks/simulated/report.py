"""The benchmark's section of docs/benchmarks.md, made from the figures alone."""

from typing import Any

import numpy as np

HEADING = "## Simulated cohort: estimates against the truth"

INTRODUCTION = """\
`python -m tests.benchmarks.simulated_cohort` simulates 300 learners on the demo course
({concepts} concepts, {items} items), fits the filter on one half of the learners and judges it on
the other. The generator (`curriculum/simulation`) is not the filter: growth is gated by the weakest
prerequisite and comes in skewed random steps, memory has two time scales with a spacing effect,
every session has its own form and fatigue, learners differ in learning and forgetting rates, slips
and use of hints, and items in discrimination and guessing. The yardstick is the posterior under the
true parameters: a particle filter (8,000 particles) that is told the population and every item's
true parameters, and reads the same answers, times and hints.

After 40 answers, over all (learner, practised concept) pairs, correlations with the truth of the
**state** (the level on the concept, logits), of **mastery** (the probability of an unassisted right
answer, averaged over the concept's items; what a learner is shown) and of success on **one item**,
the concept's median one. *Ratio* is filter over yardstick, with a 95 % bootstrap interval by
learner; the target is 0.95.
"""

NOTES = """\
Calibration is the expected calibration error in 10 bins of equal count over all unassisted answers
of the test half (target below 0.02); *floor* is that of the true probabilities, which chance alone
leaves. The log losses are over the same answers. Resampling adds noise to every bin, so the upper
end of its interval is pessimistic. *Within concepts* compares learners on the same concept, so
that knowing which concepts are hard earns nothing. *Blank* is the correlation, within concepts, of
the filter's states with the true ones when every outcome it reads is the average one: what the
sequence of items and hints gives away. *Shuffled* is that of shuffled outcomes beyond it (partial
correlation, 10 shuffles, mean ± sd). It stays a little above 0 because the hints are left in place
and weak learners take them: with hints hidden as well it was -0.007, +0.049 and -0.057 (default
generator, seeds 1 to 3, measured once beside this run).

What the figures do not say. The yardstick knows every item; 150 learners leave about 30 answers an
item, and most of what the filter lacks on a single item is that item's difficulty: the rows fitted
on 1,000 others show it. A share of 0.95 is also less than it sounds, since after 40 answers general
ability explains most of the truth, and the plain proportion of right answers comes near. The
generator, however rich, was written by the makers of the filter; real logs decide.
"""

TARGET_NAMES = {
    "state": "state",
    "mastery_prob": "mastery, probability",
    "mastery_logit": "mastery, logit",
    "item_prob": "one item, probability",
    "item_logit": "one item, logit",
}


def section_of(results: dict[str, Any]) -> str:
    """Return the section as Markdown, heading first, one blank line at the end."""
    parts = [
        HEADING,
        INTRODUCTION.format(**results["course"]),
        _ratios(results["runs"]),
        _by_target(results["runs"]["default"]),
        _peers(results["runs"]["default"]),
        _calibration(results["runs"]),
        NOTES,
    ]
    return "\n".join(part if part.endswith("\n") else f"{part}\n" for part in parts) + "\n"


def _ratios(runs: dict[str, Any]) -> str:
    """Return the ratios of state and mastery, a row for each run."""
    rows = ["| generator | seed | state | mastery | one item |", "|---|---|---|---|---|"]
    for name, of_name in runs.items():
        for one in of_name:
            cells = [
                _interval(one["targets"][target]["ratio"])
                for target in ("state", "mastery_prob", "item_prob")
            ]
            rows.append(f"| {name} | {one['seed']} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _by_target(runs: list[dict[str, Any]]) -> str:
    """Return correlations of filter and yardstick, means over the seeds."""
    rows = [
        "Default generator, means over the seeds:\n",
        "| quantity | filter | yardstick | ratio | ratio within concepts |",
        "|---|---|---|---|---|",
    ]
    for target, name in TARGET_NAMES.items():
        found = [one["targets"][target] for one in runs]
        cells = [
            np.mean([one["filter"] for one in found]),
            np.mean([one["posterior"] for one in found]),
            np.mean([one["ratio"]["value"] for one in found]),
            np.mean([one["within_concept_ratio"] for one in found]),
        ]
        rows.append(f"| {name} | " + " | ".join(f"{cell:.3f}" for cell in cells) + " |")
    return "\n".join(rows)


def _peers(runs: list[dict[str, Any]]) -> str:
    """Return the weak peers' correlations beside the filter's, means over the seeds."""
    rows = [
        "Weak peers, from the same 40 answers (default generator, means over the seeds):\n",
        "| estimate | state | share of the yardstick's | mastery | share of the yardstick's |",
        "|---|---|---|---|---|",
    ]
    goals = ("state", "mastery_prob")
    best = [np.mean([one["targets"][goal]["posterior"] for one in runs]) for goal in goals]
    own = [np.mean([one["targets"][goal]["filter"] for one in runs]) for goal in goals]
    peers = {
        peer: [np.mean([one["peers"][peer][goal] for one in runs]) for goal in goals]
        for peer in runs[0]["peers"]
    }
    for name, found in {"filter": own, **peers}.items():
        cells = [f"{r:.3f} | {r / top:.3f}" for r, top in zip(found, best, strict=True)]
        rows.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _calibration(runs: dict[str, Any]) -> str:
    """Return calibration, log loss and the shuffled control, a row for each run."""
    rows = [
        "| generator | seed | calibration | floor | log loss | of the truth | blank | shuffled |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, of_name in runs.items():
        for one in of_name:
            found, control = one["calibration"], one["shuffled_answers"]
            rows.append(
                f"| {name} | {one['seed']} | {_interval(found['error'])} | {found['floor']:.4f} "
                f"| {found['log_loss']:.4f} | {found['log_loss_of_truth']:.4f} "
                f"| {control['blank']:+.3f} | {control['mean']:+.3f} ± {control['sd']:.3f} |"
            )
    return "\n".join(rows)


def _interval(score: dict[str, float]) -> str:
    return f"{score['value']:.3f} ({score['low']:.3f}–{score['high']:.3f})"
