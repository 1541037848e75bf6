"""CAKT with items: an LSTM over answers beside what the last W answers say about the question.

From CAKT (Su, Liu, Yang & Lu 2023, doi 10.3389/fpsyg.2023.1150329) it has the last answers on the
concepts of the question asked. What is ours: items and sets of concepts with calibrated easiness,
the answers to the same item, real times, one head of attention, and a window instead of the whole
history. Each ingredient can be switched, and those that earned nothing are off.
"""

import dataclasses
import math
from typing import ClassVar

import torch
from torch import Tensor, nn
from typing_extensions import override

from kt_models.data.vocabulary import Vocabulary
from kt_models.models import cakt_item_memory as memory
from kt_models.models import cakt_item_window as windows
from kt_models.models.cakt_item_config import CaktItemConfig, figures_of, window_of
from kt_models.models.cakt_item_memory import Recall
from kt_models.models.cakt_item_parts import MeanBranch, TryEmbedding, WindowAttention
from kt_models.models.cakt_item_window import History
from kt_models.models.dkt import QuestionEmbedding, log_time
from kt_models.models.network import NetworkModel
from kt_models.training.networks import Network
from kt_models.training.sequences import Batch

# Besides the question embedding on either side of the outcome: see `_tokens`.
PER_TOKEN = 6


class CaktItemNetwork(Network):
    """logit = read_out(fused state, question, figures) + item offset + easiness + mean logit."""

    def __init__(
        self,
        config: CaktItemConfig,
        *,
        items: int,
        sets: int,
        concepts: int,
        most: int,
        mean: float,
    ) -> None:
        """Create the network.

        Args:
            config: what was decided.
            items: in the vocabulary.
            sets: of concepts in the vocabulary.
            concepts: in the vocabulary.
            most: concepts of one item at most.
            mean: share right of all training answers.
        """
        super().__init__()
        self.config, self.most = config, most
        self.window = window_of(config, most)
        self.question = QuestionEmbedding(
            config.width,
            items=items if config.items else 0,
            sets=sets,
            concepts=concepts,
            dropout=config.dropout,
        )
        width, hidden, token = config.width, config.hidden, 2 * config.width + PER_TOKEN
        self.lstm = nn.LSTM(token, hidden, batch_first=True)
        self.branch: MeanBranch | None = None
        self.attention: WindowAttention | None = None
        self.tries: TryEmbedding | None = None
        if config.branch == "mean":
            self.branch = MeanBranch(token=token, hidden=hidden)
        if config.attention:
            self.attention = WindowAttention(width=width, token=token, size=config.attention)
        if config.tries and config.items:
            self.tries = TryEmbedding(items=items, width=width, tries=config.tries)
        self.project = nn.Linear(hidden, width) if config.product else None
        figures = figures_of(config)
        inputs = hidden + width + figures + config.attention + width * config.product
        inner, dropout = nn.Linear(inputs, hidden), nn.Dropout(config.read_dropout)
        self.read_out = nn.Sequential(inner, nn.ReLU(), dropout, nn.Linear(hidden, 1))
        self.direct = nn.Linear(figures, 1, bias=False)
        nn.init.zeros_(self.direct.weight)
        self.easiness = nn.Parameter(torch.ones(()))
        self.register_buffer("mean_logit", torch.tensor(math.log(mean / (1.0 - mean))))
        self.mean_logit: Tensor

    @override
    def forward(self, batch: Batch) -> Tensor:
        history = windows.joined(self._nothing(len(batch.item)), batch, window=self.window)
        question = self.question(batch)
        tokens = self._tokens(batch, question)
        seen, _ = self.lstm(tokens)
        before = nn.functional.pad(seen[:, :-1], (0, 0, 1, 0))
        shown = history.clock[:, self.window :] - batch.elapsed.double()
        # No answer is in sight of the first question, so no token need be made for one.
        tokens = nn.functional.pad(tokens, (0, 0, self.window, 0))
        return self._read(before, question, batch, history, tokens, shown)

    @override
    def start(self, count: int) -> dict[str, Tensor]:
        blank = torch.zeros(count, self.config.hidden, device=self.easiness.device)
        return {"hidden": blank, "cell": blank.clone()} | self._nothing(count)

    @override
    def absorb(self, state: dict[str, Tensor], batch: Batch) -> dict[str, Tensor]:
        lengths = batch.mask.sum(dim=1)
        some = torch.nonzero(lengths).squeeze(1)
        packed = nn.utils.rnn.pack_padded_sequence(
            self._tokens(batch, self.question(batch))[some],
            lengths[some].cpu(),
            batch_first=True,
            enforce_sorted=False,
        )
        hidden, cell = state["hidden"].clone(), state["cell"].clone()
        _, (h, c) = self.lstm(packed, (hidden[None, some], cell[None, some]))
        hidden[some], cell[some] = h[0], c[0]
        history = windows.joined(state, batch, window=self.window)
        return {"hidden": hidden, "cell": cell} | windows.stored_after(history, batch)

    @override
    def ask(self, state: dict[str, Tensor], questions: Batch) -> Tensor:
        history = windows.stored_history(state)
        tokens = self._tokens(history.answers, self.question(history.answers))
        before = state["hidden"][:, None].expand(-1, questions.item.shape[1], -1)
        question = self.question(questions)
        return self._read(before, question, questions, history, tokens, questions.gap.double())

    def _nothing(self, count: int) -> dict[str, Tensor]:
        device = self.easiness.device
        return windows.nothing(count, window=self.window, concepts=self.most, device=device)

    def _surplus(self, batch: Batch) -> Tensor:
        """Return [B, T] outcome less the share right that anybody has on the item."""
        return batch.correct - torch.sigmoid(self.mean_logit + batch.difficulty)

    def _tokens(self, batch: Batch, question: Tensor) -> Tensor:
        """Return [B, T, .] answers: the question on the side of its outcome, and six figures."""
        right = batch.correct[..., None]
        parts = [question * right, question * (1.0 - right), right, self._surplus(batch)[..., None]]
        parts += [batch.difficulty[..., None], batch.assisted[..., None]]
        parts += [self._time(batch.gap), self._time(batch.elapsed)]
        return torch.cat(parts, dim=2)

    def _time(self, seconds: Tensor) -> Tensor:
        return log_time(seconds) * float(self.config.times)

    def _read(
        self,
        before: Tensor,
        question: Tensor,
        batch: Batch,
        history: History,
        tokens: Tensor,
        shown: Tensor,
    ) -> Tensor:
        """Return [B, T] logits.

        Args:
            before: [B, T, hidden] the LSTM after the answers before each question.
            question: [B, T, width] embeddings of the questions.
            batch: the questions; their outcomes, times and hints are not looked at.
            history: the answers in sight, N of them.
            tokens: [B, N, .] of those answers.
            shown: [B, T] float64 when the questions were shown, by the history's clock.
        """
        with torch.no_grad():
            figures, match, recalled = self._looked_up(batch, history, shown)
        logit = self.direct(figures).squeeze(2) + self.mean_logit
        if self.tries is not None:
            again, offset = self.tries(batch.item, match[0].sum(dim=2))
            question, logit = question + again, logit + offset
        if self.branch is not None:
            before = self.branch(before, tokens, recalled)
        parts = [before, question, figures]
        if self.attention is not None:
            parts.append(self.attention(question, tokens, history, match))
        if self.project is not None:
            met = self.project(before) * question
            parts.append(met)
            logit = logit + met.sum(dim=2)
        logit = logit + self.read_out(torch.cat(parts, dim=2)).squeeze(2)
        if self.config.items:
            logit = logit + self.question.offset(batch) + self.easiness * batch.difficulty
        return torch.as_tensor(logit)

    def _looked_up(
        self, batch: Batch, history: History, shown: Tensor
    ) -> tuple[Tensor, tuple[Tensor, Tensor], Recall]:
        """Return the figures, [B, T, W] matches by item and by concept, and answers recalled."""
        surplus = self._surplus(history.answers)
        match = (
            memory.same_item(history, batch.item),
            memory.shared_concept(history, batch.concepts),
        )
        sizes = (self.config.recent_items, self.config.recent_concepts)
        found = [
            memory.recall(history, one, surplus, size=size)
            for one, size in zip(match, sizes, strict=True)
        ]
        when = (history, shown) if self.config.times else _timeless(history, shown)
        parts = [self._time(batch.gap), batch.difficulty[..., None]]
        parts.append(torch.log1p(batch.step.float())[..., None] / 5.0)
        if self.config.recall:
            parts += [memory.recalled_figures(one, when[0], surplus, when[1]) for one in found]
        if self.config.surplus:
            averages = memory.running_surplus(history, surplus)
            parts.append(averages.expand(-1, batch.item.shape[1], -1))
        return torch.cat(parts, dim=2), match, found[1]


def _timeless(history: History, shown: Tensor) -> tuple[History, Tensor]:
    """Return the history and its questions with all clocks at 0 and no time taken."""
    answers = dataclasses.replace(
        history.answers, elapsed=torch.zeros_like(history.answers.elapsed)
    )
    still = dataclasses.replace(history, answers=answers, clock=torch.zeros_like(history.clock))
    return still, torch.zeros_like(shown)


class CaktItem(NetworkModel):
    """CAKT with items."""

    name: ClassVar[str] = "cakt-item"
    config: CaktItemConfig

    def __init__(self, config: CaktItemConfig | None = None) -> None:
        """Create an unfitted model."""
        super().__init__(config or CaktItemConfig())

    @override
    def build(self, vocabulary: Vocabulary) -> CaktItemNetwork:
        return CaktItemNetwork(
            self.config,
            items=len(vocabulary.item_keys),
            sets=len(vocabulary.concept_sets),
            concepts=len(vocabulary.concept_keys),
            most=vocabulary.concept_sets.shape[1],
            mean=vocabulary.mean,
        )
