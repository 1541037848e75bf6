"""The prerequisite graph of PSI-KT: which concept's knowledge carries over to which.

An edge a_ik in 0 to 1 says how far concept i is a prerequisite of concept k; a_kk = 0. What a
concept takes over is a weighted mean over its prerequisites at most: columns are normalised, since
dense ones would be one more shared level beside the learner's own.
"""

import math
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from typing_extensions import override

Graph = Literal["learnt", "none", "permuted"]

# All edges into a concept together start at this much.
FIRST_COLUMN = 0.5
FIRST_SPREAD = 0.5


def normalised(edges: Tensor) -> Tensor:
    """Return weights [K + 1, K + 1] of edges [K, K]: columns sum to at most 1, place 0 is blank."""
    weights = edges / edges.sum(dim=0, keepdim=True).clamp(min=1.0)
    return nn.functional.pad(weights, (1, 0, 1, 0))


def permuted(edges: NDArray[np.float64], *, seed: int) -> NDArray[np.float64]:
    """Return the same graph with its concepts' names exchanged at random: the null to beat."""
    order = np.random.default_rng(seed).permutation(len(edges))
    return edges[np.ix_(order, order)]


class EmbeddedGraph(nn.Module):
    """Edges from embeddings (Zhou, Bamler, Wu & Tejero-Cantero 2024, arXiv 2403.13179).

    a_ik = sigmoid(u_i . u_k + c) * sigmoid(u_i' (M - M') u_k): the first factor says that the two
    belong together, the second that i comes before k, so a_ik + a_ki <= 1. The constant c is ours:
    there is little transfer until answers speak for it.
    """

    place: Tensor

    def __init__(self, *, concepts: int, width: int) -> None:
        """Create a graph of K concepts with embeddings u of that width."""
        super().__init__()
        share = 2.0 * FIRST_COLUMN / (max(concepts, 2) + 2.0 * FIRST_COLUMN)
        self.place = nn.Parameter(torch.randn(concepts, width) * FIRST_SPREAD)
        self.order = nn.Parameter(torch.randn(width, width) * FIRST_SPREAD / width**0.5)
        self.link = nn.Parameter(torch.tensor(math.log(share / (1.0 - share))))

    @override
    def forward(self) -> Tensor:
        """Return a [K, K]."""
        together = torch.sigmoid(self.place @ self.place.T + self.link)
        before = torch.sigmoid(self.place @ (self.order - self.order.T) @ self.place.T)
        return together * before * (1.0 - torch.eye(len(self.place), device=self.place.device))
