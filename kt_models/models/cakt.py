"""The network of CAKT on plain tensors (Su, Liu, Yang and Lu 2023, Frontiers in Psychology 14).

Shapes: B learners, T answers of each, P real positions among them, M concepts, E = side x side.
A position t stands for question t: it is predicted from answers 0 to t - 1.
"""

import dataclasses
import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from typing_extensions import override

from kt_models.data.vocabulary import Vocabulary
from kt_models.errors import ImpossibleSetting
from kt_models.models.cakt_branches import build_branch
from kt_models.models.cakt_history import recent_same_concept
from kt_models.models.network import NetworkModel
from kt_models.training.networks import Network
from kt_models.training.sequences import Batch
from kt_models.training.training_config import TrainingConfig

TRAINING = TrainingConfig(epochs=10, learning_rate=1e-3, positions=1600, longest=200, context=100)
# A stored state may have so many bytes.
MOST_BYTES = 10_000
Branch = Literal["conv3d", "none", "fc", "lstm", "self-attention", "cnn", "mean"]


@dataclass(frozen=True, slots=True)
class CaktConfig:
    """What CAKT is built from; the defaults are the paper's.

    Attributes:
        variant: "paper" looks for answers to the concept of the asked question, "code" (the
            published program) for answers to the concept of the last answer, itself included.
        k: how many of those answers.
        side: H = W; embeddings and hidden states have side * side dimensions.
        decay: whether an embedding fades with the steps since, by exp(-steps / theta).
        theta: where the learnt theta starts, in steps, above 0.
        squeeze: whether the convolutions weigh their depth slices (timely squeeze-and-excitation).
        branch: what is made of the k embeddings. "conv3d" is the paper's; "fc", "lstm",
            "self-attention" and "cnn" are the ablations of its Table 8; "mean" is the plain mean
            of the same faded embeddings; "none" leaves them out.
        window: how many of the last answers are searched. Bounds the streaming state.
        training: how it is trained.
    """

    variant: Literal["paper", "code"] = "paper"
    k: int = 6
    side: int = 17
    decay: bool = True
    theta: float = 10.0
    squeeze: bool = True
    branch: Branch = "conv3d"
    window: int = 1024
    training: TrainingConfig = dataclasses.field(default_factory=lambda: TRAINING)

    def __post_init__(self) -> None:
        """Refuse sizes that cannot be built.

        Raises:
            ImpossibleSetting: naming the parameter.
        """
        if self.k < 2 or self.side < 3 or self.window < 1:
            raise ImpossibleSetting("CAKT needs k >= 2, side >= 3 and window >= 1.")
        if not self.theta > 0.0:
            raise ImpossibleSetting(f"theta must be above 0, not {self.theta}.")
        # Four LSTM states of E floats, a token of each answer searched, the last time and the step.
        size = 16 * self.dimensions + 4 * self.window + 16
        if size > MOST_BYTES:
            raise ImpossibleSetting(
                f"window = {self.window} with side = {self.side} makes a learner's state {size:,} "
                f"bytes; at most {MOST_BYTES:,} are stored. Take fewer."
            )

    @property
    def dimensions(self) -> int:
        """E, the size of embeddings and hidden states."""
        return self.side * self.side


def published_program(**changes: object) -> CaktConfig:
    """Return the configuration of the published program: current concept, k = 4, H = 15."""
    config = CaktConfig(variant="code", k=4, side=15, theta=1.0)
    return dataclasses.replace(config, **changes)  # type: ignore[arg-type]


class CaktNetwork(Network):
    """Two LSTMs with the branch on same-concept answers fused in between."""

    def __init__(self, config: CaktConfig, *, concepts: int) -> None:
        """Make the network for that many concepts, numbered from 1; 0 is an unknown one."""
        super().__init__()
        self.config = config
        self.concepts = concepts
        size = config.dimensions
        # Rows: concept answered wrong, then concept answered right, both from concept 1.
        self.embedding = nn.Parameter(torch.empty(2, concepts, size))
        nn.init.normal_(self.embedding, std=math.sqrt(2.0 / size))
        self.log_theta = nn.Parameter(torch.tensor(math.log(config.theta)))
        self.left = nn.LSTM(size, size, batch_first=True)
        self.branch = build_branch(
            config.branch, k=config.k, side=config.side, squeeze=config.squeeze
        )
        self.gates = nn.Linear(2 * size, 2 * size)
        self.right = nn.LSTM(size, size, batch_first=True)
        self.readout = nn.Linear(size, concepts)

    def tokens(self, batch: Batch) -> Tensor:
        """Return [B, T] int64 tokens: 0 no answer, else 1 + concept + (M + 1) if right."""
        token = 1 + batch.concept_set + (batch.correct >= 0.5).long() * (self.concepts + 1)
        return torch.where(batch.mask, token, 0)

    def table(self) -> Tensor:
        """Return [1 + 2 (M + 1), E] embedding of each token; an unknown concept is the mean."""
        rows = torch.cat([self.embedding.mean(dim=1, keepdim=True), self.embedding], dim=1)
        return torch.cat([rows.new_zeros(1, rows.shape[2]), rows.flatten(0, 1)])

    def looked_for(self, asked: Tensor, last: Tensor) -> Tensor:
        """Return [...] the concept whose answers are looked at, of the asked and the last one."""
        return asked if self.config.variant == "paper" else last

    def look_back(
        self, *, tokens: Tensor, table: Tensor, asked: Tensor, before: Tensor
    ) -> Tensor | None:
        """Return [P, E] what the branch makes of earlier answers, at P questions.

        Args:
            tokens: [B, S] of the answers, the history first.
            table: as `table` gives it.
            asked: [B, Q] concept asked at each question.
            before: [B, Q] number of places of `tokens` that come before each question, or a
                negative number where there is no question; P counts the others.
        """
        if self.branch is None:
            return None
        concept = torch.where(tokens > 0, (tokens - 1) % (self.concepts + 1), 0)
        last = torch.gather(concept, 1, (before - 1).clamp(min=0))
        last = torch.where(before > 0, last, 0)
        places = recent_same_concept(
            concept=concept,
            known=tokens > 0,
            asked=self.looked_for(asked, last),
            before=before.clamp(min=0),
            k=self.config.k,
            window=self.config.window,
        )
        real = before >= 0
        row = torch.arange(len(tokens), device=tokens.device)[:, None].expand_as(before)[real]
        places, before = places[real], before[real]
        picked = tokens[row[:, None], places.clamp(min=0)]
        embedded = table[torch.where(places >= 0, picked, 0)]
        if self.config.decay:
            # The published program counts from the last answer, the paper from the question.
            steps = before[:, None] - places - int(self.config.variant == "code")
            embedded = embedded * torch.exp(-steps / self.log_theta.exp())[..., None]
        result: Tensor = self.branch(embedded)
        return result

    def fuse(self, looked: Tensor | None, left: Tensor) -> Tensor:
        """Return [..., E] the gated sum of both sides (Eq. 5 to 7)."""
        if looked is None:
            return left
        gates = torch.sigmoid(self.gates(torch.cat([looked, left], dim=-1)))
        of_looked, of_left = gates.chunk(2, dim=-1)
        return of_looked * looked + of_left * left

    def read(self, hidden: Tensor, asked: Tensor) -> Tensor:
        """Return [...] the logit of the asked concept, of [..., E]; the mean for an unknown one."""
        weight, bias = (
            torch.cat([rows.mean(dim=0, keepdim=True), rows])
            for rows in (self.readout.weight, self.readout.bias)
        )
        return (hidden * weight[asked]).sum(dim=-1) + bias[asked]

    @override
    def forward(self, batch: Batch) -> Tensor:
        """Return [B, T] logits of `batch.correct`, each from earlier answers and its question."""
        table = self.table()
        tokens = self.tokens(batch)
        zero = table.new_zeros(1, len(tokens), table.shape[1])
        left = _before(self.left(table[tokens], (zero, zero))[0], zero[0])
        fused = self._fused(batch, table=table, tokens=tokens, left=left)
        right: Tensor = self.right(fused, (zero, zero))[0]
        return self.read(right, batch.concept_set)

    @override
    def start(self, count: int) -> dict[str, Tensor]:
        """Return LSTM states of 4 E floats and the last `window` tokens, none yet."""
        blank = self.embedding.new_zeros(count, self.config.dimensions)
        names = ("left_hidden", "left_cell", "right_hidden", "right_cell")
        tokens = torch.zeros(
            count, self.config.window, dtype=torch.int32, device=self.embedding.device
        )
        return {name: blank.clone() for name in names} | {"tokens": tokens}

    @override
    def absorb(self, state: dict[str, Tensor], batch: Batch) -> dict[str, Tensor]:
        """Return the states after the answers of a batch, [B, T] of them at most."""
        table, lengths = self.table(), batch.mask.sum(dim=1)
        some = torch.nonzero(lengths).squeeze(1)
        after = {name: value.clone() for name, value in state.items()}
        new = self.tokens(batch)
        states = _run(self.left, "left", state, table[new], some, lengths, into=after)
        everything = torch.cat([state["tokens"].long(), new], dim=1)
        fused = self._fused(
            batch,
            table=table,
            tokens=everything,
            left=_before(states, state["left_hidden"]),
        )
        _run(self.right, "right", state, fused, some, lengths, into=after)
        kept = lengths[:, None] + torch.arange(self.config.window, device=lengths.device)
        after["tokens"] = torch.gather(everything, 1, kept).int()
        return after

    @override
    def ask(self, state: dict[str, Tensor], questions: Batch) -> Tensor:
        """Return [B, N] logits of N questions: a look back and a step of the right LSTM each."""
        rows, count = questions.item.shape
        table, tokens = self.table(), state["tokens"].long()
        asked = questions.concept_set
        at = torch.full_like(asked, self.config.window)
        looked = self.look_back(tokens=tokens, table=table, asked=asked, before=at)
        left = state["left_hidden"][:, None].expand(-1, count, -1).flatten(0, 1)
        fused = self.fuse(looked, left)[:, None]
        # Contiguous, which cuDNN asks for: of one learner the reshaped view repeats its memory.
        carried = [
            state[name][:, None].expand(-1, count, -1).reshape(1, rows * count, -1).contiguous()
            for name in ("right_hidden", "right_cell")
        ]
        hidden: Tensor = self.right(fused, tuple(carried))[0]
        return self.read(hidden.view(rows, count, -1), asked)

    def _fused(self, batch: Batch, *, table: Tensor, tokens: Tensor, left: Tensor) -> Tensor:
        """Return [B, T, E] fused vectors, zero in padding, which no branch ever sees.

        Args:
            batch: [B, T] answers.
            table: as `table` gives it.
            tokens: [B, S + T] of those answers, after S earlier ones.
            left: [B, T, E] states of the left LSTM before each answer.
        """
        mask = batch.mask
        places = torch.arange(mask.shape[1], device=mask.device) + tokens.shape[1] - mask.shape[1]
        before = torch.where(mask, places, -1)
        looked = self.look_back(tokens=tokens, table=table, asked=batch.concept_set, before=before)
        fused = self.fuse(looked, left[mask])
        return torch.zeros_like(left).masked_scatter(mask[..., None], fused)


def _before(states: Tensor, first: Tensor) -> Tensor:
    """Return [B, T, E] the state before each input, of those after it and the one before all."""
    return torch.cat([first[:, None], states[:, :-1]], dim=1)


def _run(
    lstm: nn.LSTM,
    name: str,
    state: dict[str, Tensor],
    inputs: Tensor,
    some: Tensor,
    lengths: Tensor,
    *,
    into: dict[str, Tensor],
) -> Tensor:
    """Put the states of `some` learners after their inputs `into` a state; return [B, T, E]."""
    keys = (f"{name}_hidden", f"{name}_cell")
    packed = nn.utils.rnn.pack_padded_sequence(
        inputs[some], lengths[some].cpu(), batch_first=True, enforce_sorted=False
    )
    result, ends = lstm(packed, tuple(state[key][None, some] for key in keys))
    states = torch.zeros_like(inputs)
    padded, _ = nn.utils.rnn.pad_packed_sequence(
        result, batch_first=True, total_length=inputs.shape[1]
    )
    states[some] = padded
    for key, end in zip(keys, ends, strict=True):
        into[key][some] = end[0]
    return states


class Cakt(NetworkModel):
    """Convolution-augmented knowledge tracing; an item's set of concepts is its concept."""

    name: ClassVar[str] = "cakt"
    config: CaktConfig

    def __init__(self, config: CaktConfig | None = None) -> None:
        """Create an unfitted model."""
        super().__init__(config or CaktConfig())

    @override
    def build(self, vocabulary: Vocabulary) -> CaktNetwork:
        return CaktNetwork(self.config, concepts=len(vocabulary.concept_sets))
