"""simpleKT: a simple but tough-to-beat baseline (Liu, Liu, Chen, Huang & Luo, ICLR 2023).

Ordinary dot-product attention from the question to the answers before it, questions embedded after
the Rasch model, a network that reads out. The last W answers stand for "all before". With
`difficulty=False` and `times=False` it has the paper's inputs and no others.
"""

import math
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from kt_models.data.vocabulary import Vocabulary
from kt_models.errors import ImpossibleSetting
from kt_models.models.attention import (
    DotProductAttention,
    Layer,
    Memory,
    Stack,
    memory_in,
    start_memories,
    state_after,
)
from kt_models.models.network import NetworkModel
from kt_models.models.rasch import RaschEmbedding, ReadOut
from kt_models.settings import require_at_least, require_share
from kt_models.training.networks import Network
from kt_models.training.sequences import Batch
from kt_models.training.training_config import TrainingConfig


@dataclass(frozen=True, slots=True)
class SimpleKtConfig:
    """What simpleKT decides beforehand.

    Attributes:
        width: of embeddings, queries, keys and values; even.
        heads: of every attention; they divide the width.
        layers: one upon the other.
        window: answers that a layer looks back.
        dropout: on what attention and feed-forward networks give.
        item_dropout: chance that an item counts as unknown in training.
        difficulty: whether items start from their share right among the training learners.
        times: whether gaps, elapsed times and hints are inputs.
        training: how it is trained.
    """

    width: int = 64
    heads: int = 4
    layers: int = 2
    window: int = 200
    dropout: float = 0.1
    item_dropout: float = 0.1
    difficulty: bool = True
    times: bool = True
    training: TrainingConfig = field(
        default_factory=lambda: TrainingConfig(epochs=8, positions=2048, weight_decay=0.3)
    )

    def __post_init__(self) -> None:
        """Refuse what cannot be built.

        Raises:
            ImpossibleSetting: naming the setting.
        """
        require_at_least(self, 1, "width", "heads", "layers", "window")
        require_share(self, "dropout", "item_dropout")
        if self.width % self.heads:
            raise ImpossibleSetting(f"heads = {self.heads} must divide width = {self.width}.")
        if self.width % 2:
            raise ImpossibleSetting(f"width = {self.width} must be even.")


class SimpleKtNetwork(Network):
    """Layers of attention whose queries and keys are questions and whose values are answers."""

    def __init__(self, config: SimpleKtConfig, *, items: int, sets: int, concepts: int) -> None:
        """Create the network for a vocabulary of so many items, concept sets and concepts."""
        super().__init__()
        self.config = config
        self.embedding = RaschEmbedding(
            config.width,
            size=config.width,
            items=items,
            sets=sets,
            concepts=concepts,
            dropout=config.item_dropout,
            difficulty=config.difficulty,
            times=config.times,
        )
        self.layers = Stack((self._layer() for _ in range(config.layers)), name="layer")
        self.read_out = ReadOut(
            config.width,
            dropout=config.dropout,
            difficulty=config.difficulty,
            times=config.times,
        )

    def _layer(self) -> Layer:
        config = self.config
        attention = DotProductAttention(
            config.width, heads=config.heads, window=config.window, own=False
        )
        return Layer(attention, width=config.width, dropout=config.dropout)

    @override
    def forward(self, batch: Batch) -> Tensor:
        x, y = self._embedded(batch)
        state = x
        for _, layer in self.layers.named():
            state, _ = layer(state, state, y)
        logits: Tensor = self.read_out(state, x, batch)
        return logits

    @override
    def start(self, count: int) -> dict[str, Tensor]:
        return start_memories(
            [name for name, _ in self.layers.named()],
            count=count,
            window=self.config.window,
            width=self.config.width,
            device=self.embedding.outcome.weight.device,
        )

    @override
    def absorb(self, state: dict[str, Tensor], batch: Batch) -> dict[str, Tensor]:
        seen, y = self._embedded(batch)
        new: dict[str, Memory] = {}
        for name, layer in self.layers.named():
            seen, new[name] = layer(seen, seen, y, memory_in(state, name))
        return state_after(new, batch, window=self.config.window)

    @override
    def ask(self, state: dict[str, Tensor], questions: Batch) -> Tensor:
        x, y = self._embedded(questions)
        seen = x
        for name, layer in self.layers.named():
            seen = layer.ask(seen, seen, y, memory_in(state, name))
        logits: Tensor = self.read_out(seen, x, questions)
        return logits

    def _embedded(self, batch: Batch) -> tuple[Tensor, Tensor]:
        x, y = self.embedding(batch)
        place = place_in_history(batch.step, self.config.width)
        return x + place, y + place


def place_in_history(step: Tensor, width: int) -> Tensor:
    """Return [B, T, width] sines and cosines of a step (Vaswani et al. 2017, section 3.5)."""
    rates = torch.exp(torch.arange(0, width, 2, device=step.device) * (-math.log(10_000.0) / width))
    angles = step[..., None] * rates
    # As small as the embeddings are at first, or the place would drown the question.
    return 0.1 * torch.cat([torch.sin(angles), torch.cos(angles)], dim=-1)


class SimpleKt(NetworkModel):
    """Attention from questions to answers."""

    name: ClassVar[str] = "simplekt"
    config: SimpleKtConfig

    def __init__(self, config: SimpleKtConfig | None = None) -> None:
        """Create an unfitted model."""
        super().__init__(config or SimpleKtConfig())

    @override
    def build(self, vocabulary: Vocabulary) -> SimpleKtNetwork:
        return SimpleKtNetwork(
            self.config,
            items=len(vocabulary.item_keys),
            sets=len(vocabulary.concept_sets),
            concepts=len(vocabulary.concept_keys),
        )
