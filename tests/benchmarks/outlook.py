"""How well it is forecast whether and when learners of real logs reach a goal.

    .venv/bin/python -m tests.benchmarks.outlook --data DIR [--sets A,B] [--learners N]

DIR holds the unpacked sets; one that is absent is skipped. Writes docs/benchmarks/outlook.json,
where figures of sets that are not measured now are kept, and its section of docs/benchmarks.md.
"""

import argparse
import dataclasses
import datetime as dt
import json
import sys
from pathlib import Path

import numpy as np

from curriculum.outlook import judging
from curriculum.outlook.drawing import (
    LOOK_DAYS,
    PERIOD_DAYS,
    drawn_looks,
    moments_of,
    usual_pace,
)
from curriculum.outlook.following import follow, trace
from curriculum.outlook.histories import Answer, Tracing
from curriculum.outlook.looks import gather
from kt_models.data.csv_log import LogUnreadable
from kt_models.runs.benchmark import log_path, read_set
from kt_models.training.psi_filter import fit_filter
from tests.benchmarks.outlook_report import section
from tests.benchmarks.outlook_rivals import rivals
from tests.benchmarks.product.circumstances import DOCS, circumstances, write

# Learners drawn at random, and the percentage by which concepts count as reached: 70, what a class
# that says nothing awards by; where hardly anybody gets there, 50, the mildest rule of a class.
SETS = {
    "assistments2017": (900, 50),
    "dbe_kt22": (1264, 70),
    "assistments2012_dev": (4000, 70),
}
SEED = 0


def main(arguments):
    """Measure the sets that are there; return 0, or 1 if there is none."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--learners", type=int, help="fewer learners than the usual ones")
    parser.add_argument("--resamples", type=int, default=200)
    options = parser.parse_args(arguments)
    now = circumstances()
    result = now | {"seed": SEED, "resamples": options.resamples, "sets": earlier()}
    measured_now = {}
    for name in options.sets.split(","):
        try:
            log_path(options.data, name)
        except LogUnreadable as reason:
            print(f"skipped {name}: {reason}")
            continue
        found = measured(options.data, name, options.learners, options.resamples)
        measured_now[name] = found | {"date": now["date"], "commit": now["commit"]}
        print(json.dumps({name: found}, indent=1), flush=True)
        result["sets"] |= measured_now
        write("outlook", result=result, section=section(result))
    return 0 if measured_now else 1


def earlier():
    """Return the figures by set that were measured before."""
    path = DOCS / "benchmarks" / "outlook.json"
    return json.loads(path.read_text())["sets"] if path.is_file() else {}


def measured(data, name, learners, resamples):
    """Return the figures of one set."""
    usual, percent = SETS[name]
    log = sampled(with_further_tries(read_set(data, name)), learners or usual)
    traced, tracing = traced_log(log, percent / 100.0, train=training_learners(log))
    more = usual_pace(traced[learner] for learner in training_learners(log))
    looks = looks_of(traced, tracing, more, until=float(log.answered_at.max()))
    parts = judging.split(looks, seed=SEED, among=np.arange(len(log.learner_keys)))
    judged = judging.fit_and_judge(parts, seed=SEED, resamples=resamples)
    return {
        "learners_drawn": len(log.learner_keys),
        "answers": len(log),
        "percent": percent,
        "more_concepts": more,
        **judged.evidence,
        "by_look": by_look(parts.test, judged),
        "rivals": rivals(parts, judged, seed=SEED, resamples=resamples),
        "random_labels": random_labels(parts),
        "drop_outs_as_missed": drop_outs_as_missed(parts, judged),
        "weights": dict(
            zip(judging.NAMES, np.round(judged.hazard.weights, 3).tolist(), strict=True)
        ),
    }


def with_further_tries(log):
    """Return the log with answers to the very item answered before marked as helped.

    As the product's readers of these logs do: what came after feedback measures nothing.
    """
    again = np.zeros(len(log), dtype=bool)
    again[1:] = log.item[1:] == log.item[:-1]
    again[log.starts[:-1][log.starts[:-1] < len(log)]] = False
    return dataclasses.replace(log, assisted=log.assisted | again)


def sampled(log, learners):
    """Return so many learners of a log, drawn at random."""
    chosen = np.random.default_rng(SEED).permutation(len(log.learner_keys))[:learners]
    return log.only_learners(np.sort(chosen))


def training_learners(log):
    """Return the learners that `judging.split` fits on: tracer and goals depend on no others."""
    everyone = np.random.default_rng(SEED).permutation(len(log.learner_keys))
    return np.sort(everyone[: round(judging.SHARES[0] * len(everyone))])


def traced_log(log, lower_prob, *, train):
    """Return everybody's history, traced by a filter fitted on the training learners."""
    fitted = fit_filter(log.only_learners(train), seed=SEED, fitted_on=dt.date(2026, 1, 1))
    reference = {
        k: fitted.concept_offsets.get(key, fitted.intercept)
        for k, key in enumerate(log.concept_keys)
    }
    tracing = Tracing(fitted.parameters, reference, lower_prob=lower_prob)
    sets = [tuple(k for k in row if k >= 0) for row in log.concept_sets.tolist()]
    names = [[log.concept_keys[k] for k in own] for own in sets]
    concept_of_item = dict(zip(log.item.tolist(), log.concept_set.tolist(), strict=True))
    offset = [
        fitted.offset_of(key, names[concept_of_item[k]]) if k in concept_of_item else 0.0
        for k, key in enumerate(log.item_keys)
    ]
    columns = (log.answered_at, log.concept_set, log.correct, log.assisted, log.item)
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    traced = []
    for first, last in zip(log.starts[:-1].tolist(), log.starts[1:].tolist(), strict=True):
        answers = [
            Answer(at, sets[concepts], correct, assisted, offset[item])
            for at, concepts, correct, assisted, item in rows[first:last]
        ]
        traced.append(trace(answers, tracing, moments_of(answers)))
    return traced, tracing


def looks_of(traced, tracing, more, *, until):
    """Return the looks at everybody's goals up to then; a learner's number is the log's."""
    concepts = sorted(tracing.reference_offsets)
    return gather(
        (learner, follow(own, tracing, drawn_looks(own, concepts, more=more, until=until)))
        for learner, own in enumerate(traced)
    )


def by_look(test, judged):
    """Return average precision of the model and of who is behind, by days since the opening."""
    known, found = test.outcomes(), {}
    for days in LOOK_DAYS:
        own = np.isclose(test.days_left, PERIOD_DAYS - days) & (known.weight > 0.0)
        missed, weight = ~known.reached[own], known.weight[own]
        found[f"{days:g}"] = (
            {"looks": int(own.sum())}
            | {
                name: round(
                    judging.scoring.average_precision(
                        missed, judging.risk_of(name, test, judged.hazard)[own], weight
                    ),
                    4,
                )
                for name in (judging.MODEL, *judging.PEERS)
            }
            | {"missed": round(float(np.average(missed, weights=weight)), 4)}
        )
    return found


def random_labels(parts):
    """Return what a hazard fitted on outcomes of others scores: it has to be chance."""
    shuffled = []
    for number, own in enumerate((parts.train, parts.valid, parts.test)):
        order = np.random.default_rng([SEED, number]).permutation(len(own))
        shuffled.append(dataclasses.replace(own, days=own.days[order], reached=own.reached[order]))
    hazard = judging.fit_hazard(shuffled[0])
    test = shuffled[2]
    # The same time left for all: else who has a day left misses more than who has four weeks.
    seen = test.outcomes(14.0)
    risk = 1.0 - hazard.chances(test.features, 14.0)
    return {
        "auc": round(judging.scoring.area_under_roc(~seen.reached, risk, seen.weight), 4),
        "average_precision": round(
            judging.scoring.average_precision(~seen.reached, risk, seen.weight), 4
        ),
        "missed": round(float(np.average(~seen.reached, weights=seen.weight)), 4),
    }


def drop_outs_as_missed(parts, judged):
    """Return the figures if whoever stopped counted as having missed the date."""
    test = parts.test
    missed = ~(test.reached & (test.days <= test.days_left))
    risk = judging.risk_of(judging.MODEL, test, judged.hazard)
    ones = np.ones(len(test))
    point = judging.scoring.at_working_point(missed, risk, ones, judged.threshold)
    return {
        "missed": round(float(missed.mean()), 4),
        "precision": round(point.precision, 4),
        "recall": round(point.recall, 4),
    } | {
        name: round(
            judging.scoring.average_precision(
                missed, judging.risk_of(name, test, judged.hazard), ones
            ),
            4,
        )
        for name in (judging.MODEL, *judging.PEERS)
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
