"""The trait filter as a network: its global parameters, and its steps over padded sequences."""

import math
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn
from typing_extensions import override

from kt_models.errors import ImpossibleSetting
from kt_models.models import psi_trait_filter as filtering
from kt_models.models.psi_graph import Graph, normalised
from kt_models.models.psi_trait_filter import Asked, Scalars, State
from kt_models.settings import require_above_zero, require_at_least
from kt_models.training.graph_newton import ColumnEvidence
from kt_models.training.networks import Network, answer_loss
from kt_models.training.sequences import Batch
from kt_models.training.training_config import TrainingConfig

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class GraphFilterConfig:
    """What the filter decides beforehand.

    Attributes:
        graph: `learnt` from answers, `none`, or `permuted`: the learnt one with its concepts' names
            exchanged at random and the scalars fitted to that, which says what a graph of this
            shape is worth by itself.
        alpha_nodes: of the grid over how fast learners forget.
        omega_nodes: of the grid over how far their concepts stray from their level.
        memory: share of the grid's evidence that is kept from one answer to the next.
        item_prior_sd: logits; how far an item's easiness may lie from what its share right says.
        concept_prior_sd: logits; the same for what all items of a concept have in common.
        longest_history: answers of each learner that the graph is learnt from.
        rounds: of Newton steps on the graph.
        training: how the scalars are trained, before the graph and again with it.
    """

    graph: Graph = "learnt"
    alpha_nodes: int = 4
    omega_nodes: int = 3
    memory: float = 0.998
    item_prior_sd: float = 0.3
    concept_prior_sd: float = 0.5
    longest_history: int = 200
    rounds: int = 2
    training: TrainingConfig = field(
        default_factory=lambda: TrainingConfig(
            epochs=5, learning_rate=2e-2, weight_decay=0.0, positions=16_384, longest=100
        )
    )

    def __post_init__(self) -> None:
        """Refuse what cannot be built.

        Raises:
            ImpossibleSetting: naming the setting.
        """
        require_at_least(self, 1, "alpha_nodes", "omega_nodes", "longest_history")
        require_at_least(self, 0, "rounds")
        require_above_zero(self, "item_prior_sd", "concept_prior_sd", "memory")
        if self.memory > 1.0:
            raise ImpossibleSetting(f"memory = {self.memory} must be at most 1.")


class GraphFilterNetwork(Network):
    """The filter's global parameters: scalars, easiness, graph."""

    nodes: Tensor
    log_node_weight: Tensor
    answers: Tensor
    edges: Tensor
    support: Tensor
    log_alpha: nn.Parameter
    log_alpha_sd: nn.Parameter
    log_omega: nn.Parameter
    log_omega_sd: nn.Parameter
    log_level_var: nn.Parameter
    transfer: nn.Parameter
    log_transfer_var: nn.Parameter
    log_level_drift: nn.Parameter
    log_transfer_drift: nn.Parameter
    log_concept_drift: nn.Parameter
    log_tau: nn.Parameter
    intercept: nn.Parameter
    easiness: nn.Parameter

    def __init__(
        self, config: GraphFilterConfig, *, items: int, concepts: int, answers: int, mean: float
    ) -> None:
        """Create the filter for a vocabulary.

        Args:
            config: what was decided.
            items: in the vocabulary.
            concepts: in the vocabulary.
            answers: in the training log: the priors' share of one answer's loss follows from it.
            mean: everybody's share of right answers, where the intercept starts.
        """
        super().__init__()
        self.config, self.concepts = config, concepts
        nodes, weight = _grid(config.alpha_nodes, config.omega_nodes)
        self.register_buffer("nodes", nodes)
        self.register_buffer("log_node_weight", weight)
        self.register_buffer("edges", torch.zeros(concepts, concepts))
        self.register_buffer("support", torch.zeros(concepts, concepts))
        self.register_buffer("answers", torch.tensor(float(answers)))
        first = {
            "log_alpha": math.log(0.15), "log_alpha_sd": math.log(0.7), "log_omega": math.log(0.6),
            "log_omega_sd": math.log(0.4), "log_level_var": math.log(0.6),
            "transfer": 1.0, "log_transfer_var": math.log(0.05),
            "log_level_drift": math.log(0.002), "log_transfer_drift": math.log(1e-4),
            "log_concept_drift": math.log(0.01), "log_tau": 0.0,
            "intercept": math.log(mean / (1.0 - mean)), "easiness": 1.0,
        }  # fmt: skip
        for name, value in first.items():
            self.register_parameter(name, nn.Parameter(torch.tensor(value)))
        self.gain = nn.Parameter(torch.tensor([0.05, 0.05]))
        self.item = nn.Embedding(items + 1, 1, padding_idx=0)
        self.concept = nn.Embedding(concepts + 1, 1, padding_idx=0)
        nn.init.zeros_(self.item.weight)
        nn.init.zeros_(self.concept.weight)

    def scalars(self) -> Scalars:
        """Return what all learners share."""
        transfer = 0.0 if self.config.graph == "none" else 1.0
        zero = torch.zeros_like(self.transfer)
        return Scalars(
            alpha=torch.exp(self.log_alpha + self.log_alpha_sd.exp() * self.nodes[:, 0]),
            omega=torch.exp(self.log_omega + self.log_omega_sd.exp() * self.nodes[:, 1]),
            log_weight=self.log_node_weight,
            level=torch.stack([zero, transfer * self.transfer]),
            level_cov=torch.stack(
                [self.log_level_var.exp(), zero, transfer * self.log_transfer_var.exp()]
            ),
            level_drift=torch.stack(
                [self.log_level_drift.exp(), transfer * self.log_transfer_drift.exp()]
            ),
            concept_drift=self.log_concept_drift.exp(),
            gain=self.gain,
            tau=self.log_tau.exp(),
            memory=self.config.memory,
        )

    @override
    def forward(self, batch: Batch) -> Tensor:
        scalars, weights = self.scalars(), self._weights()
        state, logits = self.start(len(batch.item)), []
        offsets = self._offsets(batch)
        for t in range(batch.item.shape[1]):
            before = state
            state, asked = self._step(before, scalars, weights, batch, offsets, t)
            logits.append(filtering.expected_logit(before, asked))
        return torch.stack(logits, dim=1)

    @override
    def loss(self, batch: Batch) -> Tensor:
        held = self.item.weight.square().sum() / self.config.item_prior_sd**2
        held = held + self.concept.weight.square().sum() / self.config.concept_prior_sd**2
        return answer_loss(self(batch), batch) + 0.5 * held / self.answers

    @override
    def start(self, count: int) -> State:
        return filtering.start(self.scalars(), count=count, concepts=self.concepts)

    @override
    def absorb(self, state: State, batch: Batch) -> State:
        scalars, weights, offsets = self.scalars(), self._weights(), self._offsets(batch)
        for t in range(batch.item.shape[1]):
            state, _ = self._step(state, scalars, weights, batch, offsets, t)
        return state

    @override
    def ask(self, state: State, questions: Batch) -> Tensor:
        scalars, weights = self.scalars(), self._weights()
        offsets = self._offsets(questions)
        carried = None if weights is None else filtering.deviations(state, scalars) @ weights
        logits = []
        for n in range(questions.item.shape[1]):
            concepts = questions.concepts[:, n]
            asked = filtering.ask(
                state,
                scalars,
                concepts=concepts,
                days=questions.gap[:, n] / DAY,
                offset=offsets[:, n],
                carried=None if carried is None else _at(carried, concepts),
            )
            logits.append(filtering.expected_logit(state, asked))
        return torch.stack(logits, dim=1)

    def collect(self, batch: Batch, evidence: ColumnEvidence) -> None:
        """Add what a batch of answers says of the edges into each concept."""
        scalars, weights, offsets = self.scalars(), self._weights(), self._offsets(batch)
        state = self.start(len(batch.item))
        parts: list[tuple[Tensor, ...]] = []
        for t in range(batch.item.shape[1]):
            before = state
            state, asked = self._step(before, scalars, weights, batch, offsets, t)
            logit = filtering.expected_logit(before, asked)
            concepts = batch.concepts[:, t]
            helped = (batch.assisted[:, t] > 0) & (batch.correct[:, t] > 0.5)
            came = batch.mask[:, t] & ~helped
            rows, columns = torch.nonzero((concepts > 0) & came[:, None], as_tuple=True)
            moved = filtering.sensitivity(before, scalars, asked)[rows, columns, 1:]
            prob = torch.sigmoid(logit)
            missed, unsure = batch.correct[:, t] - prob, prob * (1.0 - prob)
            parts.append((concepts[rows, columns] - 1, moved, missed[rows], unsure[rows]))
        concept, features, residual, weight = (
            torch.cat(part).cpu() for part in zip(*parts, strict=True)
        )
        evidence.add(
            concept=concept.numpy(),
            features=features.double().numpy(),
            residual=residual.double().numpy(),
            weight=weight.double().numpy(),
        )

    def _step(
        self,
        state: State,
        scalars: Scalars,
        weights: Tensor | None,
        batch: Batch,
        offsets: Tensor,
        t: int,
    ) -> tuple[State, Asked]:
        """Return the states after column t, and what was expected of it."""
        concepts = batch.concepts[:, t]
        carried = None
        if weights is not None:
            columns = weights.T[concepts]
            carried = filtering.deviations(state, scalars) @ columns.transpose(1, 2)
        asked = filtering.ask(
            state,
            scalars,
            concepts=concepts,
            days=batch.gap[:, t] / DAY,
            offset=offsets[:, t],
            carried=carried,
        )
        helped = batch.assisted[:, t] * (batch.correct[:, t] > 0.5)
        after = filtering.absorb(
            state,
            scalars,
            asked,
            concepts=concepts,
            correct=batch.correct[:, t],
            measures=1.0 - helped,
            came=batch.mask[:, t].float(),
            days=(batch.gap[:, t] + batch.elapsed[:, t]) / DAY,
        )
        return after, asked

    def _weights(self) -> Tensor | None:
        """Return [K + 1, K + 1] what is carried over, or None for nothing."""
        return normalised(self.edges) if bool(self.edges.any()) else None

    def _offsets(self, batch: Batch) -> Tensor:
        """Return [B, T] the easiness of each item, the intercept included."""
        present = (batch.concepts > 0).sum(dim=2).clamp(min=1)
        of_concepts = self.concept(batch.concepts)[..., 0].sum(dim=2) / present
        own = self.item(batch.item)[..., 0]
        offset: Tensor = self.intercept + self.easiness * batch.difficulty + own + of_concepts
        return offset


def _at(carried: Tensor, concepts: Tensor) -> Tensor:
    place = concepts[:, None].expand(-1, carried.shape[1], -1)
    return torch.gather(carried, 2, place)


def _grid(alphas: int, omegas: int) -> tuple[Tensor, Tensor]:
    """Return [J, 2] standard normal coordinates of the Gauss-Hermite nodes, and [J] log weights."""
    x, weight_x = np.polynomial.hermite_e.hermegauss(alphas)
    y, weight_y = np.polynomial.hermite_e.hermegauss(omegas)
    nodes = np.stack(np.meshgrid(x, y, indexing="ij"), axis=2).reshape(-1, 2)
    weight = np.outer(weight_x, weight_y).ravel()
    log_weight = np.log(weight / weight.sum())
    return torch.from_numpy(nodes).float(), torch.from_numpy(log_weight).float()
