"""Prerequisites from what a filter without them could not explain: Newton steps, column by column.

Near no transfer the logit of an answer on concept k is linear in the edges into k, so the log
likelihood of column a_k is quadratic: s_k'a - a'H_k a / 2, with score s_k = F'(y - p) and
information H_k = F'diag(p(1 - p))F over the answers on k, F being what each other concept was above
the learner's level at the time. One pass over the log finds both; gradient steps from edges near 0
hardly move them in a hundred passes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# How strongly edges are held to 0, as a ridge (answers' worth of information) and as the standard
# errors of evidence that an edge needs at all. The last choice is no graph.
RIDGES = (3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
THRESHOLDS = (0.0, 1.0, 2.0, 3.0)
SWEEPS = 60
# Below this much information a score says nothing.
LEAST_INFORMATION = 1e-6


@dataclass(frozen=True, slots=True)
class ColumnEvidence:
    """What answers say of the edges into each concept, around the edges in use.

    Attributes:
        score: [K, K] of the edge from i (row) to k (column).
        information: [K, K, K]; of column k, between edges from i and from j.
    """

    score: FloatArray
    information: FloatArray

    @classmethod
    def none(cls, concepts: int) -> "ColumnEvidence":
        """Return no evidence about K concepts."""
        return cls(np.zeros((concepts, concepts)), np.zeros((concepts, concepts, concepts)))

    def add(
        self,
        *,
        concept: NDArray[np.int64],
        features: FloatArray,
        residual: FloatArray,
        weight: FloatArray,
    ) -> None:
        """Add R answers.

        Args:
            concept: [R] asked.
            features: [R, K] change of the logit per unit of the edge from each concept.
            residual: [R] answer less its probability.
            weight: [R] p (1 - p).
        """
        order = np.argsort(concept, kind="stable")
        named, first = np.unique(concept[order], return_index=True)
        for k, rows in zip(named.tolist(), np.split(order, first[1:]), strict=True):
            seen = features[rows]
            self.score[:, k] += seen.T @ residual[rows]
            self.information[k] += seen.T @ (weight[rows, None] * seen)

    def support(self) -> FloatArray:
        """Return [K, K] score over its standard error: what speaks for each edge taken alone."""
        own = np.einsum("kii->ik", self.information)
        return np.asarray(self.score / np.sqrt(own + LEAST_INFORMATION))

    def gain(self, change: FloatArray) -> float:
        """Return by how many nats edges changed by [K, K] explain these answers better."""
        curved = np.einsum("kij,ik,jk->", self.information, change, change, optimize=True)
        return float((self.score * change).sum() - 0.5 * curved)


def best_edges(
    training: ColumnEvidence, held_out: ColumnEvidence, *, edges: FloatArray
) -> tuple[FloatArray, float]:
    """Return edges [K, K] >= 0 and the nats that they gain on held-out answers.

    How strongly edges are held to 0 is what the held-out answers choose; where nothing helps them,
    the edges are those given.

    Args:
        training: evidence around `edges`.
        held_out: the same of learners that the edges are not fitted to.
        edges: in use.
    """
    best, most = edges, 0.0
    for threshold in THRESHOLDS:
        for ridge in RIDGES:
            found = capped(fitted_edges(training, edges=edges, ridge=ridge, threshold=threshold))
            gain = held_out.gain(found - edges)
            if gain > most:
                best, most = found, gain
    return best, most


def capped(edges: FloatArray) -> FloatArray:
    """Return edges with columns scaled down to a sum of at most 1."""
    return np.asarray(edges / np.maximum(edges.sum(axis=0, keepdims=True), 1.0))


def fitted_edges(
    evidence: ColumnEvidence, *, edges: FloatArray, ridge: float, threshold: float
) -> FloatArray:
    """Return [K, K] the edges in 0 to 1 that maximise the penalised likelihood, columns at once.

    Coordinate descent on a'H a / 2 - (s + H a0)'a + ridge |a|^2 / 2 + sum_i c_i a_i with c_i the
    threshold times the square root of the edge's own information (an adaptive lasso).
    """
    size = len(edges)
    own = np.einsum("kii->ik", evidence.information)
    target = evidence.score + np.einsum("kij,jk->ik", evidence.information, edges)
    cost = threshold * np.sqrt(own)
    found = edges.copy()
    possible = own > LEAST_INFORMATION
    np.fill_diagonal(possible, val=False)
    for _ in range(SWEEPS):
        largest = 0.0
        for i in range(size):
            others = np.einsum("kj,jk->k", evidence.information[:, i], found) - own[i] * found[i]
            free = (target[i] - others - cost[i]) / (own[i] + ridge)
            new = np.where(possible[i], np.clip(free, 0.0, 1.0), 0.0)
            largest = max(largest, float(np.abs(new - found[i]).max()))
            found[i] = new
        if largest < 1e-4:
            break
    return found
