"""Whether PSI-KT's family finds the prerequisite graph that learners were simulated with.

.venv/bin/python -m tests.benchmarks.psi_kt_known_graph --out FILE.json [--worlds 6]
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from scipy import stats

from kt_models.evaluation import metrics
from kt_models.models.psi_filter_graph import PsiFilterGraph
from kt_models.models.psi_filter_network import GraphFilterConfig
from kt_models.models.psi_graph import permuted
from kt_models.models.psi_kt import PsiKt
from kt_models.models.psi_kt_config import PsiKtConfig
from kt_models.training.training_config import TrainingConfig
from tests.benchmarks.product.circumstances import measured
from tests.kt_models.models.psi_learners import simulate

CONCEPTS, ANSWERS, GAP_DAYS = 8, 60, 3.0
# Of the exchanged names, so that one lucky exchange decides nothing.
EXCHANGES = 200


def main(arguments):
    """Run the benchmark; return 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--worlds", type=int, default=6)
    parser.add_argument("--learners", type=int, default=300)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    worlds = []
    for seed in range(options.worlds):
        began = time.process_time()
        worlds.append(world(seed, options.learners))
        worlds[-1]["processor_seconds"] = round(time.process_time() - began, 1)
        # Kept after each: all of them take long.
        options.out.write_text(json.dumps(summary(worlds, options.learners), indent=1) + "\n")
    return 0


def world(seed, learners):
    """Draw a graph and learners, fit both models, and return what each finds of the graph."""
    rng = np.random.default_rng(seed)
    edges = true_edges(rng)
    log = simulate(
        rng, learners=learners, answers=ANSWERS, concepts=CONCEPTS, edges=edges, gap=GAP_DAYS
    ).log
    order = [int(name[1:]) for name in log.concept_keys]
    truth = edges[np.ix_(order, order)] > 0.0
    filtering = PsiFilterGraph(
        GraphFilterConfig(
            alpha_nodes=3,
            omega_nodes=1,
            training=TrainingConfig(epochs=4, learning_rate=3e-2, weight_decay=0.0, positions=2048),
        )
    )
    filtering.fit(log)
    amortised = PsiKt(
        PsiKtConfig(
            hidden=32,
            width=8,
            training=TrainingConfig(epochs=15, learning_rate=5e-3, positions=2048),
        )
    )
    amortised.fit(log)
    found = {
        "psi-filter-graph, edges": filtering.edges(),
        "psi-filter-graph, support": filtering.support(),
        "psi-kt, edges": amortised.edges(),
    }
    return {name: told(truth, score, seed) for name, score in found.items()}


def true_edges(rng):
    """Return [K, K] edges: each concept but the first rests on one or two of those before it."""
    edges = np.zeros((CONCEPTS, CONCEPTS))
    for k in range(1, CONCEPTS):
        before = rng.choice(k, size=min(k, int(rng.integers(1, 3))), replace=False)
        edges[before, k] = 1.0 / len(before)
    # Numbers must not tell the order.
    order = rng.permutation(CONCEPTS)
    return edges[np.ix_(order, order)]


def told(truth, score, seed):
    """Return AUCs: of edges in their direction, of linked pairs, and both with names exchanged."""
    exchanged = [permuted(score, seed=1000 * seed + k) for k in range(EXCHANGES)]
    return {
        "directed": directed(truth, score),
        "pairs": pairs(truth, score),
        "directed, names exchanged": float(np.mean([directed(truth, e) for e in exchanged])),
        "pairs, names exchanged": float(np.mean([pairs(truth, e) for e in exchanged])),
    }


def directed(truth, score):
    """Return the AUC over ordered pairs: an edge against its being none, its reverse included."""
    off = ~np.eye(len(truth), dtype=bool)
    return metrics.auc(truth[off].astype(float), score[off])


def pairs(truth, score):
    """Return the AUC over unordered pairs, by the larger of a pair's two values."""
    upper = np.triu_indices(len(truth), 1)
    linked = (truth | truth.T)[upper].astype(float)
    return metrics.auc(linked, np.maximum(score, score.T)[upper])


def summary(worlds, learners):
    """Return the means over worlds with 95 % intervals (Student's t) and the worlds themselves."""
    result = {"learners": learners, "answers": ANSWERS, "concepts": CONCEPTS, "worlds": worlds}
    result["measured"] = measured()
    result["found"] = {
        name: {figure: interval([w[name][figure] for w in worlds]) for figure in figures}
        for name, figures in worlds[0].items()
        if isinstance(figures, dict)
    }
    return result


def interval(values):
    """Return the mean and its 95 % interval; one world alone has none."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return [mean, None, None]
    half = float(stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5)
    return [mean, max(mean - half, 0.0), min(mean + half, 1.0)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
