"""How near calibrated items come to the truth, how their scale holds, and how long it takes.

    .venv/bin/python -m tests.benchmarks.calibration [--data DIR] [--docs DOCS] [--parts PART …]
        [--seeds 5] [--em-seeds 200] [--speed R …] [--whole R …] [--logs dbe_kt22 …]

Without `--parts` all run: recovery, linking, lsat, next_window, speed and whole. DIR holds the
unpacked folder irt, for LSAT 6 and 7, and public logs, of which `--logs` names some: first attempts
of the last window are foretold from the items and abilities before it. `--speed` gives numbers of
responses to time both engines with; `--whole` those to calibrate as a whole, in a process of its
own (10000000 takes a quarter of an hour). `--em-seeds` repeats what chance decides with many more
seeds by EM alone, which gives the same parameters in a fortieth of the time. With --docs it puts
the parts that have run, each with its circumstances, into DOCS/benchmarks/calibration.json and
writes the section of DOCS/benchmarks.md anew.
"""

import argparse
import dataclasses
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from curriculum.irt.ability import estimate_abilities
from curriculum.irt.curves import probability
from curriculum.irt.drift import link_and_test
from curriculum.irt.em import fit_em
from curriculum.irt.models import Anchors, ItemModel, Priors
from curriculum.irt.py_irt_model import fit_py_irt
from curriculum.irt.responses import responses_of_matrix, select_first_attempts
from curriculum.irt.standard_errors import standard_errors
from kt_models.data.research_logs import RESEARCH_LOGS
from tests.benchmarks.calibration_report import write_section
from tests.benchmarks.calibration_speed import rmse, speed
from tests.benchmarks.psi_filter import circumstances as circumstances_of
from tests.curriculum.irt.factories import answer, simulate

LSAT = {"mirt__LSAT6": -2466.653, "mirt__LSAT7": -2658.805}
ENGINES = {"py-irt": fit_py_irt, "em": fit_em}


def main(arguments):
    """Run the benchmark; return 0."""
    options = parse(arguments)
    done = {}
    for name in options.parts:
        circumstances = circumstances_of(options)
        circumstances["command"] = f"python -m tests.benchmarks.calibration --parts {name}"
        found = PARTS[name](options)
        if found:
            done[name] = {"circumstances": circumstances, "found": found}
            print(json.dumps({name: done[name]}, indent=1), flush=True)
    if options.docs:
        path = options.docs / "benchmarks" / "calibration.json"
        result = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        result |= done
        path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        write_section(options.docs / "benchmarks.md", result)
    return 0


def parse(arguments):
    """Return the options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--docs", type=Path)
    parser.add_argument("--parts", nargs="*", default=list(PARTS), choices=list(PARTS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--em-seeds", type=int, default=200)
    parser.add_argument("--speed", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--whole", type=int, nargs="*", default=[1_000_000, 10_000_000])
    logs = ["assistments2009", "dbe_kt22", "assistments2012_dev"]
    parser.add_argument("--logs", nargs="*", default=logs, choices=list(RESEARCH_LOGS))
    options = parser.parse_args(arguments)
    options.splits = 0
    return options


def by_engine(measure, options):
    """Return what is measured with each engine's seeds, and with many more by EM alone."""
    few = range(options.seeds)
    found = {name: [measure(engine, seed) for seed in few] for name, engine in ENGINES.items()}
    return {**found, "em alone": [measure(fit_em, seed) for seed in range(options.em_seeds)]}


def lsat_of(options):
    """Return the likelihoods of LSAT 6 and 7, or nothing where they are not at hand."""
    if options.data and (options.data / "irt").is_dir():
        return lsat(options.data / "irt")
    print("left out LSAT: --data does not name a folder with irt in it", file=sys.stderr)
    return {}


def next_windows(options):
    """Return the log loss of every log that is at hand."""
    return {
        name: next_window(RESEARCH_LOGS[name](options.data / name))
        for name in (options.logs if options.data else [])
        if (options.data / name).is_dir()
    }


def whole(count):
    """Return what a whole calibration takes, measured in a process that does nothing else."""
    command = [sys.executable, "-m", "tests.benchmarks.calibration_whole", str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def recovery(engine, seed):
    """Return what one fit of 1,000 learners x 100 items, 20 % seen, gets right."""
    made = simulate(seed=seed)
    began = time.process_time()
    fit = engine(made.responses)
    seconds = time.process_time() - began
    errors = standard_errors(made.responses, fit, model=ItemModel.TWO, priors=Priors())
    place, slope = fit.bank.difficulty, np.log(fit.bank.discrimination)
    scale = made.difficulty.std() / place.std()
    linked = scale * (place - place.mean()) + made.difficulty.mean()
    r = made.responses
    ability = estimate_abilities(
        learner=r.learner, item=r.item, correct=r.correct, learners=1000, bank=fit.bank
    )
    off, off_slope = place - made.difficulty, slope - np.log(made.discrimination)
    return {
        "seed": seed,
        "r_difficulty": float(np.corrcoef(place, made.difficulty)[0, 1]),
        "r_log_discrimination": float(np.corrcoef(slope, np.log(made.discrimination))[0, 1]),
        "rmse_difficulty": rmse(off),
        "rmse_difficulty_linked": rmse(linked - made.difficulty),
        "sd_ratio": float(place.std() / made.difficulty.std()),
        "coverage_difficulty": float((np.abs(off) < 1.96 * errors.difficulty).mean()),
        "coverage_log_discrimination": float(
            (np.abs(off_slope) < 1.96 * errors.log_discrimination).mean()
        ),
        "r_ability": float(np.corrcoef(ability.mean, made.ability)[0, 1]),
        "processor_seconds": seconds,
    }


def linking(engine, seed):
    """Return the errors of 60 new items, answered by learners N(0.7, 1.2), on the old scale."""
    rng = np.random.default_rng(seed)
    place, slope = rng.normal(size=140), np.exp(0.35 * rng.normal(size=140))
    first, second = rng.normal(size=1000), 0.7 + 1.2 * rng.normal(size=1000)
    names = tuple(f"i{k}" for k in range(140))
    early, late = (
        responses_of_matrix(
            answer(ability, place[own], slope[own], rng=rng, share=0.25), items=names[own]
        )
        for ability, own in ((first, slice(0, 80)), (second, slice(40, 140)))
    )
    old, free = fit_em(early).bank, fit_em(late).bank
    report = link_and_test(free, old, bank=140)
    anchored = engine(late, anchors=Anchors(old.only(report.kept))).bank
    banks = {
        "no linking": free,
        "mean-sigma": report.mean_sigma.apply(free),
        "haebara": report.haebara.apply(free),
        "stocking-lord": report.link.apply(free),
        "anchors, free population": anchored,
    }
    # Both to the population, and to the scale that the first wave's very learners define.
    return {
        name: {
            "bias": float((bank.difficulty[40:] - place[80:]).mean()),
            "rmse": rmse(bank.difficulty[40:] - place[80:]),
            "bias_to_sample": float(
                (bank.difficulty[40:] - (place[80:] - first.mean()) / first.std()).mean()
            ),
        }
        for name, bank in banks.items()
    }


def lsat(folder):
    """Return the marginal log-likelihoods of both engines beside the published ones."""
    found = {}
    for name, published in LSAT.items():
        rows = np.loadtxt(folder / f"{name}.csv", delimiter=",", skiprows=1)
        responses = responses_of_matrix(rows[:, 1:-1], counts=rows[:, -1])
        flat = Priors(difficulty_sd=100.0, log_discrimination_sd=10.0)
        found[name.removeprefix("mirt__")] = {
            "published": published,
            **{engine: fit(responses).log_likelihood for engine, fit in ENGINES.items()},
            "em, flat priors": fit_em(responses, priors=flat).log_likelihood,
        }
    return found


def next_window(log):
    """Return the log loss of first attempts in the last fifth, by both engines and by item means.

    The last fifth of the time, or of each learner's answers where the log has no times. Learners
    and items that are new in it are left out.
    """
    if not log.has_times:
        length = np.maximum(np.diff(log.starts), 1)
        place = (np.arange(len(log)) - log.starts[log.learner]) / length[log.learner]
        log = dataclasses.replace(log, answered_at=place, shown_at=place, has_times=True)
        cut = 0.8
    else:
        cut = float(np.quantile(log.answered_at, 0.8))
    early, _ = select_first_attempts(log.before(cut))
    whole, _ = select_first_attempts(log)
    learner_of = {name: k for k, name in enumerate(early.learners)}
    learner = np.array([learner_of.get(name, -1) for name in whole.learners])[whole.learner]
    known = early.learner * len(early.items) + early.item
    later = ~np.isin(learner * len(early.items) + whole.item, known)
    later &= (learner >= 0) & (early.answered > 0)[whole.item]
    item, learner, correct = whole.item[later], learner[later], whole.correct[later]
    found = {"answers": int(later.sum()), "fitted": len(early), "log_loss": {}}
    for name, engine in ENGINES.items():
        bank = engine(early).bank
        ability = estimate_abilities(
            learner=early.learner,
            item=early.item,
            correct=early.correct,
            learners=len(early.learners),
            bank=bank,
        )
        # The chance averages over what is not known of the ability (Bock & Lieberman, 1970).
        slope, place = bank.discrimination[item], bank.difficulty[item]
        nodes, weights = np.polynomial.hermite_e.hermegauss(15)
        theta = ability.mean[learner, None] + ability.sd[learner, None] * nodes
        curve = probability(theta, difficulty=place[:, None], discrimination=slope[:, None])
        found["log_loss"][name] = log_loss(correct, curve @ (weights / weights.sum()))
    share = (early.right + 1.0) / (early.answered + 2.0)
    found["log_loss"]["item mean"] = log_loss(correct, share[item])
    return found


def log_loss(correct, chance):
    return float(-np.mean(np.log(np.where(correct > 0.5, chance, 1.0 - chance))))


PARTS = {
    "recovery": lambda options: by_engine(recovery, options),
    "linking": lambda options: by_engine(linking, options),
    "lsat": lsat_of,
    "next_window": next_windows,
    "speed": lambda options: [speed(count) for count in options.speed],
    "whole": lambda options: [whole(count) for count in options.whole],
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
