"""What a deep model adds to the live filter as it is served, on held-out learners of real logs.

    .venv/bin/python -m tests.benchmarks.pooled_estimates --data DIR [--runs RUNS] [--sets A,B]

DIR holds the unpacked sets; one that is absent is skipped. RUNS is the folder of `python -m
kt_models benchmark --protocol learner-split` with psi-filter and cakt-item; what it lacks of fold 0
is trained first, with the first settings that docs/benchmarks/settings.json names, which takes
minutes a set. Writes docs/benchmarks/pooled_estimates.json, where figures of sets that are not
measured now are kept, and its section of docs/benchmarks.md.
"""

import argparse
import dataclasses
import itertools
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from kt_models import cli
from kt_models.data.csv_log import LogUnreadable
from kt_models.data.splits import split_fold
from kt_models.models import MODELS
from kt_models.models.folding import offsets_of_answers
from kt_models.runs.benchmark import chosen_run, folder_of, log_path, read_set
from kt_models.saved_models import load_model
from kt_models.training import pool_fit, pool_replay
from tests.benchmarks.pooled_estimates_report import section
from tests.benchmarks.product.circumstances import DOCS, circumstances, write

SETS = ("dbe_kt22", "statics2011", "assistments2017", "assistments2009", "ednet_sample")
PARTS = ("psi-filter", "cakt-item")
PROTOCOL = "learner-split"
SEED = 0
DAY_S = 86_400.0
# Bounds, in seconds, of how old a prediction is.
AGES = (0.0, 60.0, 600.0, 3600.0, DAY_S, 7.0 * DAY_S, np.inf)


def main(arguments):
    """Measure the sets that are there; return 0, or 1 if there is none."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--runs", type=Path)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--resamples", type=int, default=300)
    options = parser.parse_args(arguments)
    runs = options.runs or Path(tempfile.mkdtemp(prefix="pooled-"))
    now = circumstances()
    result = now | {"seed": SEED, "fold": 0, "resamples": options.resamples, "sets": earlier()}
    measured_now = {}
    for name in options.sets.split(","):
        try:
            log_path(options.data, name)
        except LogUnreadable as reason:
            print(f"skipped {name}: {reason}")
            continue
        found = measured(options.data, runs, name, options.resamples)
        measured_now[name] = found | {"date": now["date"], "commit": now["commit"]}
        print(json.dumps({name: found}, indent=1), flush=True)
    if not measured_now:
        return 1
    result["sets"] |= measured_now
    write("pooled_estimates", result=result, section=section(result))
    return 0


def earlier():
    """Return the figures by set that were measured before."""
    path = DOCS / "benchmarks" / "pooled_estimates.json"
    return json.loads(path.read_text())["sets"] if path.is_file() else {}


def measured(data, runs, name, resamples):
    """Return the figures of one set."""
    (live, _), (deep, provenance) = (fitted(data, runs, name, part) for part in PARTS)
    log = read_set(data, name)
    _, test = split_fold(log, fold=0, seed=SEED)
    held_out = log.only_learners(test)
    offsets = offsets_of_answers(
        live.vocabulary.align(held_out),
        item=live.item,
        concept=live.concept,
        unknown=live.intercept,
    )
    began = time.process_time()
    served = pool_replay.replay(held_out, deep, live.parameters, offsets=offsets, seed=SEED)
    replayed = time.process_time()
    fit = pool_fit.fit_pool(served, seed=SEED, resamples=resamples)
    return fit.figures | {
        "has_times": held_out.has_times,
        "network": {"config": dataclasses.asdict(deep.config), "provenance": provenance},
        "weights": fit.weights.to_dict(),
        "concept_weight": fit.weights.concepts,
        "weight_by_age": by_age(served),
        "replay_cpu_s": round(replayed - began, 1),
        "fit_cpu_s": round(time.process_time() - replayed, 1),
    }


def fitted(data, runs, name, model):
    """Return a model of the other folds' learners, trained where there is none, and its origin."""
    fold = folder_of(runs, PROTOCOL, name, model) / "fold-0"
    if not fold.is_dir() or chosen_run(fold) is None:
        train(data, runs, name, model)
    return load_model(chosen_run(fold).checkpoint, MODELS)


def train(data, runs, name, model):
    """Run one evaluation of the benchmark of models."""
    settings = json.loads((DOCS / "benchmarks" / "settings.json").read_text())
    runs.mkdir(parents=True, exist_ok=True)
    first = runs / "first_settings.json"
    first.write_text(
        json.dumps(
            {
                of_model: {of_set: candidates[0] for of_set, candidates in sets.items()}
                for of_model, sets in settings.items()
            }
        )
    )
    words = ["benchmark", "--data", str(data), "--out", str(runs), "--protocol", PROTOCOL]
    words += ["--sets", name, "--models", model, "--folds", "0", "--seed", str(SEED)]
    status = cli.main([*words, "--settings", str(first), "--resamples", "100"])
    if status:
        sys.exit(status)


def by_age(served):
    """Return what weight lag 0 would get from predictions of one age alone."""
    found = []
    for low, high in itertools.pairwise(AGES):
        part = served.rows((served.ages[:, 0] >= low) & (served.ages[:, 0] < high))
        weights = pool_fit.fit_weights(part, aged_after_s=1e18)
        found.append(
            {
                "from_s": low,
                "to_s": None if np.isinf(high) else high,
                "answers": len(part.learner),
                "weight": weights.lags[0],
            }
        )
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
