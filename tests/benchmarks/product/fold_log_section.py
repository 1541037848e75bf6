"""The section of docs/benchmarks.md about folding a large log, made from the figures alone."""

INTRODUCTION = """## A large log, fitted and folded

`{command}`: the rows of a public
log are put into an empty database, then everything learnt from them is made as after an import.
{date}, {hardware}, commit {commit}, Python {python}. All figures:
`docs/benchmarks/fold_log.json`.
"""

NOTES = """*Read, fold, store*: everybody's states from the database to the database in chunks of
50,000 answers (`rebuilding.fold_everybody`), with counting, locks and commits. *Fit*: reading the
log as columns and fitting (`registry.training.fit_filter`). *Both*: `adoption.fit_and_adopt`, what
an import does in the end, the switch included. *Estimated* is what `adoption.estimate_seconds` said
before, by its yardstick alone, and after, with this fit on record. *Check*: every stored state
against the compiled fold, and some 50,000 answers row by row. The peak is that of the whole process
from fit to fold. PostgreSQL runs without fsync, on the same cores.
"""

SAMPLING = """The scalars are fitted on a sample of whole learners, drawn by a seed; item offsets on
everybody's answers. What the sample costs, on learners held out (20 %, split seed 0):

| log | scalars from | fit s | log loss held out | more than from all (95 %) |
|---|---|---|---|---|"""


def section(result: dict) -> str:
    """Return the section as Markdown."""
    logs = result["logs"]
    parts = [INTRODUCTION.format(**result), *(_log(name, logs[name]) for name in logs), NOTES]
    parts.append(SAMPLING + "".join(_sampling(name, logs[name]["sampling"]) for name in logs))
    return "\n".join(parts) + "\n"


def _log(name: str, found: dict) -> str:
    one = found["sqlite"]
    answers = one["answers"]
    head = (
        f"**{name}**: {answers:,} answers of {one['learners']:,} learners to {one['items']:,} "
        f"items of {one['concepts']} concepts.\n\n| what | SQLite | PostgreSQL |\n|---|---|---|\n"
    )
    lines = [
        ("load of the machine before", lambda of: f"{of['load_before']}"),
        ("filter alone, compiled, answers/s", _rate(answers, "filter_seconds")),
        ("whole state, compiled, answers/s", _rate(answers, "whole_state_seconds")),
        ("reading as columns, answers/s", _rate(answers, "read_seconds")),
        ("read, fold, store, answers/s", _rate(answers, "fold_seconds")),
        ("row by row in numpy, µs an answer", lambda of: f"{of['row_by_row_us']}"),
        ("fit, s", lambda of: f"{of['fit_seconds']:.1f}"),
        ("read, fold, store, s", lambda of: f"{of['fold_seconds']:.1f}"),
        ("both, s", lambda of: f"{of['fit_and_fold_seconds']:.1f}"),
        (
            "estimated before / after, s",
            lambda of: f"{of['estimated_seconds']} / {of['estimated_seconds_after']}",
        ),
        ("check, s", lambda of: f"{of['check_seconds']:.1f}"),
        ("peak memory, MB", lambda of: f"{of['peak_memory_mb']}"),
        (
            "course as arrays + tracer over it, once a revision, s",
            lambda of: f"{of['bank_seconds']:.2f} + {of['lay_over_seconds']:.2f}",
        ),
        (
            "mastery of a class of 100, s",
            lambda of: f"{of['class_of_100_masteries_seconds']:.2f}",
        ),
    ]
    rows = [f"| {what} | {of(found['sqlite'])} | {of(found['postgresql'])} |" for what, of in lines]
    return head + "\n".join(rows) + "\n"


def _rate(answers: int, name: str):
    return lambda of: f"{answers / of[name]:,.0f}"


def _sampling(name: str, found: dict) -> str:
    value, low, high = found["log_loss_more"]
    lines = ""
    for which in ("sampled", "all"):
        own = found[which]
        more = f"{value:+.5f} ({low:+.5f} to {high:+.5f})" if which == "sampled" else "–"
        lines += (
            f"\n| {name} | {own['answers']:,} answers of {own['learners']:,} | {own['seconds']} "
            f"| {own['held_out_log_loss']:.5f} | {more} |"
        )
    return lines
