"""Deep knowledge tracing: an LSTM over answers (Piech et al. 2015), read out per question.

With items (`items=True`, the default) a question is its item and its set of concepts, and the
item's easiness is added to the logit, since concepts alone leave out most of what can be known.
With `items=False` it is the published model on concept sets.
"""

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor, nn
from typing_extensions import override

from kt_models.data.vocabulary import Vocabulary
from kt_models.models.network import NetworkModel
from kt_models.settings import require_at_least, require_share
from kt_models.training.networks import Network
from kt_models.training.sequences import Batch
from kt_models.training.training_config import TrainingConfig


@dataclass(frozen=True, slots=True)
class DktConfig:
    """What DKT decides beforehand.

    Attributes:
        hidden: width of the LSTM.
        width: of the embedding of questions.
        items: whether items are known, or concept sets alone.
        times: whether gaps and elapsed times are inputs.
        dropout: on the embeddings of items, which are many and rare.
        training: how it is trained.
    """

    hidden: int = 100
    width: int = 64
    items: bool = True
    times: bool = True
    dropout: float = 0.3
    training: TrainingConfig = field(
        default_factory=lambda: TrainingConfig(epochs=8, positions=2048, weight_decay=0.3)
    )

    def __post_init__(self) -> None:
        """Refuse what cannot be built.

        Raises:
            ImpossibleSetting: naming the setting.
        """
        require_at_least(self, 1, "hidden", "width")
        require_share(self, "dropout")


class DktNetwork(Network):
    """h_t = LSTM(answers before t); logit_t = w . relu(W [h_t, q_t]) + b_item + easiness."""

    def __init__(self, config: DktConfig, *, items: int, sets: int, concepts: int) -> None:
        """Create the network for a vocabulary of so many items, concept sets and concepts."""
        super().__init__()
        self.config = config
        self.question = QuestionEmbedding(
            config.width,
            items=items if config.items else 0,
            sets=sets,
            concepts=concepts,
            dropout=config.dropout,
        )
        extra = 4 if config.times else 1
        self.lstm = nn.LSTM(2 * config.width + extra, config.hidden, batch_first=True)
        self.read_out = nn.Sequential(
            nn.Linear(config.hidden + config.width + 1, config.hidden),
            nn.ReLU(),
            nn.Linear(config.hidden, 1),
        )
        self.easiness = nn.Parameter(torch.ones(()))

    @override
    def forward(self, batch: Batch) -> Tensor:
        question = self.question(batch)
        seen, _ = self.lstm(self._answers(batch, question))
        before = torch.cat([seen.new_zeros(seen.shape[0], 1, seen.shape[2]), seen[:, :-1]], dim=1)
        return self._read(before, question, batch)

    @override
    def start(self, count: int) -> dict[str, Tensor]:
        blank = torch.zeros(count, self.config.hidden, device=self.easiness.device)
        return {"hidden": blank, "cell": blank.clone()}

    @override
    def absorb(self, state: dict[str, Tensor], batch: Batch) -> dict[str, Tensor]:
        answers = self._answers(batch, self.question(batch))
        lengths = batch.mask.sum(dim=1)
        hidden, cell = state["hidden"].clone(), state["cell"].clone()
        some = torch.nonzero(lengths).squeeze(1)
        packed = nn.utils.rnn.pack_padded_sequence(
            answers[some], lengths[some].cpu(), batch_first=True, enforce_sorted=False
        )
        _, (h, c) = self.lstm(packed, (hidden[None, some], cell[None, some]))
        hidden[some], cell[some] = h[0], c[0]
        return {"hidden": hidden, "cell": cell}

    @override
    def ask(self, state: dict[str, Tensor], questions: Batch) -> Tensor:
        count = questions.item.shape[1]
        before = state["hidden"][:, None].expand(-1, count, -1)
        return self._read(before, self.question(questions), questions)

    def _answers(self, batch: Batch, question: Tensor) -> Tensor:
        """Return [B, T, .] the question on the side of its outcome, and times."""
        right = batch.correct[..., None]
        parts = [question * right, question * (1.0 - right), right]
        if self.config.times:
            parts += [log_time(batch.gap), log_time(batch.elapsed), batch.assisted[..., None]]
        return torch.cat(parts, dim=2)

    def _read(self, before: Tensor, question: Tensor, batch: Batch) -> Tensor:
        gap = log_time(batch.gap) if self.config.times else torch.zeros_like(before[..., :1])
        logit: Tensor = self.read_out(torch.cat([before, question, gap], dim=2)).squeeze(2)
        if not self.config.items:
            return logit
        easy: Tensor = self.question.offset(batch) + self.easiness * batch.difficulty
        return logit + easy


class QuestionEmbedding(nn.Module):
    """An item, its set of concepts and the concepts in it as one vector; unknown parts are zero."""

    def __init__(self, width: int, *, items: int, sets: int, concepts: int, dropout: float) -> None:
        """Create tables; `items` = 0 leaves items out."""
        super().__init__()
        self.items = nn.Embedding(items + 1, width, padding_idx=0) if items else None
        self.offsets = nn.Embedding(items + 1, 1, padding_idx=0) if items else None
        self.sets = nn.Embedding(sets + 1, width, padding_idx=0)
        self.concepts = nn.Embedding(concepts + 1, width, padding_idx=0)
        self.dropout = dropout
        for table in (self.items, self.sets, self.concepts):
            if table is not None:
                nn.init.normal_(table.weight, std=0.1)
                _blank(table)
        if self.offsets is not None:
            nn.init.zeros_(self.offsets.weight)

    @override
    def forward(self, batch: Batch) -> Tensor:
        """Return [B, T, width]."""
        many = (batch.concepts > 0).sum(dim=2, keepdim=True).clamp(min=1)
        question: Tensor = self.concepts(batch.concepts).sum(dim=2) / many
        question = question + self.sets(batch.concept_set)
        if self.items is None:
            return question
        own: Tensor = self.items(self._dropped(batch.item))
        return question + own

    def offset(self, batch: Batch) -> Tensor:
        """Return [B, T] what is learnt of the item's easiness beyond its share right."""
        if self.offsets is None:
            return torch.zeros_like(batch.difficulty)
        learnt: Tensor = self.offsets(self._dropped(batch.item)).squeeze(2)
        return learnt

    def _dropped(self, item: Tensor) -> Tensor:
        """Whole items are dropped, so that the network learns what to say of a new one."""
        if not self.training or not self.dropout:
            return item
        return item * (torch.rand(item.shape, device=item.device) >= self.dropout)


def log_time(seconds: Tensor) -> Tensor:
    """Return [.., 1] log(1 + seconds), about 0 to 2 from an instant to years."""
    return torch.log1p(seconds)[..., None] / 10.0


def _blank(table: nn.Embedding) -> None:
    with torch.no_grad():
        table.weight[0] = 0.0


class Dkt(NetworkModel):
    """Deep knowledge tracing."""

    name: ClassVar[str] = "dkt"
    config: DktConfig

    def __init__(self, config: DktConfig | None = None) -> None:
        """Create an unfitted model."""
        super().__init__(config or DktConfig())

    @override
    def build(self, vocabulary: Vocabulary) -> DktNetwork:
        return DktNetwork(
            self.config,
            items=len(vocabulary.item_keys),
            sets=len(vocabulary.concept_sets),
            concepts=len(vocabulary.concept_keys),
        )
