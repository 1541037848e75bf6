"""Questions and answers as AKT and simpleKT embed them, after the Rasch model.

An item is its concepts plus what is its own: a difficulty times a direction of variation that
belongs to the concepts. Rare items so share what is known of their concepts.
"""

import torch
from torch import Tensor, nn
from typing_extensions import override

from kt_models.models.dkt import QuestionEmbedding, log_time
from kt_models.training.sequences import Batch


class RaschEmbedding(nn.Module):
    """x = c + m d and y = c + g_r + m f_r, elementwise products.

    c and d belong to the item's concepts and their set, g and f to right and wrong. The difficulty
    m of an item is learnt, a number (AKT) or a vector (simpleKT); with `difficulty` it starts from
    the item's share right among the training learners instead of from nothing.
    """

    def __init__(
        self,
        width: int,
        *,
        size: int,
        items: int,
        sets: int,
        concepts: int,
        dropout: float,
        difficulty: bool,
        times: bool,
    ) -> None:
        """Create the tables.

        Args:
            width: of x and y.
            size: of an item's difficulty, 1 or `width`.
            items: of the vocabulary; 0 leaves items out, and a question is its concepts.
            sets: of the vocabulary.
            concepts: of the vocabulary.
            dropout: chance that an item counts as unknown in training.
            difficulty: whether items start from their share right.
            times: whether an answer comes with gap, elapsed time and hints.
        """
        super().__init__()
        self.concepts = QuestionEmbedding(width, items=0, sets=sets, concepts=concepts, dropout=0.0)
        self.variation = QuestionEmbedding(
            width, items=0, sets=sets, concepts=concepts, dropout=0.0
        )
        self.difficulty = nn.Embedding(items + 1, size, padding_idx=0)
        nn.init.zeros_(self.difficulty.weight)
        self.scale = nn.Parameter(torch.full((size,), 0.5)) if difficulty else None
        self.outcome = nn.Embedding(2, width)
        self.outcome_variation = nn.Embedding(2, width)
        for table in (self.outcome, self.outcome_variation):
            # Smaller, and averages over a window lose them beside the question: the history is
            # then ignored for good.
            nn.init.normal_(table.weight, std=1.0)
        self.times = nn.Linear(3, width, bias=False) if times else None
        self.has_items, self.dropout = items > 0, dropout

    @override
    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return x [B, T, width] of the questions and y [B, T, width] of their answers."""
        concepts: Tensor = self.concepts(batch)
        right = batch.correct[..., None]
        answers = concepts + self._between(self.outcome, right)
        if self.times is not None:
            parts = [log_time(batch.gap), log_time(batch.elapsed), batch.assisted[..., None]]
            answers = answers + self.times(torch.cat(parts, dim=2))
        if not self.has_items:
            return concepts, answers
        hard, variation = self._difficulty(batch), self.variation(batch)
        turned = variation + self._between(self.outcome_variation, right)
        return concepts + hard * variation, answers + hard * turned

    def _difficulty(self, batch: Batch) -> Tensor:
        item = batch.item
        if self.training and self.dropout:
            item = item * (torch.rand(item.shape, device=item.device) >= self.dropout)
        own: Tensor = self.difficulty(item)
        return own if self.scale is None else own + self.scale * batch.difficulty[..., None]

    def _between(self, table: nn.Embedding, right: Tensor) -> Tensor:
        wrong, full = table.weight
        between: Tensor = wrong + right * (full - wrong)
        return between


class ReadOut(nn.Module):
    """The logit of a question from the learner's state and the question: two layers.

    With `difficulty` the item's easiness is added, with `times` the gap before it is an input.
    """

    def __init__(self, width: int, *, dropout: float, difficulty: bool, times: bool) -> None:
        """Create the network."""
        super().__init__()
        self.times = times
        self.layers = nn.Sequential(
            nn.Linear(2 * width + int(times), width),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(width, 1),
        )
        self.easiness = nn.Parameter(torch.ones(())) if difficulty else None

    @override
    def forward(self, state: Tensor, question: Tensor, batch: Batch) -> Tensor:
        """Return [B, T] logits from the states [B, T, width] and the questions [B, T, width]."""
        parts = [state, question] + ([log_time(batch.gap)] if self.times else [])
        logits: Tensor = self.layers(torch.cat(parts, dim=2)).squeeze(2)
        return logits if self.easiness is None else logits + self.easiness * batch.difficulty
