"""What a calibration is worth in the tutor: priors of new items, and forecasts of a pinned run.

    .venv/bin/python -m tests.benchmarks.calibration_in_use --data DIR [--docs DOCS] [--seeds 5]

DIR holds the unpacked folder dbe_kt22. Learners are halved: one half knows four fifths of the items
well and has given the last fifth 0 to 50 answers each; what is said of these is held against the
difficulty that the other half's answers give. Then a fifth of all learners is left out, and the
live filter forecasts them with its own offsets and with those of a pinned run. With --docs it
writes DOCS/benchmarks/calibration_in_use.json and its section of DOCS/benchmarks.md.
"""

import argparse
import csv
import datetime as dt
import json
import re
import sys
from pathlib import Path

import numpy as np

from curriculum.irt.common_slope import at_common_slope
from curriculum.irt.em import fit_em
from curriculum.irt.item_priors import Source, concept_source, learn_priors, pool
from curriculum.irt.models import ItemModel, Priors
from curriculum.irt.responses import Responses, select_first_attempts
from curriculum.irt.standard_errors import standard_errors
from curriculum.irt.text_features import text_features
from kt_models import api
from kt_models.data.research_logs import RESEARCH_LOGS
from kt_models.data.splits import split_learners
from kt_models.training import psi_fold
from tests.benchmarks.psi_filter import circumstances as circumstances_of
from tutor.registry import pinning

HEADING = "## Calibration in use: priors and pinned runs"
ANSWERS = (0, 5, 20, 50)
FOLDS = 5
TRAINING = (60, 250, 1011)
KNOWN_SE = 0.35


def main(arguments):
    """Run the benchmark; return 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--docs", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args(arguments)
    options.splits = options.seeds
    folder = options.data / "dbe_kt22"
    log = RESEARCH_LOGS["dbe_kt22"](folder)
    sources = sources_of(folder, log)
    result = circumstances_of(options)
    result["command"] = (
        f"python -m tests.benchmarks.calibration_in_use --data DIR --seeds {options.seeds}"
    )
    seeds = range(options.seeds)
    result["priors"] = [new_items(log, sources, seed) for seed in seeds]
    result["pinned"] = [
        forecasts(log, sources, seed, learners) for learners in TRAINING for seed in seeds
    ]
    print(json.dumps(result, indent=1))
    if options.docs:
        text = json.dumps(result, indent=1) + "\n"
        path = options.docs / "benchmarks" / "calibration_in_use.json"
        path.write_text(text, encoding="utf-8")
        write_section(options.docs / "benchmarks.md", result)
    return 0


def sources_of(folder, log):
    """Return what is known of the items beforehand, by name of the source."""
    questions = {row["id"]: row for row in rows_of(folder / "Questions.csv")}
    options, concepts = {}, {}
    for row in rows_of(folder / "Question_Choices.csv"):
        options.setdefault(row["question_id"], []).append(row["choice_text"])
    for row in rows_of(folder / "Question_KC_Relationships.csv"):
        concepts.setdefault(row["question_id"], []).append(int(row["knowledgecomponent_id"]))
    asked = [questions[key] for key in log.item_keys]
    main_concept = np.array([min(concepts[key]) for key in log.item_keys])
    _, concept = np.unique(main_concept, return_inverse=True)
    text = [
        text_features(
            stem=row["question_rich_text"],
            options=tuple(options.get(row["id"], ())),
            hints=int(bool(row["hint_text"].strip())),
            solution=row["explanation"],
        )
        for row in asked
    ]
    author = np.array([[float(row["difficulty"] or 2.0)] for row in asked])
    return {
        "author": Source("author", author),
        "concept": concept_source(concept),
        "text": Source("text", np.array(text)),
    }


def rows_of(path):
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def calibrate(responses):
    """Return every item's difficulty at the common slope, its error, the slope, the population."""
    fit = fit_em(responses, model=ItemModel.TWO)
    errors = standard_errors(
        responses,
        fit,
        model=ItemModel.TWO,
        priors=Priors(),
        anchored=np.zeros(len(responses.items), dtype=bool),
    )
    seen = responses.answered > 0
    common = at_common_slope(
        fit.bank, se=errors.difficulty, n=responses.answered, population=fit.population
    )
    difficulty = np.where(seen, common.difficulty, np.nan)
    return difficulty, np.where(seen, common.se, np.nan), common.slope, fit.population


def new_items(log, sources, seed):
    """Return RMSE against the other half's difficulty, by answers and by what is believed."""
    ours, theirs = split_learners(log, test_share=0.5, seed=seed)
    mine, _ = select_first_attempts(log.only_learners(ours))
    other, _ = select_first_attempts(log.only_learners(theirs))
    truth = calibrate(other)[0]
    well = (other.answered >= 200) & np.isfinite(truth)
    rng = np.random.default_rng(seed)
    fold_of = rng.permutation(len(truth)) % FOLDS
    wrong = {(count, name): [] for count in ANSWERS for name in COMBINATIONS}
    spreads = []
    for fold in range(FOLDS):
        new = fold_of == fold
        judged = new & well
        for count in ANSWERS:
            thin = thinned(mine, new, count, rng)
            difficulty, se, _, _ = calibrate(thin)
            known = np.where(new | (se > 2 * KNOWN_SE), np.nan, difficulty)
            for name, names in COMBINATIONS.items():
                priors = learn_priors(
                    sources=tuple(sources[one] for one in names), difficulty=known, se=se
                )
                spreads.append((name, float(priors.sd[0])))
                pooled, _ = pool(
                    difficulty=difficulty,
                    se=se,
                    fitted_sd=Priors().difficulty_sd,
                    prior_mean=priors.mean,
                    prior_sd=priors.sd,
                )
                if name == "no prior":
                    # The fit's own N(0, 2), which without an answer says 0.
                    pooled = np.where(np.isnan(difficulty), 0.0, difficulty)
                wrong[count, name] += (pooled - truth)[judged].tolist()
    return {
        "seed": seed,
        "items": len(wrong[0, "no prior"]),
        "rmse": {
            f"{count} answers, {name}": float(np.sqrt(np.mean(np.square(values))))
            for (count, name), values in wrong.items()
        },
        "sd": {
            name: float(np.mean([sd for own, sd in spreads if own == name]))
            for name in COMBINATIONS
        },
    }


COMBINATIONS = {
    "no prior": (),
    "mean of the bank": (),
    "author": ("author",),
    "concept": ("concept",),
    "text": ("text",),
    "author, concept, text": ("author", "concept", "text"),
}


def thinned(responses, new, count, rng):
    """Return the responses with at most `count` to each of the new items, drawn at random."""
    order = rng.permutation(len(responses))
    keep = ~new[responses.item]
    for item in np.flatnonzero(new):
        own = order[responses.item[order] == item]
        keep[own[:count]] = True
    learner = responses.learner[keep]
    kept, place = np.unique(learner, return_inverse=True)
    return Responses(
        learners=tuple(responses.learners[k] for k in kept),
        items=responses.items,
        learner=place,
        item=responses.item[keep],
        correct=responses.correct[keep],
    )


def forecasts(log, sources, seed, learners):
    """Return the log loss of held-out learners under the filter's own offsets and a pinned run."""
    train, test = split_learners(log, test_share=0.2, seed=seed)
    chosen = np.random.default_rng(seed).permutation(train)[:learners]
    known, held_out = log.only_learners(chosen), log.only_learners(test)
    fitted = api.fit_filter(known, seed=seed, fitted_on=dt.date.min)
    responses, _ = select_first_attempts(known)
    difficulty, se, slope, population = calibrate(responses)
    priors = learn_priors(
        sources=tuple(sources.values()),
        difficulty=np.where(se > 2 * KNOWN_SE, np.nan, difficulty),
        se=se,
        guess=sources["author"].columns[:, 0] - 2.0,
    )
    pooled, error = pool(
        difficulty=difficulty,
        se=se,
        fitted_sd=Priors().difficulty_sd,
        prior_mean=priors.mean,
        prior_sd=priors.sd,
    )
    run = pinning.PinnedRun(
        run=0,
        number=1,
        sha256="",
        mean=population.mean,
        sd=population.sd,
        slope=slope,
        items={
            k: pinning.PinnedItem(float(pooled[k]), float(error[k]), int(n))
            for k, n in enumerate(np.bincount(known.item, minlength=len(pooled)))
        },
    )
    place = {key: k for k, key in enumerate(log.item_keys)}
    body = {
        "parameters": fitted.parameters.to_dict(),
        "intercept": fitted.intercept,
        "item_offsets": {str(place[key]): own for key, own in fitted.item_offsets.items()},
    }
    pinned = pinning.pin(body, run)
    own, new = (column(each["item_offsets"], len(place), fitted) for each in (body, pinned))
    variances = np.array([pinned["item_vars"][str(k)] for k in range(len(place))])
    alone = pinning.pin({**body, "item_offsets": {}}, run)
    shift = pinned["translation"]["shift"]
    translated = column(alone["item_offsets"], len(place), fitted)
    translated += shift + fitted.parameters.ability_prior_mean
    losses = {
        "filter": loss(held_out, fitted, own),
        "pinned": loss(held_out, fitted, new, variances),
        "pinned, without variances": loss(held_out, fitted, new),
        "run alone": loss(held_out, fitted, translated),
    }
    by_learner = {name: mean_by_learner(held_out, each) for name, each in losses.items()}
    apart = by_learner["pinned"] - by_learner["filter"]
    return {
        "seed": seed,
        "learners": len(chosen),
        "log_loss": {name: float(each.mean()) for name, each in losses.items()},
        "pinned_less_filter": float(losses["pinned"].mean() - losses["filter"].mean()),
        "standard_error": float(apart.std(ddof=1) / np.sqrt(len(apart))),
        "translation": pinned["translation"],
        "correlation": float(np.corrcoef(own, new)[0, 1]),
    }


def column(offsets, count, fitted):
    return np.array([offsets.get(str(k), fitted.intercept) for k in range(count)])


def loss(log, fitted, offsets, variances=None):
    """Return [R] the log loss of each answer, in nats."""
    found = psi_fold.forecast_log(
        log,
        fitted.parameters,
        offsets=offsets[log.item],
        offset_vars=None if variances is None else variances[log.item],
    )
    chance = np.clip(found.prob, 1e-9, 1 - 1e-9)
    return -(log.correct * np.log(chance) + (1 - log.correct) * np.log(1 - chance))


def mean_by_learner(log, values):
    return np.add.reduceat(values, log.starts[:-1]) / np.diff(log.starts)


def write_section(page, result):
    """Replace the benchmark's own section of a page, or add it."""
    before = page.read_text(encoding="utf-8")
    own = re.compile(rf"^{re.escape(HEADING)}\n.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)
    section = "\n".join(section_of(result)) + "\n\n"
    after = own.sub(lambda _: section, before) if own.search(before) else f"{before}\n{section}"
    page.write_text(after.rstrip("\n") + "\n", encoding="utf-8")


def section_of(result):
    """Return the section as lines of Markdown."""
    runs = result["priors"]
    lines = [
        HEADING,
        "",
        f"`{result['command']}`, {result['measured_at']},",
        f"commit {result['commit'][:7]}, {result['hardware']}.",
        "All figures: `docs/benchmarks/calibration_in_use.json`.",
        "",
        "**Priors of new items**, DBE-KT22 (212 items of a university course, with texts,",
        "concepts and the authors' three levels). By half of the learners four fifths of the items",
        "are known well, and the last fifth has so many answers each; RMSE in logits against the",
        f"difficulty that the other half's answers give, over {len(runs)} seeds, every item once",
        "new. *No prior* is the fit's own N(0, 2), which without an answer says 0.",
        "",
        "| answers to each new item | " + " | ".join(COMBINATIONS) + " |",
        "|---|" + "---|" * len(COMBINATIONS),
    ]
    for count in ANSWERS:
        cells = [
            f"{np.mean([run['rmse'][f'{count} answers, {name}'] for run in runs]):.2f}"
            for name in COMBINATIONS
        ]
        lines.append(f"| {count} | {' | '.join(cells)} |")
    sds = [f"{np.mean([run['sd'][name] for run in runs]):.2f}" for name in COMBINATIONS]
    lines += [
        f"| sd given to the prior | {' | '.join(['–', *sds[1:]])} |",
        "",
        "**A pinned run**: the live filter's log loss on a fifth of the learners, left out of all",
        "fits, in nats per answer. *Filter*: its own offsets. *Run alone*: the run's difficulties,",
        "translated. *Pinned*: both pooled, with their variances, as a run in use is. Means over",
        "the seeds; the difference with its standard error over learners.",
        "",
        "| learners fitted on | filter | run alone | pinned | pinned less filter |",
        "|---|---|---|---|---|",
    ]
    for learners in sorted({run["learners"] for run in result["pinned"]}):
        own = [run for run in result["pinned"] if run["learners"] == learners]
        mean = {
            name: np.mean([run["log_loss"][name] for run in own]) for name in own[0]["log_loss"]
        }
        apart = np.mean([run["pinned_less_filter"] for run in own])
        error = np.mean([run["standard_error"] for run in own])
        lines.append(
            f"| {learners} | {mean['filter']:.4f} | {mean['run alone']:.4f} "
            f"| {mean['pinned']:.4f} | {apart:+.4f} ± {error:.4f} |"
        )
    return lines


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
