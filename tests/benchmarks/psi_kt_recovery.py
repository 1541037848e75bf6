"""How well traits are recovered: the filter and PSI-KT beside the exact posterior.

.venv/bin/python -m tests.benchmarks.psi_kt_recovery --out FILE.json [--estimates NAME …]

With --estimates only those are fitted; what else is in FILE stays as it was measured before.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr

from kt_models.data.vocabulary import Vocabulary
from kt_models.models.base import Fitting
from kt_models.models.psi_filter_graph import PsiFilterGraph
from kt_models.models.psi_filter_network import GraphFilterConfig, GraphFilterNetwork
from kt_models.models.psi_kt import PsiKt
from kt_models.models.psi_kt_config import PsiKtConfig
from kt_models.models.psi_traits import filtered_traits
from kt_models.training.sequences import encode
from kt_models.training.training_config import TrainingConfig
from tests.benchmarks.product.circumstances import measured
from tests.kt_models.models.psi_learners import (
    LEVEL,
    LOG_ALPHA,
    LOG_OMEGA,
    exact_posterior_means,
    simulate,
)

# Of the bootstrap by learner.
RESAMPLES = 1000


def main(arguments):
    """Run the benchmark; return 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--learners", type=int, default=200)
    parser.add_argument("--estimates", nargs="*", choices=ESTIMATES, default=list(ESTIMATES))
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    test = simulate(np.random.default_rng(1), learners=options.learners)
    others = simulate(np.random.default_rng(2), learners=400)
    began = time.process_time()
    exact = np.array([exact_posterior_means(test, k) for k in range(options.learners)])
    result = json.loads(options.out.read_text(encoding="utf-8")) if options.out.is_file() else {}
    result |= {
        "learners": options.learners,
        "answers": test.correct.shape[1],
        "exact_processor_seconds": round(time.process_time() - began, 1),
        "exact": correlations(test, exact),
    }
    for name in options.estimates:
        made = ESTIMATES[name]
        found = (
            filtered_traits(*true_filter(test.log))
            if made is None
            else fitted(made(), others, test)
        )
        result[name] = compared(test, found, exact) | {"measured": measured()}
        keep(options.out, result)
    print(json.dumps(result, indent=1))
    return 0


def fitted(model, others, test):
    """Return what a model says of the test learners' traits, having learnt from others."""

    def progress(step):
        print(step.done, dict(step.figures), flush=True)

    model.fit(others.log, Fitting(progress=progress))
    return model.traits(model.advance(model.init(len(test.alpha)), test.log))


def graph_filter(memory):
    """Return an unfitted filter."""
    return PsiFilterGraph(
        GraphFilterConfig(graph="none", memory=memory, training=training(epochs=8, rate=2e-2))
    )


def amortised():
    """Return an unfitted PSI-KT."""
    return PsiKt(PsiKtConfig(graph="none", training=training(epochs=30, rate=5e-3)))


def keep(path, result):
    """Write what there is so far; the fits take far longer than what stands before them."""
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def training(*, epochs, rate):
    return TrainingConfig(
        epochs=epochs, learning_rate=rate, weight_decay=0.0, positions=8192, longest=200
    )


# Traits stay here what they are: with memory 1 no answer's evidence of them fades.
ESTIMATES = {
    "filter, true parameters": None,
    "filter, fitted on 400 others": lambda: graph_filter(0.998),
    "the same, memory 1": lambda: graph_filter(1.0),
    "psi-kt, fitted on 400 others": amortised,
}


def true_filter(log):
    """Return the states after a log, and the scalars, of a filter that is told the population."""
    vocabulary = Vocabulary.of(log)
    net = GraphFilterNetwork(
        GraphFilterConfig(graph="none", alpha_nodes=5, memory=1.0),
        items=len(vocabulary.item_keys),
        concepts=len(vocabulary.concept_keys),
        answers=len(log),
        mean=0.5,
    )
    set_true(net)
    with torch.inference_mode():
        state = net.absorb(net.start(len(log.learner_keys)), encode(log, vocabulary).whole())
        return state, net.scalars()


def set_true(net):
    """Give a filter the parameters that learners are simulated with."""
    values = {
        "log_alpha": LOG_ALPHA[0],
        "log_alpha_sd": np.log(LOG_ALPHA[1]),
        "log_omega": LOG_OMEGA[0],
        "log_omega_sd": np.log(LOG_OMEGA[1]),
        "log_level_var": 2.0 * np.log(LEVEL[1]),
        "log_level_drift": -30.0,
        "log_concept_drift": -30.0,
        "log_tau": 0.0,
        "intercept": LEVEL[0],
        "easiness": 0.0,
    }
    with torch.no_grad():
        for name, value in values.items():
            getattr(net, name).fill_(float(value))
        net.gain.zero_()


def correlations(simulated, means):
    """Return rank correlations of [L, 2] posterior means with the true log alpha and mu."""
    return {
        "alpha": float(spearmanr(means[:, 0], simulated.alpha).statistic),
        "mu": float(spearmanr(means[:, 1], simulated.mu).statistic),
    }


def compared(simulated, traits, exact):
    """Return rank correlations, their share of the exact posterior's, and coverage."""
    means = np.stack([np.log(traits.estimate[:, 0]), traits.estimate[:, 1]], axis=1)
    truth = {"alpha": (0, simulated.alpha), "mu": (1, simulated.mu)}
    own, best = correlations(simulated, means), correlations(simulated, exact)
    count, rng = len(simulated.alpha), np.random.default_rng(0)
    draws = [rng.integers(0, count, count) for _ in range(RESAMPLES)]
    return own | {
        "share": {name: own[name] / best[name] for name in own},
        "share_interval": {
            name: np.quantile(
                [
                    spearmanr(means[drawn, c], true[drawn]).statistic
                    / spearmanr(exact[drawn, c], true[drawn]).statistic
                    for drawn in draws
                ],
                [0.025, 0.975],
            ).tolist()
            for name, (c, true) in truth.items()
        },
        "coverage": {
            name: float(((traits.low[:, c] <= true) & (true <= traits.high[:, c])).mean())
            for name, (c, true) in truth.items()
        },
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
