"""The section of docs/benchmarks.md on answers after help, made from the figures alone."""

HEADING = "## Answers after help: what they say of the learner"

INTRODUCTION = """\
`{command} --data DIR`, {date}, commit {commit}, {hardware}; all figures:
`docs/benchmarks/assisted_answers.json`. The live filter takes a right answer after help (a hint
seen, or an item tried again) as practice without evidence, a wrong one like any other. Other rules
are held against this one by the log loss of the answers that follow *without* help, learners not
learnt from; intervals are 95 %, by learner. *Dropped*: the answer changes nothing. *Wrong*,
*plain*: it counts as that. *Part credit*, *an easier item*: a right answer counts as {credits}
right, or any answer as one to an item easier by {helps} logits, whichever fits the training
learners best. The filter is fitted under the present rule, and for *refitted* under the rule
itself; it is fitted to expect the answers without help, and for *fitted to all answers* all.
"""

NAMES = {
    "dbe_kt22": "DBE-KT22, hints (five folds)",
    "assistments2017": "ASSISTments 2017, an item tried again right after a wrong answer (fold 0)",
}


def section(result):
    """Return the section as Markdown."""
    told = result | {
        "credits": " or ".join(str(c) for c in (0.5, 0.75, 0.9)),
        "helps": " or ".join(str(h) for h in (0.25, 0.5, 1.0, 2.0)),
    }
    parts = [HEADING, "", INTRODUCTION.format(**told)]
    for name, found in result["logs"].items():
        parts += [_about(NAMES.get(name, name), found), "", *_table(found), ""]
    return "\n".join(parts)


def _about(name, found):
    chosen = "; ".join(sorted({" and ".join(own) for own in found["chosen"]}))
    return (
        f"**{name}**: {found['answers']:,} answers, {found['assisted']:,} of them after help"
        f" ({found['assisted_right']:.2f} right), commit {found['commit']}. Chosen by the training"
        f" learners: {chosen}."
    )


def _table(found):
    whole, soon = found["all"], found["soon_after"]
    base = [part["rules"]["no evidence"]["log_loss"] for part in (whole, soon)]
    lines = [
        _head(whole["answers"], soon["answers"]),
        "| --- | --- | --- |",
        f"| no evidence (the rule) | {base[0]:.4f} | {base[1]:.4f} |",
    ]
    for rule in whole["rules"]:
        if rule != "no evidence":
            cells = [_lead(part["rules"][rule]["above_present"]) for part in (whole, soon)]
            lines.append(f"| {rule} | {cells[0]} | {cells[1]} |")
    return lines


def _head(whole, soon):
    return f"| rule | all {whole:,} | the {soon:,} within ten answers of help on the concept |"


def _lead(interval):
    value, low, high = (f"{one:+.4f}".replace("-", "−") for one in interval)
    return f"{value} ({low} to {high})"
