"""The outlook's section of docs/benchmarks.md, made from the figures alone."""

HEADING = "## Outlook: who reaches a goal by its date"

INTRODUCTION = """\
`{command} --data DIR`, {date}, commit {commit}, {hardware}; all figures:
`docs/benchmarks/outlook.json`. A goal is so many more concepts within 28 days, as many as the
middle training learner reaches; it is looked at 1, 7, 14 and 21 days after it opened, and forecast
by the date. Filter, goal and hazard come from 60 % of the learners, the working point (F1) from
20 %, the figures from the rest. Outcomes of whoever was lost from sight before the date are not
known; those that are known are weighted for them. *At risk* is who will miss the date. Intervals:
95 %, by learner, {resamples} resamples. *Behind*: share of the time over less share of the goal
reached; *pace*: days needed at the pace since the opening over days left; *usual pace*: the same by
the pace of the whole history. For the Brier score each rule's number is put on a logistic curve
fitted for it.
"""

NAMES = {
    "dbe_kt22": "DBE-KT22",
    "assistments2017": "ASSISTments 2017",
    "assistments2012_dev": "ASSISTments 2012",
}
METHODS = {
    "hazard": "hazard",
    "behind": "behind",
    "pace": "pace",
    "usual-pace": "usual pace",
}


def section(result):
    """Return the section as Markdown."""
    parts = [HEADING, "", INTRODUCTION.format(**result)]
    for name, found in result["sets"].items():
        parts += [f"### {NAMES.get(name, name)}", "", *_one(found), ""]
    return "\n".join(parts)


def _one(found):
    learners, looks = found["learners"], found["looks"]
    random, lost = found["random_labels"], found["drop_outs_as_missed"]
    head = (
        f"{found['date']}, commit {found['commit']}: {found['learners_drawn']:,} learners drawn, "
        f"{found['answers']:,} answers; reached at {found['percent']} %; goals of "
        f"{found['more_concepts']} more. {learners['test']} test learners with {looks['test']:,} "
        f"looks, of which {found['lost_from_sight']:.0%} were lost from sight before the date; "
        f"{found['missed']:.0%} missed it."
    )
    columns = ("average precision", "AUC", "precision", "recall", "named", "Brier")
    lines = [
        head,
        "",
        "| | " + " | ".join([*columns, "days off", "concordance"]) + " |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for key, name in METHODS.items():
        own = found["methods"][key]
        cells = [
            *(_cell(own.get(one)) for one in ("average_precision", "auc", "precision", "recall")),
            f"{own['named']:.0%}",
            _cell(own["brier"]),
            _cell(own.get("days_off"), places=1),
            _cell(own.get("concordance")),
        ]
        lines.append("| " + " | ".join([name, *cells]) + " |")
    lines += ["", _verdict(found), ""]
    lines += _looks(found)
    lines += ["", _calibration(found), "", _rivals(found), ""]
    lines += [
        f"On outcomes given to other looks by chance: AUC {random['auc']:.3f}, average "
        f"precision {random['average_precision']:.3f} where {random['missed']:.3f} missed. With "
        f"drop-outs taken as having missed it ({lost['missed']:.0%} then do): precision "
        f"{lost['precision']:.3f}, recall {lost['recall']:.3f}, average precision "
        + ", ".join(f"{METHODS[one]} {lost[one]:.3f}" for one in METHODS)
        + "."
    ]
    return lines


def _verdict(found):
    parts = []
    for key, lead in found["against"].items():
        word = "beaten" if lead["beaten"] else "not surely beaten"
        if lead["high"] < 0.0:
            word = "surely better than the hazard"
        parts.append(
            f"{METHODS[key]} is {word} ({lead['value']:+.3f}, {lead['low']:+.3f} to "
            f"{lead['high']:+.3f})"
        )
    return "In average precision: " + "; ".join(parts) + "."


def _looks(found):
    lines = [
        "| days since it opened | known outcomes | missed | hazard | behind | pace | usual pace |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for days, own in found["by_look"].items():
        cells = [f"{own[key]:.3f}" for key in METHODS]
        lines.append(f"| {days} | {own['looks']:,} | {own['missed']:.3f} | {' | '.join(cells)} |")
    return lines


def _calibration(found):
    bins = [
        f"{said:.0%} said, {came:.0%} came ({n:,.0f})"
        for _, _, n, said, came in found["calibration"]
    ]
    return "Chances of reaching it: " + "; ".join(bins) + "."


def _rivals(found):
    told = [
        f"{name.replace('-', ' ')} {own['average_precision']:.3f} / {own['brier']:.4f} "
        f"(lead: {own['hazard_less_this'][0]:+.3f} to {own['hazard_less_this'][1]:+.3f})"
        for name, own in found["rivals"].items()
    ]
    ours = found["methods"]["hazard"]
    return (
        "Average precision / Brier of other models, beside "
        f"{ours['average_precision']['value']:.3f} / {ours['brier']['value']:.4f}: "
        + "; ".join(told)
        + "."
    )


def _cell(own, *, places=3):
    if own is None:
        return "–"
    value, low, high = (f"{own[key]:.{places}f}" for key in ("value", "low", "high"))
    return f"{value} ({low} to {high})"
