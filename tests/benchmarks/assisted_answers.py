"""What a right answer after help says of the learner: rules compared on the answers that follow.

    .venv/bin/python -m tests.benchmarks.assisted_answers --data DIR [--logs A,B]

DIR holds the unpacked sets dbe_kt22 (the only one that tells hints) and assistments2017 (where half
of the rows try an item again that was just answered wrong). Writes
docs/benchmarks/assisted_answers.json, where figures of logs that are not measured now are kept, and
its section of docs/benchmarks.md.
"""

import argparse
import dataclasses
import datetime as dt
import json
import sys
from pathlib import Path

import numpy as np

from kt_models.data.csv_log import LogUnreadable
from kt_models.data.splits import split_fold
from kt_models.evaluation import metrics, resampling
from kt_models.models.folding import offsets_of_answers
from kt_models.runs.benchmark import log_path, read_set
from kt_models.training import psi_filter, psi_fold
from tests.benchmarks.assisted_answers_report import section
from tests.benchmarks.product.circumstances import DOCS, circumstances, write

SEED = 0
FOLDS = {"dbe_kt22": (0, 1, 2, 3, 4), "assistments2017": (0,)}
PRESENT = "no evidence"
CREDITS = (0.5, 0.75, 0.9)
HELPS = (0.25, 0.5, 1.0, 2.0)
# Rules whose filter is fitted once more under the rule itself, where there is one fold.
REFITTED = ("plain", "dropped")
WITHIN = 10


def main(arguments):
    """Measure the logs that are there; return 0, or 1 if there is none."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--logs", default=",".join(FOLDS))
    parser.add_argument("--resamples", type=int, default=300)
    options = parser.parse_args(arguments)
    now = circumstances()
    result = now | {"seed": SEED, "resamples": options.resamples, "logs": earlier()}
    measured_now = {}
    for name in options.logs.split(","):
        try:
            log_path(options.data, name)
        except LogUnreadable as reason:
            print(f"skipped {name}: {reason}")
            continue
        log = marked(name, read_set(options.data, name))
        found = measured(log, FOLDS[name], options.resamples)
        measured_now[name] = found | {"date": now["date"], "commit": now["commit"]}
        print(json.dumps({name: found}, indent=1), flush=True)
    if not measured_now:
        return 1
    result["logs"] |= measured_now
    write("assisted_answers", result=result, section=section(result))
    return 0


def earlier():
    """Return the figures by log that were measured before."""
    path = DOCS / "benchmarks" / "assisted_answers.json"
    return json.loads(path.read_text())["logs"] if path.is_file() else {}


def marked(name, log):
    """Return a log with hints, or with answers that try again what was just answered wrong."""
    if name != "assistments2017":
        return log
    again = np.zeros(len(log), dtype=bool)
    again[1:] = (log.item[1:] == log.item[:-1]) & (log.correct[:-1] < 0.5)
    again[1:] &= log.learner[1:] == log.learner[:-1]
    return dataclasses.replace(log, assisted=again)


def measured(log, folds, resamples):
    """Return the figures of one log, over the test learners of all its folds."""
    parts = [one_fold(log, fold, refit=len(folds) == 1) for fold in folds]
    whole = {key: np.concatenate([part[key] for part in parts]) for key in parts[0] if key != "own"}
    rules = [key for key in whole if key not in ("correct", "learner", "assisted", "since")]
    asked = ~whole["assisted"]
    near = asked & (whole["since"] <= WITHIN)
    return {
        "folds": len(folds),
        "answers": len(whole["correct"]),
        "assisted": int(whole["assisted"].sum()),
        "assisted_right": float(whole["correct"][whole["assisted"]].mean()),
        "chosen": [part["own"] for part in parts],
        "all": scored(whole, asked, rules, resamples),
        "soon_after": scored(whole, near, rules, resamples),
    }


def scored(whole, rows, rules, resamples):
    """Return each rule's log loss on some answers, less that of the present rule."""
    correct, learner = whole["correct"][rows], whole["learner"][rows]
    found = {"answers": int(rows.sum()), "rules": {}}
    for rule in rules:
        difference = resampling.paired(
            metrics.log_loss,
            correct=correct,
            prob=whole[rule][rows],
            other=whole[PRESENT][rows],
            learner=learner,
            seed=SEED,
            resamples=resamples,
        )
        found["rules"][rule] = {
            "log_loss": metrics.log_loss(correct, whole[rule][rows]),
            "above_present": [difference.value, difference.low, difference.high],
        }
    return found


def one_fold(log, fold, *, refit):
    """Return what is told of a fold's test learners under each rule."""
    training, test = split_fold(log, fold=fold, seed=SEED)
    train, held_out = log.only_learners(training), log.only_learners(test)
    usual = fitted(train, ~train.assisted)
    on_training = as_ruled(train, usual)
    soon = ~train.assisted & (since_help(train) <= WITHIN)

    def loss(rule):
        return metrics.log_loss(train.correct[soon], on_training[rule]()[soon])

    credit = min((f"credit {c}" for c in CREDITS), key=loss)
    easier = min((f"easier by {h}" for h in HELPS), key=loss)
    told = as_ruled(held_out, usual)
    found = {rule: told[rule]() for rule in (PRESENT, "dropped", "wrong", "plain")}
    found |= {"part credit, fitted": told[credit](), "an easier item, fitted": told[easier]()}
    if refit:
        for rule in REFITTED:
            own = fitted(*as_trained(train, rule))
            found[f"{rule}, refitted"] = as_ruled(held_out, own)[rule]()
        every = fitted(train, np.ones(len(train), dtype=bool))
        found[f"{PRESENT}, fitted to all answers"] = as_ruled(held_out, every)[PRESENT]()
    return found | {
        "correct": held_out.correct,
        "learner": held_out.learner + 100_000 * fold,
        "assisted": held_out.assisted,
        "since": since_help(held_out),
        "own": [credit, easier],
    }


def fitted(log, scored):
    """Return the filter of a training log that expects some of its answers well."""
    return psi_filter.fit_filter(log, seed=SEED, fitted_on=dt.date.min, scored=scored)


def as_trained(log, rule):
    """Return a training log as a rule reads it, and which of its answers are scored."""
    if rule == "dropped":
        kept = log.only_answers(~log.assisted)
        return kept, np.ones(len(kept), dtype=bool)
    return dataclasses.replace(log, assisted=np.zeros(len(log), dtype=bool)), ~log.assisted


def as_ruled(log, live):
    """Return by rule a function that forecasts every answer of a log."""
    item = np.array([live.item_offsets.get(key, np.nan) for key in log.item_keys])
    concept = np.array([live.concept_offsets.get(key, np.nan) for key in log.concept_keys])
    concept[np.isnan(concept)] = live.intercept
    offsets = offsets_of_answers(log, item=item, concept=concept, unknown=live.intercept)
    helped = log.assisted
    right = helped & (log.correct > 0.5)
    nobody = np.zeros(len(log), dtype=bool)

    def told(*, correct=log.correct, assisted=nobody, offset=offsets, variance=None):
        def forecast():
            read = dataclasses.replace(log, correct=correct, assisted=assisted)
            return psi_fold.forecast_log(
                read, live.parameters, offsets=offset, offset_vars=variance
            ).prob

        return forecast

    rules = {
        PRESENT: told(assisted=helped),
        "dropped": told(variance=np.where(helped, np.inf, 0.0)),
        "wrong": told(correct=np.where(helped, 0.0, log.correct)),
        "plain": told(),
    }
    rules |= {f"credit {c}": told(correct=np.where(right, c, log.correct)) for c in CREDITS}
    return rules | {f"easier by {h}": told(offset=offsets + h * helped) for h in HELPS}


def since_help(log):
    """Return [R] answers since the last assisted one on any concept of the item; large for none."""
    found = np.full(len(log), len(log) + 1)
    last = {}
    learner, concepts, assisted = log.learner.tolist(), log.concepts.tolist(), log.assisted.tolist()
    for row, (who, named, helped) in enumerate(zip(learner, concepts, assisted, strict=True)):
        keys = [(who, concept) for concept in named if concept >= 0]
        found[row] = min((row - last[key] for key in keys if key in last), default=found[row])
        if helped:
            last.update(dict.fromkeys(keys, row))
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
