"""What CAKT's speed is measured beside: other forms of its convolutions, and attention."""

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from kt_models.models.cakt_branches import Conv3dBranch, ResidualBlock
from kt_models.training.sequences import Batch


def in_layout(branch: Conv3dBranch, *, half: bool = False) -> Callable[[Tensor], Tensor]:
    """Return the plain branch with channels innermost, in bfloat16 where asked."""
    own = copy.deepcopy(branch).to(memory_format=torch.channels_last_3d)

    def through(embedded: Tensor) -> Tensor:
        with torch.autocast(embedded.device.type, torch.bfloat16, enabled=half):
            return own.plain(embedded)

    return through


def banded(branch: Conv3dBranch, *, half: bool = False) -> Callable[[Tensor], Tensor]:
    """Return the branch as 2-D convolutions over depth x channels, whose weights are bands."""
    side = branch.side

    def through(embedded: Tensor) -> Tensor:
        count, depth, _ = embedded.shape
        values = embedded.view(count, depth, side, side)
        if half:
            values = values.to(memory_format=torch.channels_last)
        with torch.autocast(embedded.device.type, torch.bfloat16, enabled=half):
            for block in branch.blocks:
                values = _banded_block(block, values, depth)
        return values.view(count, depth, 1, side, side).mean(dim=1).flatten(1)

    return through


def _banded_block(block: ResidualBlock, values: Tensor, depth: int) -> Tensor:
    inner = functional.relu(_norm(block.first_norm, _conv(block.first, values, depth), depth))
    inner = _norm(block.second_norm, _conv(block.second, inner, depth), depth)
    channels = block.second.out_channels
    if block.squeeze is not None:
        means = inner.mean(dim=(2, 3)).view(-1, depth, channels).transpose(1, 2)
        inner = inner * block.squeeze(means).transpose(1, 2).reshape(len(inner), -1, 1, 1)
    return functional.relu(inner + _norm(block.past_norm, _conv(block.past, values, depth), depth))


def _conv(conv: nn.Conv3d, values: Tensor, depth: int) -> Tensor:
    weight = conv.weight
    reach = weight.shape[2] // 2
    # band[z, y, tap]: output slice z takes input slice y = z + tap - reach.
    z, y, tap = torch.meshgrid(
        *(torch.arange(n, device=weight.device) for n in (depth, depth, 2 * reach + 1)),
        indexing="ij",
    )
    band = (y == z + tap - reach).to(weight.dtype)
    folded = torch.einsum("zyt,oithw->zoyihw", band, weight)
    height, width = weight.shape[3:]
    folded = folded.reshape(depth * weight.shape[0], depth * weight.shape[1], height, width)
    return functional.conv2d(values, folded, padding=conv.padding[1:])


def _norm(norm: nn.BatchNorm3d, values: Tensor, depth: int) -> Tensor:
    count, _, height, width = values.shape
    split = values.view(count, depth, norm.num_features, height, width).transpose(1, 2)
    normal: Tensor = norm(split)
    return normal.transpose(1, 2).reshape(values.shape)


class CachedAttention(nn.Module):
    """Two layers of attention over all earlier answers; the state holds their keys and values."""

    def __init__(self, *, concepts: int, width: int = 64, heads: int = 4) -> None:
        super().__init__()
        self.width, self.heads = width, heads
        self.answers = nn.Embedding(2 * concepts + 2, width)
        self.questions = nn.Embedding(concepts + 1, width)
        self.keys = nn.ModuleList(nn.Linear(width, 2 * width) for _ in range(2))
        self.queries = nn.ModuleList(nn.Linear(width, width) for _ in range(2))
        self.ahead = nn.ModuleList(
            nn.Sequential(nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))
            for _ in range(2)
        )
        self.readout = nn.Linear(width, 1)

    def start(self) -> list[Tensor]:
        """Return no keys and values of each layer, [1, 0, 2 width]."""
        return [torch.zeros(1, 0, 2 * self.width) for _ in self.keys]

    def absorb(self, cache: list[Tensor], batch: Batch) -> list[Tensor]:
        """Return the cache with the answers of a batch, each attending to itself and before."""
        after = []
        values = self.answers(
            batch.concept_set + (batch.correct > 0.5) * len(self.questions.weight)
        )
        for layer, earlier in enumerate(cache):
            after.append(torch.cat([earlier, self.keys[layer](values)], dim=1))
            values = self._layer(layer, values, after[-1])
        return after

    def ask(self, cache: list[Tensor], batch: Batch) -> Tensor:
        """Return [1, N] logits of questions that attend to everything in the cache."""
        values = self.questions(batch.concept_set)
        for layer, earlier in enumerate(cache):
            values = self._layer(layer, values, earlier)
        logits: Tensor = self.readout(values).squeeze(2)
        return logits

    def _layer(self, layer: int, values: Tensor, earlier: Tensor) -> Tensor:
        key, value = (self._split(part) for part in earlier.chunk(2, dim=2))
        query = self._split(self.queries[layer](values))
        several = values.shape[1] > 1
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=several)
        values = values + mixed.transpose(1, 2).flatten(2)
        result: Tensor = values + self.ahead[layer](values)
        return result

    def _split(self, values: Tensor) -> Tensor:
        return values.unflatten(2, (self.heads, -1)).transpose(1, 2)
