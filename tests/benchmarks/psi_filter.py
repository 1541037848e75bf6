"""How well and how fast the live filter traces, on two public logs, beside its peers.

    .venv/bin/python -m tests.benchmarks.psi_filter --data DIR [--splits N] [--docs DOCS]

DIR holds the unpacked folders dbe_kt22 and assistments2017; a folder that is absent is skipped.
With --docs it writes DOCS/benchmarks/psi_filter.json and its section of DOCS/benchmarks.md.
"""

import argparse
import datetime as dt
import json
import platform
import subprocess
import sys
import time
from pathlib import Path

import numba
import numpy as np

from kt_models import api
from kt_models.data.research_logs import read_assistments2017, read_dbe_kt22
from kt_models.data.splits import split_learners
from kt_models.evaluation import metrics, resampling
from kt_models.evaluation.figures import ScoredAnswers, figures_of, first_meetings
from kt_models.evaluation.protocols import Trial, run_trial
from kt_models.models import MODELS
from kt_models.models.base import Fitting
from kt_models.streaming import psi_filter
from kt_models.training import psi_fold
from tests.benchmarks.psi_filter_report import write_section

LOGS = {"dbe_kt22": read_dbe_kt22, "assistments2017": read_assistments2017}
PEERS = (
    "majority",
    "concept-mean",
    "item-mean",
    "bkt",
    "pfa",
    "logistic",
    "elo",
    "psi-filter",
)
# Measured for this project before the filter was built, on one split of the same kind.
ANCHORS = {
    "dbe_kt22": {"item-mean": (0.7880, 0.4410), "psi-filter": (0.8061, 0.4273)},
    "assistments2017": {"item-mean": (0.6815, 0.6096), "psi-filter": (0.7170, 0.5850)},
}


def main(arguments):
    """Run the benchmark; return 0, or 1 if neither log is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--docs", type=Path)
    parser.add_argument("--splits", type=int, default=3, help="split seeds 0, 1, …")
    options = parser.parse_args(arguments)
    logs = {}
    for name, read in LOGS.items():
        if (options.data / name / "interactions.csv").is_file():
            logs[name] = read(options.data / name)
        else:
            print(f"skipped {name}: {options.data / name} does not hold interactions.csv")
    if not logs:
        return 1
    result = circumstances(options)
    result["streaming"] = streaming_costs()
    for name, log in logs.items():
        result[name] = {
            "rows": len(log),
            "fold": fold_speed(log),
            "splits": [one_split(name, log, seed) for seed in range(options.splits)],
            "anchors": ANCHORS[name],
        }
    if options.docs:
        figures = options.docs / "benchmarks" / "psi_filter.json"
        figures.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        write_section(options.docs / "benchmarks.md", result)
    print(json.dumps(result, indent=1))
    return 0


def circumstances(options):
    processor = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    return {
        "command": f"python -m tests.benchmarks.psi_filter --data DIR --splits {options.splits}",
        "measured_at": dt.datetime.now(tz=dt.UTC).isoformat(timespec="minutes"),
        "commit": commit,
        "hardware": f"{processor}, one thread",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
    }


def one_split(name, log, seed):
    """Return every model's figures on one 80/20 split by learner."""
    started = time.perf_counter()
    # Further splits only show how much the split itself matters.
    names = list(PEERS) if seed == 0 else ["item-mean", "psi-filter"]
    train, test = (log.only_learners(own) for own in split_learners(log, seed=seed))
    trial = Trial("learner-split", train, test, np.ones(len(test), dtype=bool))
    found = {}
    for model in names:
        print(f"{name} split {seed}: {model}", file=sys.stderr, flush=True)
        found[model] = run_trial(trial, MODELS[model], Fitting(seed=seed))
    fresh, filtered = first_meetings(test), found["psi-filter"].prob
    models = {}
    for model, done in found.items():
        reached = figures_of(ScoredAnswers.of(done), seed=seed)
        models[model] = {
            "auc": figures(reached.auc),
            "log_loss": figures(reached.log_loss),
            "brier": figures(reached.brier),
            "calibration_error": round(reached.calibration_error, 5),
            "first_meeting_auc": figures(
                resampling.by_learner(
                    metrics.auc,
                    correct=test.correct[fresh],
                    prob=done.prob[fresh],
                    learner=test.learner[fresh],
                    seed=seed,
                )
            ),
            "log_loss_above_filter": figures(paired_loss(test, done.prob, filtered, seed)),
        }
    return {
        "seed": seed,
        "test_learners": len(test.learner_keys),
        "test_answers": len(test),
        "first_meetings": int(fresh.sum()),
        "seconds": round(time.perf_counter() - started, 1),
        "models": models,
    }


def paired_loss(test, prob, other, seed):
    """Return how much more log loss `prob` has than `other`, by learner."""
    return resampling.paired(
        metrics.log_loss,
        correct=test.correct,
        prob=prob,
        other=other,
        learner=test.learner,
        seed=seed,
    )


def figures(interval):
    return [round(v, 5) for v in (interval.value, interval.low, interval.high)]


@numba.njit
def read_all(item, concepts, correct, at):
    """Add up every number that a fold has to read: the floor under its cost."""
    total = 0.0
    for r in range(len(item)):
        total += item[r] + correct[r] + at[r]
        for j in range(concepts.shape[1]):
            total += concepts[r, j]
    return total


@numba.njit
def elo(starts, item, concepts, correct, ability, skill, easiness):
    """Fold learner, concept and item Elo ratings: the named peer, in the same compiled style."""
    for learner in range(len(starts) - 1):
        skill[:] = 0.0
        for r in range(starts[learner], starts[learner + 1]):
            logit = ability[learner] + easiness[item[r]]
            for j in range(concepts.shape[1]):
                if concepts[r, j] >= 0:
                    logit += skill[concepts[r, j]]
            error = correct[r] - 1.0 / (1.0 + np.exp(-logit))
            ability[learner] += 0.1 * error
            easiness[item[r]] += 0.05 * error
            for j in range(concepts.shape[1]):
                if concepts[r, j] >= 0:
                    skill[concepts[r, j]] += 0.1 * error


def fold_speed(log):
    """Return processor microseconds per answer of the fold, the floor and the peer, in turns.

    Processor time, not the clock's: other programs on the machine then disturb it less.
    """
    parameters, concepts = psi_filter.FilterParameters(), log.concepts
    offsets = np.zeros(len(log))
    ability, skill = np.zeros(len(log.learner_keys)), np.zeros(len(log.concept_keys))
    easiness = np.zeros(len(log.item_keys))
    jobs = {
        "read_arrays": lambda: read_all(log.item, concepts, log.correct, log.answered_at),
        "elo": lambda: elo(log.starts, log.item, concepts, log.correct, ability, skill, easiness),
        "predict_and_update": lambda: psi_fold.forecast_log(log, parameters, offsets=offsets),
        "fold_to_states": lambda: psi_fold.fold_states(
            parameters,
            starts=log.starts,
            concepts=concepts,
            offsets=offsets,
            correct=log.correct,
            answered_at=log.answered_at,
            assisted=log.assisted,
        ),
    }
    best = dict.fromkeys(jobs, np.inf)
    for _ in range(7):
        for name, job in jobs.items():
            started = time.process_time()
            job()
            best[name] = min(best[name], time.process_time() - started)
    micro = {name: round(seconds / len(log) * 1e6, 4) for name, seconds in best.items()}
    return {
        "microseconds_per_answer": micro,
        "answers_per_second": {name: round(1e6 / value) for name, value in micro.items()},
        "fold_to_states_times_elo": round(best["fold_to_states"] / best["elo"], 2),
        "predict_and_update_times_elo": round(best["predict_and_update"] / best["elo"], 2),
        "fold_to_states_times_reading": round(best["fold_to_states"] / best["read_arrays"], 1),
    }


def streaming_costs():
    """Return microseconds of the web process's calls, for 10 answers of history and 10,000."""
    parameters, costs = psi_filter.FilterParameters(), {}
    rng = np.random.default_rng(0)
    concepts = rng.integers(0, 60, (300, 2))
    concepts[::2, 1] = -1
    concepts[concepts[:, 0] == concepts[:, 1], 1] = -1
    offsets = rng.normal(size=300)
    for answers in (10, 10_000):
        ids = np.arange(answers) % 10
        [state] = api.fold_learners(
            parameters,
            starts=np.array([0, answers]),
            concepts=ids[:, None],
            item_offsets=np.zeros(answers),
            correct=(np.arange(answers) % 3 > 0).astype(float),
            answered_at=1e9 + 3600.0 * np.arange(answers),
            assisted=np.zeros(answers, dtype=bool),
        )
        at = state.t_last + 60.0
        costs[f"after_{answers}_answers"] = {
            "state_bytes": len(state.to_bytes()),
            "update": cost(
                lambda s=state, t=at: psi_filter.update(
                    s, parameters, concept_ids=(3, 7), item_offset=0.2, correct=1.0, at=t
                )
            ),
            "predict_300_items": cost(
                lambda s=state, t=at: psi_filter.predict(
                    s, parameters, concepts=concepts, item_offsets=offsets, at=t
                )
            ),
        }
    return costs


def cost(call, rounds=20, calls=200):
    """Return the least processor microseconds per call over some rounds."""
    best = np.inf
    for _ in range(rounds):
        started = time.process_time()
        for _ in range(calls):
            call()
        best = min(best, time.process_time() - started)
    return round(best / calls * 1e6, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
