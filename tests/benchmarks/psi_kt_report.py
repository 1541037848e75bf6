"""The section of docs/benchmarks.md on PSI-KT, made from the figures alone."""

import re

HEADING = "## PSI-KT: forecasts, graph, traits"

INTRODUCTION = """\
`python -m tests.benchmarks.psi_kt_forecast run LOG --data DIR --work WORK` for each log, then
`report`; traits by `psi_kt_recovery`, known graphs by `psi_kt_known_graph`, speed by
`psi_kt_speed`. All figures:
`docs/benchmarks/psi_kt_forecast.json`.

A forecast from ten to ten: fold 0 of five, by learner; of each test learner with twenty answers,
answers 11 to 20 are predicted from the first ten alone, open loop (which item comes and when is
known, no outcome is). All models have learnt from the same training learners and are told the same
ten answers. psi-filter-graph and psi-kt learn from each training learner's first 50 answers, as in
the paper, the filter's graph from 200, and psi-filter from whole histories. Configurations were
chosen on training learners of another split of the same logs, some of whom are among those tested
here. Intervals are 95 % bootstrap intervals by learner; differences are paired, on the same
answers.
"""


# Of rows that were measured before the code was put right.
BEFORE = """\
*Measured before the correction of psi-kt: its rows and differences here are of code that cut whole
histories into pieces of 50 answers, each taken for a beginner's, whose bound was too high by the
variance of log omega, and whose permuted graph was trained for eight epochs more than the learnt.*
"""

NOTES = """\
Of the filter *without a graph* the scalars are trained for five epochs, with one, learnt or
permuted, for three more; psi-kt is trained from the same first weights for the same fifteen epochs
with a learnt, a permuted and no graph. The permuted graph is therefore the fair null, and a lead
over no graph alone is none of the graph's. An AUC whose interval holds 0.5 found nothing. Logs and
models that are missing here were not run. Measured while the machine had ten times more work than
processors: seconds are processor time.
"""


def write_section(page, result):
    """Put the section in the page in place of an earlier one, or at its end."""
    before = page.read_text(encoding="utf-8")
    section = section_of(result) + "\n"
    own = re.compile(rf"^{re.escape(HEADING)}\n.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)
    after = own.sub(lambda _: section, before) if own.search(before) else f"{before}\n{section}"
    page.write_text(after.rstrip() + "\n", encoding="utf-8")


def section_of(result):
    """Return the section as Markdown."""
    parts = [HEADING, "", INTRODUCTION]
    for name, found in result.items():
        if "models" in found:
            parts += forecasts(name, found)
    parts.append(NOTES)
    if "links" in result.get("dbe_kt22", {}):
        parts += links(result["dbe_kt22"]["links"])
    if "recovery" in result:
        parts += recovery(result["recovery"])
    if "known_graph" in result:
        parts += known_graph(result["known_graph"])
    if "speed" in result:
        parts += speed(result["speed"])
    return "\n".join(parts).rstrip() + "\n"


def forecasts(name, found):
    """Return the table of one log's forecasts and the differences."""
    some = next(iter(found["models"].values()))
    told_first = (
        f"**{name}**: {some['n']:,} answers of {some['learners']} test learners, "
        f"{found['training_learners']:,} training learners; "
        f"majority rate {some['majority_rate']:.4f}."
    )
    lines = [
        told_first,
        "",
        "| model | AUC | log loss | Brier | accuracy | processor seconds |",
        "|---|---|---|---|---|---|",
    ]
    for model, told in found["models"].items():
        cells = [f"{told[m]:.4f} ({told[f'{m}_low']:.4f}–{told[f'{m}_high']:.4f})" for m in METRICS]
        lines.append(
            f"| {model} | {' | '.join(cells)} | {told['accuracy']:.4f} "
            f"| {told['processor_seconds']:.0f} |"
        )
    lines += ["", "Less than 0 in log loss and more than 0 in AUC is a lead.", ""]
    lines += ["| model | against | log loss | AUC |", "|---|---|---|---|"]
    lines += [difference(told, "") for told in found["paired"]]
    lines += [difference(told, ", answer by answer") for told in found["graph_prequential"]]
    return [*lines, "", *measured(found), ""]


def measured(found):
    """Return when, on what and at which commit a log's figures were measured."""
    if "measured" not in found:
        return [BEFORE.rstrip()]
    line = when({key: ", ".join(values) for key, values in found["measured"].items()})
    if found.get("before"):
        line += (
            f" Rows and differences of {', '.join(f'*{name}*' for name in found['before'])} were"
            " measured before the correction of psi-kt, on the same answers."
        )
    return [line]


METRICS = ("auc", "log_loss", "brier")


def difference(told, note):
    """Return a row of the table of differences."""
    cells = [
        f"{v:+.4f} ({low:+.4f}–{high:+.4f})" for v, low, high in (told["log_loss"], told["auc"])
    ]
    return f"| {told['model']} | {told['other']}{note} | {' | '.join(cells)} |"


def links(found):
    """Return what was found of the experts' links."""
    lines = [
        "DBE-KT22's experts linked concepts; the file names each link in both directions, so",
        "pairs are to be found. AUC of telling linked pairs from others by the larger of a",
        "pair's two values; the interval resamples concepts. *Direction* counts linked pairs",
        "whose larger edge starts at the concept that the course met first.",
        "",
        "| learnt | pairs | linked | AUC | with an edge over 0.01 | linked of these | direction |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, told in found.items():
        auc, low, high = told["auc"]
        way = told["direction"]
        lines.append(
            f"| {name} | {told['pairs']:,} | {told['linked_pairs']} "
            f"| {auc:.3f} ({low:.3f}–{high:.3f}) "
            f"| {told['pairs_with_an_edge']} | {told['linked_among_them']} "
            f"| {way['as_the_course']} of {way['pairs']} |"
        )
    return [*lines, ""]


def recovery(found):
    """Return how well traits are recovered."""
    lines = [
        f"**Traits** of {found['learners']} simulated learners with {found['answers']} answers on",
        "5 concepts: rank",
        "correlation of estimate and truth. *Exact* is the posterior mean by quadrature over",
        "traits and states, told the population; *share* is a model's correlation over the exact",
        "posterior's, *coverage* how often the 95 % interval holds the truth.",
        "",
        "| estimate | alpha | mu | share, alpha | share, mu | coverage, alpha | coverage, mu |",
        "|---|---|---|---|---|---|---|",
        f"| exact | {found['exact']['alpha']:.3f} | {found['exact']['mu']:.3f} | – | – | – | – |",
    ]
    for name, told in found.items():
        if isinstance(told, dict) and "share" in told:
            share, held = told["share"], told["coverage"]
            lines.append(
                f"| {name} | {told['alpha']:.3f} | {told['mu']:.3f} | {share['alpha']:.3f} "
                f"| {share['mu']:.3f} | {held['alpha']:.2f} | {held['mu']:.2f} |"
            )
    return [*lines, "", *under_the_mark(found), *by_measurement(found), ""]


def by_measurement(found):
    """Return which estimates were measured when; those of one run together."""
    names = {}
    for name, told in found.items():
        if isinstance(told, dict) and "measured" in told:
            names.setdefault(when(told["measured"]), []).append(name)
    return [f"{'; '.join(own)}: {told}" for told, own in names.items()]


def when(told):
    """Return when, on what and of which code a figure is, and what else was noted of it."""
    remark = f" ({told['remark']})" if "remark" in told else ""
    return f"{told['date']}, {told['hardware']}, commit {told['commit']}{remark}."


# Of the exact posterior's rank correlation.
MARK = 0.95


def under_the_mark(found):
    """Return which estimates fall short of the mark, by name."""
    short = [
        f"{trait} by {name} ({told['share'][trait]:.3f})"
        for name, told in found.items()
        if isinstance(told, dict) and "share" in told
        for trait in ("alpha", "mu")
        if told["share"][trait] < MARK
    ]
    return [f"The mark is a share of {MARK}. Under it:", f"{'; '.join(short) or 'none'}."]


def known_graph(found):
    """Return what is found of graphs that learners were simulated with."""
    worlds = found["worlds"]
    lines = [
        f"**Known graphs**: {len(worlds)} worlds of {found['learners']} simulated learners with",
        f"{found['answers']} answers on {found['concepts']} concepts, each but the first resting",
        "on one or two others (gamma = 1). AUC of telling edges from all other ordered pairs,",
        "their own reverses among them, and of linked pairs whatever the direction; mean over",
        "worlds, 95 % interval by Student's t. *Exchanged*: the same values with the concepts'",
        "names exchanged at random.",
        "",
        "| learnt | AUC, edges | AUC, pairs | edges, exchanged | pairs, exchanged |",
        "|---|---|---|---|---|",
    ]
    for name, told in found["found"].items():
        cells = [mean_of(told["directed"]), mean_of(told["pairs"])]
        cells += [f"{told[f'{kind}, names exchanged'][0]:.3f}" for kind in ("directed", "pairs")]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return [*lines, "", when(found["measured"]), ""]


def mean_of(interval):
    """Return a mean with its interval."""
    mean, low, high = interval
    return f"{mean:.3f}" if low is None else f"{mean:.3f} ({low:.3f}–{high:.3f})"


def speed(found):
    """Return how the closed form compares with the dense one."""
    lines = [
        f"**Speed**: one evaluation and gradient of the bound, {found['batch']} learners,",
        f"{found['steps']} answers,",
        "processor seconds on one thread. *Dense* samples all states ten times from full",
        "covariance matrices; *every concept* is the closed form of the same terms;",
        "*answered* is what is",
        "trained on.",
        "",
        "| concepts | dense | every concept | dense / that | answered | dense / that |",
        "|---|---|---|---|---|---|",
    ]
    for name, told in found.items():
        if name.startswith("concepts_"):
            lines.append(
                f"| {name.split('_')[1]} | {told['dense']:.3f} | {told['every_concept']:.4f} "
                f"| {told['dense_over_every_concept']:.0f} | {told['answered_concepts']:.4f} "
                f"| {told['dense_over_answered_concepts']:.0f} |"
            )
    return [*lines, "", when(found["measured"]), ""]
