"""The pooled estimates' section of docs/benchmarks.md, made from the figures alone."""

HEADING = "## Pooled estimates: what the deep model adds to the filter"

INTRODUCTION = """\
`{command} --data DIR --runs RUNS`, {date}, commit {commit}, {hardware}; all figures:
`docs/benchmarks/pooled_estimates.json`. Filter and `cakt-item` learn from four fifths of the
learners; fold 0's are replayed as they would have been served. Right after each answer the
network's logit of an item is held against the filter's at that moment; the difference (in steps of
1/32) is added w-fold to the filter's logit when the item is asked, when `lag` more answers have
come. The weights that judge one half of the learners come from the other half. A learner's first
answers, of which there is no prediction yet, are the filter's and are counted. Intervals: 95 %, by
learner. The network *alone* has seen every answer, which no network in another process ever has.
"""

LAGS = """\
How much of a shift counts, and the pool's log loss less the filter's, by how many answers the
prediction has missed. `aged`: at most so much once it is older than an hour.
"""

AGES = """\
Weight that predictions which have missed nothing would get by their age alone (answers behind it in
brackets):
"""

CONCEPTS = """\
An item that was not predicted can take the mean shift of other items of its concepts. Only items
that the learner has not answered may stand in: of those answered before, the network remembers the
very answer. Log loss less the filter's, with the concepts' own weight, and with the items':
"""

NAMES = {
    "dbe_kt22": "DBE-KT22",
    "statics2011": "Statics 2011",
    "assistments2017": "ASSISTments 2017",
    "assistments2009": "ASSISTments 2009",
    "ednet_sample": "EdNet sample",
}
AGE_NAMES = ("under 1 min", "to 10 min", "to 1 h", "to 1 day", "to 7 days", "older")


def section(result):
    """Return the section as Markdown."""
    sets = {NAMES.get(name, name): found for name, found in result["sets"].items()}
    parts = [HEADING, "", INTRODUCTION.format(**result), *_whole(sets), "", LAGS, *_lags(sets)]
    parts += ["", AGES, *_ages(sets), "", CONCEPTS, *_concepts(sets)]
    return "\n".join(parts)


def _whole(sets):
    lines = [
        "| log | answers | filter | network alone | pooled | pooled less filter | less network |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, found in sets.items():
        pooled = found["pooled"][0]
        figures = [_pair(found["filter"]), _pair(found["deep"]), _pair(pooled)]
        leads = [_lead(pooled[f"above_{part}"]["log_loss"]) for part in ("filter", "deep")]
        lines.append(_row(name, f"{found['answers']:,}", *figures, *leads))
    head = "Log loss / AUC / calibration error; *pooled* is at lag 0; differences are of log loss."
    commits = "; ".join(f"{name} {found['commit']}" for name, found in sets.items())
    return [head, "", *lines, "", f"Commits: {commits}.", *_stopped(sets)]


def _stopped(sets):
    """Return a note on networks that were not trained to their end."""
    origins = {name: found.get("network", {}).get("provenance", {}) for name, found in sets.items()}
    told = [f"{name}'s {one['stopped']}" for name, one in origins.items() if "stopped" in one]
    return ["", f"Networks whose training was stopped early: {'; '.join(told)}."] if told else []


def _lags(sets):
    count = len(next(iter(sets.values()))["pooled"])
    lines = [
        _row("log", *(f"lag {lag}" for lag in range(count)), "aged"),
        _row(*["---"] * (count + 2)),
    ]
    for name, found in sets.items():
        told = [
            f"{weight:.2f}: {_lead(pooled['above_filter']['log_loss'])}"
            for weight, pooled in zip(found["weights"]["lags"], found["pooled"], strict=True)
        ]
        aged = f"{found['weights']['aged']:.2f}" if found["has_times"] else "no times"
        lines.append(_row(name, *told, aged))
    return lines


def _ages(sets):
    timed = {name: found for name, found in sets.items() if found["has_times"]}
    lines = [_row("log", *AGE_NAMES), _row(*["---"] * (len(AGE_NAMES) + 1))]
    for name, found in timed.items():
        cells = [f"{one['weight']:.2f} ({one['answers']:,})" for one in found["weight_by_age"]]
        lines.append(_row(name, *cells))
    return lines


def _concepts(sets):
    lines = [
        "| log | answers with such items | own weight | by their own weight | by the items' |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, found in sets.items():
        own, other = found["concepts"], found["concepts_as_items"]
        leads = [_lead(one["above_filter"]["log_loss"]) for one in (own, other)]
        weight = f"{found['concept_weight']:.2f}"
        lines.append(_row(name, f"{own['predicted']:.0%}", weight, *leads))
    return lines


def _row(*cells):
    return f"| {' | '.join(cells)} |"


def _pair(scores):
    return f"{scores['log_loss']:.4f} / {scores['auc']:.4f} / {scores['calibration_error']:.3f}"


def _lead(interval):
    value, low, high = (f"{one:+.4f}".replace("-", "−") for one in interval)
    return f"{value} ({low} to {high})"
