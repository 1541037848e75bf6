"""Whether a learnt graph finds the links that experts drew between DBE-KT22's concepts."""

import csv

import numpy as np

from kt_models.data.research_logs import RESEARCH_LOGS
from kt_models.evaluation import metrics

RESAMPLES = 300


def links_found(folder, edges, concepts):
    """Return the AUC of edges at telling linked pairs of concepts from others, and of direction.

    The file names every link in both directions, so what can be found is that two concepts belong
    together: a pair is scored by the larger of its two edges. Direction is judged against the order
    in which the course met the two, for linked pairs with unequal edges.
    """
    linked = expert_links(folder, concepts)
    upper = np.triu_indices(len(concepts), 1)
    score = np.maximum(edges, edges.T)[upper]
    truth = linked[upper].astype(float)
    first, second = upper
    rng = np.random.default_rng(0)
    draws = [
        weighted_auc(
            truth,
            score,
            rng.multinomial(len(concepts), np.full(len(concepts), 1 / len(concepts))),
            first,
            second,
        )
        for _ in range(RESAMPLES)
    ]
    low, high = np.nanquantile(draws, [0.025, 0.975])
    return {
        "pairs": len(score),
        "linked_pairs": int(truth.sum()),
        "auc": [metrics.auc(truth, score), float(low), float(high)],
        "pairs_with_an_edge": int((score > 0.01).sum()),
        "linked_among_them": int(truth[score > 0.01].sum()),
        "direction": direction(folder, edges, concepts, linked),
    }


def expert_links(folder, concepts):
    """Return [K, K] whether the file links two concepts, in either direction."""
    place = {name: k for k, name in enumerate(concepts.tolist())}
    linked = np.zeros((len(concepts), len(concepts)), dtype=bool)
    with (folder / "KC_Relationships.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            ends = [row[f"{end}_knowledgecomponent_id"] for end in ("from", "to")]
            if all(end in place for end in ends):
                i, k = (place[end] for end in ends)
                linked[i, k] = linked[k, i] = True
    return linked


def weighted_auc(truth, score, drawn, first, second):
    """Return the AUC where concept k counts drawn[k] times: pairs share concepts."""
    weight = (drawn[first] * drawn[second]).astype(float)
    if not weight @ truth:
        return np.nan
    return metrics.auc(truth, score, weight)


def direction(folder, edges, concepts, linked):
    """Return how often the larger edge of a linked pair comes from the concept met first."""
    log = RESEARCH_LOGS["dbe_kt22"](folder)
    rows, columns = np.nonzero(log.concepts >= 0)
    met = log.concepts[rows, columns]
    position = log.position[rows]
    named = {name: k for k, name in enumerate(log.concept_keys)}
    median = np.array([np.median(position[met == named[name]]) for name in concepts.tolist()])
    first, second = np.nonzero(np.triu(linked, 1) & (edges != edges.T))
    forwards = (edges[first, second] > edges[second, first]) == (median[first] < median[second])
    return {"pairs": len(first), "as_the_course": int(forwards.sum())}
