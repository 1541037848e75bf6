"""AKT: context-aware attentive knowledge tracing (Ghosh, Heffernan & Lan, KDD 2020).

Equations of the paper, with the last W answers for "all before". One row has a set of concepts.
With `difficulty=False` and `times=False` it has the paper's inputs and no others.
"""

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor, nn
from typing_extensions import override

from kt_models.data.vocabulary import Vocabulary
from kt_models.errors import ImpossibleSetting
from kt_models.models.attention import (
    Attention,
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
class AktConfig:
    """What AKT decides beforehand.

    Attributes:
        width: of embeddings, queries, keys and values.
        heads: of every attention; they divide the width.
        layers: of the question encoder and of the knowledge encoder each.
        window: answers that a layer looks back.
        dropout: on what attention and feed-forward networks give.
        item_dropout: chance that an item counts as unknown in training.
        difficulty: whether items start from their share right among the training learners.
        times: whether gaps, elapsed times and hints are inputs.
        training: how it is trained.
    """

    width: int = 64
    heads: int = 4
    layers: int = 1
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


class AktNetwork(Network):
    """Two encoders and a retriever, all with monotonic attention."""

    def __init__(self, config: AktConfig, *, items: int, sets: int, concepts: int) -> None:
        """Create the network for a vocabulary of so many items, concept sets and concepts."""
        super().__init__()
        self.config = config
        self.embedding = RaschEmbedding(
            config.width,
            size=1,
            items=items,
            sets=sets,
            concepts=concepts,
            dropout=config.item_dropout,
            difficulty=config.difficulty,
            times=config.times,
        )
        several = range(config.layers)
        self.questions = Stack((self._layer(own=True) for _ in several), name="question")
        self.knowledge = Stack((self._layer(own=True) for _ in several), name="knowledge")
        # h_t is for the question at t, so it may see the answers before t alone.
        self.retriever = self._layer(own=False)
        self.read_out = ReadOut(
            config.width,
            dropout=config.dropout,
            difficulty=config.difficulty,
            times=config.times,
        )

    def _layer(self, *, own: bool) -> Layer:
        config = self.config
        attention = MonotonicAttention(
            config.width, heads=config.heads, window=config.window, own=own
        )
        return Layer(attention, width=config.width, dropout=config.dropout)

    @override
    def forward(self, batch: Batch) -> Tensor:
        x, y = self.embedding(batch)
        seen, acquired = x, y
        for _, layer in self.questions.named():
            seen, _ = layer(seen, seen, seen)
        for _, layer in self.knowledge.named():
            acquired, _ = layer(acquired, acquired, acquired)
        state, _ = self.retriever(seen, seen, acquired)
        logits: Tensor = self.read_out(state, x, batch)
        return logits

    @override
    def start(self, count: int) -> dict[str, Tensor]:
        layers = self.questions.named() + self.knowledge.named()
        return start_memories(
            [name for name, _ in layers] + ["retriever"],
            count=count,
            window=self.config.window,
            width=self.config.width,
            device=self.embedding.outcome.weight.device,
        )

    @override
    def absorb(self, state: dict[str, Tensor], batch: Batch) -> dict[str, Tensor]:
        seen, acquired = self.embedding(batch)
        new: dict[str, Memory] = {}
        for name, layer in self.questions.named():
            seen, new[name] = layer(seen, seen, seen, memory_in(state, name))
        for name, layer in self.knowledge.named():
            acquired, new[name] = layer(acquired, acquired, acquired, memory_in(state, name))
        past = memory_in(state, "retriever")
        new["retriever"] = self.retriever.attention.remember(seen, acquired, past)
        return state_after(new, batch, window=self.config.window)

    @override
    def ask(self, state: dict[str, Tensor], questions: Batch) -> Tensor:
        x, _ = self.embedding(questions)
        seen = x
        for name, layer in self.questions.named():
            seen = layer.ask(seen, seen, seen, memory_in(state, name))
        found = self.retriever.ask(seen, seen, seen, memory_in(state, "retriever"))
        logits: Tensor = self.read_out(found, x, questions)
        return logits


class MonotonicAttention(Attention):
    """Scores fade with a distance that counts the answers between by how much they matter.

    s_{t,tau} = exp(-theta d(t, tau)) q_t . k_tau / sqrt(D), where
    d(t, tau) = |t - tau| times the sum of gamma_{t,t'} over tau < t' <= t, and gamma is the softmax
    of the scores without fading (section 3.2 of the paper). theta > 0 per head.
    """

    def __init__(self, width: int, *, heads: int, window: int, own: bool) -> None:
        """As `Attention`."""
        super().__init__(width, heads=heads, window=window, own=own)
        # From hardly to quickly fading, so that the heads start out different.
        self.log_theta = nn.Parameter(torch.linspace(-4.0, 0.0, heads))

    @override
    def weigh(self, scores: Tensor, distance: Tensor, bias: Tensor) -> Tensor:
        # The distances are taken as given: through them each score would get a second, noisy
        # gradient, at twice the cost of a step.
        with torch.no_grad():
            gamma = torch.softmax(scores + bias, dim=-1)
            later = torch.cumsum(gamma, dim=-1, out=gamma).neg_().add_(1.0)
            far = later.mul_(distance)
        theta = self.log_theta.exp()[:, None, None]
        return torch.softmax(scores * torch.exp(-theta * far) + bias, dim=-1)


class Akt(NetworkModel):
    """Context-aware attentive knowledge tracing."""

    name: ClassVar[str] = "akt"
    config: AktConfig

    def __init__(self, config: AktConfig | None = None) -> None:
        """Create an unfitted model."""
        super().__init__(config or AktConfig())

    @override
    def build(self, vocabulary: Vocabulary) -> AktNetwork:
        return AktNetwork(
            self.config,
            items=len(vocabulary.item_keys),
            sets=len(vocabulary.concept_sets),
            concepts=len(vocabulary.concept_keys),
        )
