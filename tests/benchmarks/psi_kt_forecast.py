"""PSI-KT and its filters forecasting, with and without their graph, on three public logs.

    .venv/bin/python -m tests.benchmarks.psi_kt_forecast run LOG --data DIR --work WORK [--models …]
    .venv/bin/python -m tests.benchmarks.psi_kt_forecast report --data DIR --work WORK [--docs DOCS]

`run` fits models on the training learners of fold 0 and keeps what they predict in WORK, so it can
be killed and continued; `report` scores what is there and writes the figures, with --docs also
DOCS/benchmarks/psi_kt_forecast.json and the section of DOCS/benchmarks.md.
"""

import argparse
import dataclasses
import functools
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch

from kt_models.data.research_logs import RESEARCH_LOGS
from kt_models.data.splits import first_answers
from kt_models.evaluation import metrics, resampling
from kt_models.evaluation.figures import ScoredAnswers, figures_of
from kt_models.evaluation.protocols import Predictions, forecast, predict_trial
from kt_models.models import MODELS
from kt_models.models.base import AbstractModel, Fitting
from kt_models.models.psi_filter_graph import PsiFilterGraph
from kt_models.models.psi_filter_network import GraphFilterConfig
from kt_models.models.psi_kt import PsiKt
from kt_models.models.psi_kt_config import PsiKtConfig
from tests.benchmarks.product.circumstances import DOCS, circumstances
from tests.benchmarks.psi_kt_links import links_found
from tests.benchmarks.psi_kt_report import write_section

LOGS = ("dbe_kt22", "assistments2017", "assistments2012_dev")
# Of the largest log so many training learners are used, by all models alike.
MOST_LEARNERS = 2000
# Answers of each test learner that are predicted one by one, for what the graph is worth there.
PREQUENTIAL = 100


# As in the paper, psi-filter-graph and psi-kt learn from the first 50 answers of each learner (the
# filter's graph from more); a forecast from ten to ten asks no more of them. psi-filter, the live
# one, learns from all answers.
LONGEST = 50


def graph_filter(graph):
    training = dataclasses.replace(GraphFilterConfig().training, longest=LONGEST, positions=8192)
    return lambda: PsiFilterGraph(GraphFilterConfig(graph=graph, training=training))


def psi_kt(graph):
    training = dataclasses.replace(
        PsiKtConfig().training, longest=LONGEST, epochs=15, patience=15, positions=2048
    )
    return lambda: PsiKt(PsiKtConfig(graph=graph, training=training))


CANDIDATES = {
    "majority": MODELS["majority"],
    "concept-mean": MODELS["concept-mean"],
    "item-mean": MODELS["item-mean"],
    "pfa": MODELS["pfa"],
    "psi-filter": MODELS["psi-filter"],
    "psi-filter-graph": graph_filter("learnt"),
    "psi-filter-graph, no graph": graph_filter("none"),
    "psi-filter-graph, permuted": graph_filter("permuted"),
    "psi-kt": psi_kt("learnt"),
    "psi-kt, no graph": psi_kt("none"),
    "psi-kt, permuted": psi_kt("permuted"),
}


def main(arguments):
    """Run the benchmark; return 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True, dest="command")
    run = commands.add_parser("run")
    run.add_argument("log", choices=LOGS)
    run.add_argument("--models", nargs="*", default=list(CANDIDATES))
    report = commands.add_parser("report")
    report.add_argument("--docs", type=Path)
    for command in (run, report):
        command.add_argument("--data", type=Path, required=True)
        command.add_argument("--work", type=Path, required=True)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    if options.command == "run":
        run_models(options.log, options)
        return 0
    figures = (options.docs or DOCS) / "benchmarks" / "psi_kt_forecast.json"
    # What is not in WORK stays as it was measured before, under the commit of that time.
    result = json.loads(figures.read_text(encoding="utf-8")) if figures.is_file() else {}
    for name in LOGS:
        if (options.work / name).is_dir():
            result[name] = laid_over_earlier(result.get(name, {}), scored(name, options))
    for extra in ("recovery", "known_graph", "speed"):
        path = options.work / f"{extra}.json"
        if path.is_file():
            result[extra] = json.loads(path.read_text(encoding="utf-8"))
    if options.docs:
        figures.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        write_section(options.docs / "benchmarks.md", result)
    print(json.dumps(result, indent=1))
    return 0


@functools.cache
def read(name, data):
    return RESEARCH_LOGS[name](data / name)


def trial_of(name, options):
    trial = forecast(read(name, options.data))
    learners = len(trial.train.learner_keys)
    if learners <= MOST_LEARNERS:
        return trial
    chosen = np.sort(np.random.default_rng(0).permutation(learners)[:MOST_LEARNERS])
    return dataclasses.replace(trial, train=trial.train.only_learners(chosen))


def whole_test(name, options):
    """Return the first answers of all of the fold's test learners, for prediction one by one."""
    trial = trial_of(name, options)
    log = read(name, options.data)
    tested = np.flatnonzero(np.isin(log.learner_keys, trial.test.learner_keys))
    return first_answers(log.only_learners(tested), PREQUENTIAL)


def run_models(name, options):
    folder = options.work / name
    folder.mkdir(parents=True, exist_ok=True)
    trial, test = trial_of(name, options), whole_test(name, options)
    for model_name in options.models:
        out = folder / f"{model_name}.npz"
        if out.is_file():
            continue
        began, processor = time.perf_counter(), time.process_time()
        model = CANDIDATES[model_name]()
        if isinstance(model, AbstractModel):
            model.fit(trial.train, fitting_of(model_name, folder))
        else:
            model.fit(trial.train)
        kept = {"forecast": predict_trial(trial, model)}
        seconds = time.process_time() - processor
        kept |= {"prequential": model.predict(test), "seconds": np.array(seconds)}
        if isinstance(model, PsiFilterGraph | PsiKt):
            kept["edges"] = model.edges()
            if isinstance(model, PsiFilterGraph):
                kept["support"] = model.support()
            kept["concepts"] = np.array(model.vocabulary.concept_keys)
        # Of the fit, not of the report, which may be made from other code.
        told = {key: str(circumstances()[key]) for key in ("date", "commit", "hardware")}
        np.savez(out, **kept, **{key: np.array(value) for key, value in told.items()})
        loss = metrics.log_loss(trial.test.correct[trial.scored], kept["forecast"][trial.scored])
        clock = time.perf_counter() - began
        print(f"{name} {model_name}: {loss:.4f}, {seconds:.0f} s ({clock:.0f} s)", flush=True)


def fitting_of(model_name, folder):
    # The graph's variants share the folder and so the scalars' first training and the learnt graph.
    own = "filter" if model_name.startswith("psi-filter-graph") else model_name
    return Fitting(
        seed=0,
        folder=folder / own,
        progress=lambda step: print(model_name, step.done, dict(step.figures), flush=True),
    )


def scored(name, options):
    trial, test = trial_of(name, options), whole_test(name, options)
    found = {}
    for model_name in CANDIDATES:
        path = options.work / name / f"{model_name}.npz"
        if path.is_file():
            with np.load(path) as kept:
                found[model_name] = {key: kept[key] for key in kept.files}
    models = {
        model_name: figures_of(
            ScoredAnswers.of(Predictions(trial, kept["forecast"], 0.0, MODELS["item-mean"]())),
            seed=0,
        ).to_dict()
        | {"processor_seconds": round(float(kept["seconds"]), 1)}
        for model_name, kept in found.items()
    }
    for figures in models.values():
        del figures["auc_by_position"], figures["reliability"]
    result = {
        "training_learners": len(trial.train.learner_keys),
        "training_answers": len(trial.train),
        "test_learners": len(trial.test.learner_keys),
        "models": models,
        "measured": {
            key: sorted({str(kept[key]) for kept in found.values() if key in kept})
            for key in ("date", "commit", "hardware")
        },
        "paired": [lead(trial, found, *pair) for pair in pairs(found)],
        "graph_prequential": [
            lead_on(test, found, *pair, kind="prequential")
            for pair in pairs(found)
            if pair[0].split(",")[0] == pair[1].split(",")[0]
        ],
    }
    if name == "dbe_kt22":
        result["links"] = {
            f"{model_name}, {kind}": links_found(options.data / name, kept[kind], kept["concepts"])
            for model_name, kept in found.items()
            for kind in ("edges", "support")
            if kind in kept and "," not in model_name
        }
    return result


def laid_over_earlier(earlier, now):
    """Return a log's figures with those of models that were not run again kept as they were."""
    kept = earlier.get("models", {})
    merged = earlier | now
    merged["models"] = {
        name: now["models"].get(name, kept.get(name))
        for name in CANDIDATES
        if name in now["models"] or name in kept
    }
    for kind in ("paired", "graph_prequential"):
        fresh = {(told["model"], told["other"]): told for told in now[kind]}
        before = {(told["model"], told["other"]): told for told in earlier.get(kind, [])}
        merged[kind] = [
            fresh.get(pair, before.get(pair))
            for pair in pairs(CANDIDATES)
            if pair in fresh or pair in before
        ]
    merged["before"] = [name for name in merged["models"] if name not in now["models"]]
    return merged


def pairs(found):
    """Return (model, other) whose difference is told, where both are there."""
    ours = ("psi-kt", "psi-filter-graph", "psi-filter")
    wanted = [(a, b) for a in ours for b in ("majority", "concept-mean", "item-mean", "pfa")]
    wanted += [(a, f"{a}, {b}") for a in ours[:2] for b in ("no graph", "permuted")]
    return [(a, b) for a, b in wanted if a in found and b in found]


def lead(trial, found, one, other):
    scored_answers = trial.test.only_answers(trial.scored)
    kept = {name: {"forecast": found[name]["forecast"][trial.scored]} for name in (one, other)}
    return lead_on(scored_answers, kept, one, other, kind="forecast")


def lead_on(log, found, one, other, *, kind):
    """Return log loss and AUC of `one` less those of `other` on the same answers."""
    told = {"model": one, "other": other}
    for metric in (metrics.log_loss, metrics.auc):
        interval = resampling.paired(
            metric,
            correct=log.correct,
            prob=found[one][kind],
            other=found[other][kind],
            learner=log.learner,
            seed=0,
        )
        told[metric.__name__] = [interval.value, interval.low, interval.high]
    return told


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
