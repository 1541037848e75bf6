"""What CAKT makes of the k embeddings it looks at: the 3-D convolutions and what may stand there.

Shapes: P positions, k embeddings of each (oldest first, zeros in front), H x H = E dimensions.
Every branch turns [P, k, E] into [P, E].
"""

import itertools
import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import relu
from typing_extensions import override

from kt_models.models.cakt_convolution.block import compiled_block, from_lanes, to_lanes
from kt_models.models.cakt_convolution.lanes import LANES

# Channels between the four residual blocks (Su et al. 2023, Table 1).
CHANNELS = (1, 4, 8, 4, 1)
# Positions that are judged together: 200 MB in the convolutions at k = 6, H = 17.
AT_ONCE = 1024


class TimelySqueeze(nn.Module):
    """Weigh the depth slices of each channel by their means (Su et al. 2023, Fig. 3)."""

    def __init__(self, depth: int) -> None:
        """Make the two linear maps over the depth axis, shared by all channels."""
        super().__init__()
        self.squeeze = nn.Linear(depth, depth // 2, bias=False)
        self.excite = nn.Linear(depth // 2, depth, bias=False)

    @override
    def forward(self, means: Tensor) -> Tensor:
        """Return [P, C, k] weights in 0 to 1 from [P, C, k] means of the slices."""
        weights: Tensor = torch.sigmoid(self.excite(relu(self.squeeze(means))))
        return weights


class ResidualBlock(nn.Module):
    """Two 3 x 3 x 3 convolutions beside a 1 x 1 x 1 one (Su et al. 2023, Fig. 2B)."""

    def __init__(self, channels_in: int, channels_out: int, *, depth: int, squeeze: bool) -> None:
        """Make the block; `squeeze` is whether the second convolution is weighed by slice."""
        super().__init__()
        self.first = nn.Conv3d(channels_in, channels_out, 3, padding=1, bias=False)
        self.first_norm = nn.BatchNorm3d(channels_out)
        self.second = nn.Conv3d(channels_out, channels_out, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm3d(channels_out)
        self.past = nn.Conv3d(channels_in, channels_out, 1, bias=False)
        self.past_norm = nn.BatchNorm3d(channels_out)
        self.squeeze = TimelySqueeze(depth) if squeeze else None
        for conv in (self.first, self.second, self.past):
            nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")

    @override
    def forward(self, images: Tensor) -> Tensor:
        """Return [P, channels_out, k, H, H] from [P, channels_in, k, H, H]."""
        inner = relu(self.first_norm(self.first(images)))
        inner = self.second_norm(self.second(inner))
        if self.squeeze is not None:
            inner = inner * self.squeeze(inner.mean(dim=(3, 4)))[..., None, None]
        return relu(inner + self.past_norm(self.past(images)))


class Conv3dBranch(nn.Module):
    """Four residual blocks over depth, height and width, then the mean over depth (Eq. 4)."""

    def __init__(self, *, k: int, side: int, squeeze: bool) -> None:
        """Make the blocks for k embeddings folded to side x side."""
        super().__init__()
        self.side = side
        self.blocks = nn.Sequential(
            *(
                ResidualBlock(i, o, depth=k, squeeze=squeeze)
                for i, o in itertools.pairwise(CHANNELS)
            )
        )

    @override
    def forward(self, embedded: Tensor) -> Tensor:
        """Return [P, E] from [P, k, E]."""
        if self.training:
            return self._at_once(embedded)
        # Without batch statistics every position stands alone, so memory need not grow with them.
        parts = [self._at_once(part) for part in torch.split(embedded, AT_ONCE)]
        return torch.cat(parts) if len(parts) > 1 else parts[0]

    def _at_once(self, embedded: Tensor) -> Tensor:
        # The compiled form costs as much for one position as for all its lanes.
        worth_it = self.training or len(embedded) > LANES // 2
        if worth_it and embedded.device.type == "cpu" and embedded.dtype == torch.float32:
            return self._compiled(embedded)
        return self.plain(embedded)

    def plain(self, embedded: Tensor) -> Tensor:
        """Return the same by torch's own layers, on any device."""
        images = embedded.view(len(embedded), -1, self.side, self.side)[:, None]
        blocked: Tensor = self.blocks(images)
        return blocked.mean(dim=2).flatten(1)

    def _compiled(self, embedded: Tensor) -> Tensor:
        values, mask = to_lanes(embedded, self.side)
        for block in self.blocks:
            values = compiled_block(block, values, mask)
        return from_lanes(values.mean(dim=2)[:, 0], len(embedded))


class FlatBranch(nn.Module):
    """One linear layer over all k embeddings (FC in Table 8)."""

    def __init__(self, *, k: int, side: int) -> None:
        """Make the layer."""
        super().__init__()
        self.linear = nn.Linear(k * side * side, side * side)

    @override
    def forward(self, embedded: Tensor) -> Tensor:
        """Return [P, E] from [P, k, E]."""
        hidden: Tensor = self.linear(embedded.flatten(1))
        return relu(hidden)


class LstmBranch(nn.Module):
    """The last state of an LSTM over the k embeddings (LSTM in Table 8)."""

    def __init__(self, *, side: int) -> None:
        """Make the LSTM."""
        super().__init__()
        self.lstm = nn.LSTM(side * side, side * side, batch_first=True)

    @override
    def forward(self, embedded: Tensor) -> Tensor:
        """Return [P, E] from [P, k, E]."""
        states: Tensor = self.lstm(embedded)[0]
        return states[:, -1]


class AttentionBranch(nn.Module):
    """One head of self-attention among the k embeddings, then their mean (SA in Table 8)."""

    def __init__(self, *, side: int) -> None:
        """Make the three projections."""
        super().__init__()
        self.project = nn.Linear(side * side, 3 * side * side)

    @override
    def forward(self, embedded: Tensor) -> Tensor:
        """Return [P, E] from [P, k, E]."""
        query, key, value = self.project(embedded).chunk(3, dim=-1)
        scores = query @ key.transpose(1, 2) / math.sqrt(query.shape[-1])
        mixed: Tensor = scores.softmax(dim=-1) @ value
        return mixed.mean(dim=1)


class FlatBlock(nn.Module):
    """A residual block of 2-D convolutions."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        """Make the block."""
        super().__init__()
        self.inner = nn.Sequential(
            nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(),
            nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
        )
        self.past = nn.Sequential(
            nn.Conv2d(channels_in, channels_out, 1, bias=False), nn.BatchNorm2d(channels_out)
        )

    @override
    def forward(self, images: Tensor) -> Tensor:
        """Return [P, channels_out, H, H] from [P, channels_in, H, H]."""
        total: Tensor = self.inner(images) + self.past(images)
        return relu(total)


class Conv2dBranch(nn.Module):
    """The same blocks in two dimensions, the k embeddings as channels (CNN in Table 8)."""

    def __init__(self, *, k: int, side: int) -> None:
        """Make the blocks."""
        super().__init__()
        self.side = side
        widths = itertools.pairwise((k, *CHANNELS[1:]))
        self.blocks = nn.Sequential(*(FlatBlock(i, o) for i, o in widths))

    @override
    def forward(self, embedded: Tensor) -> Tensor:
        """Return [P, E] from [P, k, E]."""
        images: Tensor = self.blocks(embedded.view(len(embedded), -1, self.side, self.side))
        return images.flatten(1)


class MeanBranch(nn.Module):
    """The mean of the k embeddings: the control that the others must beat."""

    @override
    def forward(self, embedded: Tensor) -> Tensor:
        """Return [P, E] from [P, k, E]."""
        return embedded.mean(dim=1)


def build_branch(name: str, *, k: int, side: int, squeeze: bool) -> nn.Module | None:
    """Return the branch of that name (see CaktConfig), or None for none."""
    branches: dict[str, Callable[[], nn.Module | None]] = {
        "conv3d": lambda: Conv3dBranch(k=k, side=side, squeeze=squeeze),
        "fc": lambda: FlatBranch(k=k, side=side),
        "lstm": lambda: LstmBranch(side=side),
        "self-attention": lambda: AttentionBranch(side=side),
        "cnn": lambda: Conv2dBranch(k=k, side=side),
        "mean": MeanBranch,
        "none": lambda: None,
    }
    return branches[name]()
