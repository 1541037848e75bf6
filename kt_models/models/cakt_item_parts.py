"""Trained parts of CAKT with items: tries, a mean of recalled answers, a head on the window."""

import math

import torch
from torch import Tensor, nn
from typing_extensions import override

from kt_models.models import cakt_item_memory as memory
from kt_models.models.cakt_item_memory import Recall
from kt_models.models.cakt_item_window import History


class TryEmbedding(nn.Module):
    """What the number of earlier answers to the very item says.

    Where wrong answers are tried again until right, the second and third try have odds of their
    own on every item: a choice of four has one less each time.
    """

    def __init__(self, *, items: int, width: int, tries: int) -> None:
        """Create tables for so many items; more tries than `tries` count as that many."""
        super().__init__()
        self.most = tries
        self.vectors = nn.Embedding(tries + 1, width)
        self.offsets = nn.Embedding(items + 1, tries, padding_idx=0)
        nn.init.zeros_(self.vectors.weight)
        nn.init.zeros_(self.offsets.weight)

    @override
    def forward(self, item: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
        """Return [B, T, width] to add to the question and [B, T] to add to its logit.

        Args:
            item: [B, T] items asked.
            count: [B, T] answers in sight to each.
        """
        nth = count.clamp(max=self.most)
        offsets = self.offsets(item).gather(2, (nth - 1).clamp(min=0)[..., None]).squeeze(2)
        # The first try's offset is the item's own.
        return self.vectors(nth), offsets * (nth > 0)


class MeanBranch(nn.Module):
    """The mean of the answers recalled, weighted by (1 + lag)^-rate, gated into the LSTM's state.

    The gates are those of CAKT, equations 5 to 7.
    """

    def __init__(self, *, token: int, hidden: int) -> None:
        """Create the branch for tokens and states of such widths."""
        super().__init__()
        self.value = nn.Linear(token, hidden)
        self.rate = nn.Parameter(torch.tensor(-2.0))
        self.gates = nn.Linear(2 * hidden, 2 * hidden)

    @override
    def forward(self, before: Tensor, tokens: Tensor, recalled: Recall) -> Tensor:
        """Return [B, T, hidden] from the LSTM's states of that shape and tokens [B, N, .]."""
        learners, questions, size = recalled.place.shape
        values: Tensor = self.value(tokens)
        rate = nn.functional.softplus(self.rate)
        weights = torch.exp(-rate * torch.log1p(recalled.lag)) * recalled.there
        weights = weights / (weights.sum(dim=2, keepdim=True) + 0.5)
        firsts = torch.arange(learners, device=values.device)[:, None, None] * values.shape[1]
        # One pass over the values instead of a gathered copy per question.
        mean = nn.functional.embedding_bag(
            (recalled.place + firsts).view(-1, size),
            values.reshape(-1, values.shape[2]),
            per_sample_weights=weights.view(-1, size),
            mode="sum",
        ).view(learners, questions, -1)
        gates = torch.sigmoid(self.gates(torch.cat([mean, before], dim=2)))
        of_mean, of_state = gates.chunk(2, dim=2)
        return of_mean * mean + of_state * before


class WindowAttention(nn.Module):
    """One head over the window, with a say for the same item, the same concept and recency."""

    def __init__(self, *, width: int, token: int, size: int) -> None:
        """Create a head of a size for questions and tokens of such widths."""
        super().__init__()
        self.query = nn.Linear(width, size)
        self.key = nn.Linear(token, size)
        self.value = nn.Linear(token, size)
        # Of the same item, of a shared concept, and per log of answers since.
        self.says = nn.Parameter(torch.tensor([1.0, 1.0, -0.5]))

    @override
    def forward(
        self, question: Tensor, tokens: Tensor, history: History, match: tuple[Tensor, Tensor]
    ) -> Tensor:
        """Return [B, T, attention]; shapes as in `CaktItemNetwork`."""
        lags = torch.arange(history.window, 0, -1, device=tokens.device, dtype=torch.float32)
        there = history.answers.mask
        absent = torch.zeros(there.shape, device=tokens.device).masked_fill(~there, -math.inf)
        bias = history.seen(absent) + self.says[2] * torch.log(lags)
        bias = bias + self.says[0] * match[0] + self.says[1] * match[1]
        return memory.attended(
            history, self.query(question), self.key(tokens), self.value(tokens), bias
        )
