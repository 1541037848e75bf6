"""Attention to the last W answers: one pass over a history and answer by answer agree exactly.

A history has no end, so each layer looks back W answers and no further. The band slides: every
answer is predicted from the W before it, and what a layer needs for the next one are the keys and
values of the last W answers, which is all that a `Memory` holds.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from typing_extensions import override

from kt_models.training.sequences import Batch

# Queries that are weighed at once: fewer waste fewer cells above the diagonal, more call less.
BLOCK = 64


class Memory(NamedTuple):
    """What a layer has kept of B learners; the latest answer is last.

    Attributes:
        keys: [B, P, width].
        values: [B, P, width].
        held: [B] how many of the P there are, from the end; the others are blank.
    """

    keys: Tensor
    values: Tensor
    held: Tensor

    def recent(self, lengths: Tensor, *, window: int) -> "Memory":
        """Return the last `window` of the first P - T + lengths, for a pass over T more answers.

        Args:
            lengths: [B] how many of the T answers there were.
            window: P - T of them were kept before.
        """
        rows = lengths[:, None] + torch.arange(window, device=lengths.device)
        picked = rows[..., None].expand(-1, -1, self.keys.shape[2])
        return Memory(
            keys=self.keys.gather(1, picked),
            values=self.values.gather(1, picked),
            held=torch.clamp(self.held + lengths, max=window),
        )


class Attention(nn.Module):
    """Attention with H heads to the last W answers, and to its own if `own`.

    A subclass says how scores become weights. A query without anything to attend to gets zeros.
    """

    def __init__(self, width: int, *, heads: int, window: int, own: bool) -> None:
        """Create the four projections; `heads` must divide `width`."""
        super().__init__()
        self.heads, self.window, self.own = heads, window, own
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value, self.out = nn.Linear(width, width), nn.Linear(width, width)

    @override
    def forward(
        self, queries: Tensor, keys: Tensor, values: Tensor, past: Memory | None = None
    ) -> tuple[Tensor, Memory]:
        """Return [B, T, width] for T answers that follow the past ones, and all keys and values.

        Args:
            queries: [B, T, width].
            keys: [B, T, width].
            values: [B, T, width].
            past: what was kept before, W answers wide; None for the beginning of a history.
        """
        memory = self.remember(keys, values, past)
        q = self._queries(queries)
        k, v = self._split(memory.keys), self._split(memory.values)
        before = k.shape[2] - q.shape[2]
        place = torch.arange(k.shape[2], device=k.device)
        blocks = []
        for first in range(0, q.shape[2], BLOCK):
            last = min(first + BLOCK, q.shape[2])
            low, high = max(before + first - self.window, 0), before + last
            distance = place[before + first : high, None] - place[low:high]
            allowed = (distance <= self.window) & (distance >= (0 if self.own else 1))
            if past is not None:
                there = place[low:high] >= before - past.held[:, None]
                allowed = allowed & there[:, None, None]
            blocks.append(
                self.attend(
                    q[:, :, first:last], k[:, :, low:high], v[:, :, low:high], distance, allowed
                )
            )
        return self._joined(torch.cat(blocks, dim=2)), memory

    def remember(self, keys: Tensor, values: Tensor, past: Memory | None = None) -> Memory:
        """Return the keys and values of the past and of T more answers."""
        k, v = self.key(keys), self.value(values)
        if past is None:
            return Memory(k, v, torch.zeros(len(k), dtype=torch.int64, device=k.device))
        return Memory(torch.cat([past.keys, k], 1), torch.cat([past.values, v], 1), past.held)

    def ask(self, queries: Tensor, keys: Tensor, values: Tensor, past: Memory) -> Tensor:
        """Return [B, N, width] for N questions, each as if it alone came next."""
        q = self._queries(queries)
        k, v = self._split(past.keys), self._split(past.values)
        size = k.shape[2]
        place = torch.arange(size, device=k.device)
        distance = (size - place)[None]
        allowed = (place >= size - past.held[:, None])[:, None, None]
        if not self.own:
            return self._joined(self.attend(q, k, v, distance, allowed))
        own_key, own_value = self._split(self.key(keys)), self._split(self.value(values))
        scores = torch.cat([q @ k.transpose(2, 3), (q * own_key).sum(3, keepdim=True)], dim=3)
        distance = torch.cat([distance, distance.new_zeros(1, 1)], dim=1)
        allowed = torch.cat([allowed, allowed.new_ones(len(allowed), 1, 1, 1)], dim=3)
        weights = self.weigh(scores, distance, _bias(allowed, q))
        return self._joined(weights[..., :size] @ v + weights[..., size:] * own_value)

    def attend(self, q: Tensor, k: Tensor, v: Tensor, distance: Tensor, allowed: Tensor) -> Tensor:
        """Return [B, H, T, D] values by their weights, 0 where nothing is allowed.

        Args:
            q: [B, H, T, D] queries, over the root of D already.
            k: [B, H, K, D].
            v: [B, H, K, D].
            distance: [T, K] answers from the key to the query.
            allowed: [.., T, K] whether the query may see the key.
        """
        found = self.weigh(q @ k.transpose(2, 3), distance, _bias(allowed, q)) @ v
        kept: Tensor = found * allowed.any(dim=-1, keepdim=True)
        return kept

    def weigh(self, scores: Tensor, distance: Tensor, bias: Tensor) -> Tensor:
        """Return [B, H, T, K] weights that sum to 1; `bias` [.., T, K] shuts keys out."""
        raise NotImplementedError

    def _queries(self, queries: Tensor) -> Tensor:
        size = queries.shape[2] // self.heads
        scaled: Tensor = self.query(queries) / size**0.5
        return self._split(scaled)

    def _split(self, values: Tensor) -> Tensor:
        """[B, T, width] to [B, H, T, width / H]."""
        batch, steps, width = values.shape
        return values.view(batch, steps, self.heads, width // self.heads).transpose(1, 2)

    def _joined(self, values: Tensor) -> Tensor:
        joined: Tensor = self.out(values.transpose(1, 2).flatten(2))
        return joined


class DotProductAttention(Attention):
    """The plain kind, in the library's own fused form."""

    @override
    def attend(self, q: Tensor, k: Tensor, v: Tensor, distance: Tensor, allowed: Tensor) -> Tensor:
        found: Tensor = nn.functional.scaled_dot_product_attention(
            q, k, v, attn_mask=_bias(allowed, q), scale=1.0
        )
        kept: Tensor = found * allowed.any(dim=-1, keepdim=True)
        return kept

    @override
    def weigh(self, scores: Tensor, distance: Tensor, bias: Tensor) -> Tensor:
        return torch.softmax(scores + bias, dim=-1)


class Layer(nn.Module):
    """Attention and a feed-forward network, each with residual, dropout and layer norm."""

    def __init__(self, attention: Attention, *, width: int, dropout: float) -> None:
        """Create the layer around an attention of this width."""
        super().__init__()
        self.attention = attention
        self.dropout = nn.Dropout(dropout)
        self.attended, self.fed = nn.LayerNorm(width), nn.LayerNorm(width)
        self.feed = nn.Sequential(
            nn.Linear(width, 2 * width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(2 * width, width)
        )

    @override
    def forward(
        self, queries: Tensor, keys: Tensor, values: Tensor, past: Memory | None = None
    ) -> tuple[Tensor, Memory]:
        """As `Attention.forward`."""
        found, memory = self.attention(queries, keys, values, past)
        return self._finish(queries, found), memory

    def ask(self, queries: Tensor, keys: Tensor, values: Tensor, past: Memory) -> Tensor:
        """As `Attention.ask`."""
        return self._finish(queries, self.attention.ask(queries, keys, values, past))

    def _finish(self, queries: Tensor, found: Tensor) -> Tensor:
        whole = self.attended(queries + self.dropout(found))
        fed: Tensor = self.fed(whole + self.dropout(self.feed(whole)))
        return fed


class Stack(nn.ModuleList):
    """Layers with the names that their memories go by."""

    def __init__(self, layers: Iterable[Layer], *, name: str) -> None:
        """Number the layers after a name."""
        super().__init__(layers)
        self.name = name

    def named(self) -> list[tuple[str, Layer]]:
        """Return (name, layer) from the first to the last."""
        layers = [layer for layer in self if isinstance(layer, Layer)]
        return [(f"{self.name}{place}", layer) for place, layer in enumerate(layers)]


def _bias(allowed: Tensor, q: Tensor) -> Tensor:
    # Finite, since a row of nothing but minus infinity has no softmax. Of the queries' type, since
    # the fused form misreads another without a word.
    return torch.zeros_like(allowed, dtype=q.dtype).masked_fill_(~allowed, -1e9)


def start_memories(
    names: Sequence[str], *, count: int, window: int, width: int, device: torch.device
) -> dict[str, Tensor]:
    """Return the memories of `count` learners without a history, as a state."""
    state = {"held": torch.zeros(count, dtype=torch.int64, device=device)}
    for name in names:
        for part in ("keys", "values"):
            state[f"{name}.{part}"] = torch.zeros(count, window, width, device=device)
    return state


def memory_in(state: Mapping[str, Tensor], name: str) -> Memory:
    """Return one layer's memory out of a state."""
    return Memory(state[f"{name}.keys"], state[f"{name}.values"], state["held"])


def state_after(memories: Mapping[str, Memory], batch: Batch, *, window: int) -> dict[str, Tensor]:
    """Return the state after a pass over a batch's answers, `window` of them kept."""
    lengths = batch.mask.sum(dim=1)
    state: dict[str, Tensor] = {}
    for name, memory in memories.items():
        recent = memory.recent(lengths, window=window)
        state |= {f"{name}.keys": recent.keys, f"{name}.values": recent.values}
        state["held"] = recent.held
    return state
