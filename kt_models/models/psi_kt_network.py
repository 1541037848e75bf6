"""The networks of PSI-KT: generative parameters, graph, recognition of traits and states."""

import math

import torch
from torch import Tensor, nn
from typing_extensions import override

from kt_models.models import psi_kt_dynamics as dynamics
from kt_models.models.psi_graph import EmbeddedGraph, normalised
from kt_models.models.psi_kt_config import PsiKtConfig
from kt_models.models.psi_kt_dynamics import ALPHA, MU, Gaussian
from kt_models.models.psi_kt_visits import (
    DAY,
    Recognised,
    ages,
    find_visits,
    held,
    per_concept,
    shares,
    steps,
)
from kt_models.training.networks import Network, answer_loss
from kt_models.training.sequences import Batch

State = dict[str, Tensor]

# How many answers ahead predictions are trained at most: those of a forecast from ten to ten.
FARTHEST = 10
# First means and variances of log alpha, mu, log omega and gamma.
FIRST_MEAN = (math.log(0.15), 0.0, math.log(0.6), 1.0)
FIRST_VAR = (0.3, 0.6, 0.1, 0.05)


class PsiKtNetwork(Network):
    """Generative parameters, prerequisite graph and recognition network."""

    answers: Tensor
    fixed: Tensor
    is_fixed: Tensor

    def __init__(
        self, config: PsiKtConfig, *, items: int, concepts: int, answers: int, mean: float
    ) -> None:
        """Create the networks for a vocabulary; arguments as for `GraphFilterNetwork`."""
        super().__init__()
        self.config, self.concepts = config, concepts
        self.graph = EmbeddedGraph(concepts=concepts, width=config.width)
        self.register_buffer("answers", torch.tensor(float(answers)))
        self.register_buffer("fixed", torch.zeros(concepts, concepts))
        self.register_buffer("is_fixed", torch.zeros((), dtype=torch.bool))
        self.first_mean = nn.Parameter(torch.tensor(FIRST_MEAN))
        self.first_log_var = nn.Parameter(torch.tensor(FIRST_VAR).log())
        self.kept_logit = nn.Parameter(torch.full((4,), 4.0))
        self.log_drift = nn.Parameter(torch.full((4,), math.log(1e-3)))
        self.log_tau = nn.Parameter(torch.zeros(()))
        self.intercept = nn.Parameter(torch.tensor(math.log(mean / (1.0 - mean))))
        self.easiness = nn.Parameter(torch.ones(()))
        self.item = nn.Embedding(items + 1, 1, padding_idx=0)
        nn.init.zeros_(self.item.weight)
        self.gru = nn.GRU(2 * config.width + 4, config.hidden, batch_first=True)
        # Without a bias, a history of nothing says nothing: the traits are then the first ones.
        self.traits_head = nn.Linear(config.hidden, 8, bias=False)
        self.knowledge_head = nn.Sequential(
            nn.Linear(config.hidden + config.width + 5, config.hidden),
            nn.ReLU(),
            nn.Linear(config.hidden, 2),
        )
        nn.init.normal_(self.traits_head.weight, std=0.01)

    @override
    def forward(self, batch: Batch) -> Tensor:
        seen = self._recognise(batch)
        return self._ahead(batch, seen, torch.ones_like(batch.item))

    @override
    def loss(self, batch: Batch) -> Tensor:
        seen = self._recognise(batch)
        near = self._ahead(batch, seen, torch.ones_like(batch.item))
        horizon = torch.randint_like(batch.item, 1, FARTHEST + 1)
        far = self._ahead(batch, seen, horizon)
        held_back = self.item.weight.square().sum() / self.config.item_prior_sd**2
        bound = (self.bound(batch, seen) * batch.mask).sum() / batch.mask.sum()
        predictions = answer_loss(near, batch) + answer_loss(far, batch)
        return predictions - self.config.bound * bound + 0.5 * held_back / self.answers

    def bound(self, batch: Batch, seen: Recognised) -> Tensor:
        """Return [B, T] the bound on log P(answer | earlier answers) under the pushed posterior."""
        share = shares(batch.concepts)
        now = Gaussian(seen.traits.mean[:, 1:], seen.traits.var[:, 1:])
        before = Gaussian(seen.traits.mean[:, :-1], seen.traits.var[:, :-1])
        prior = self._pushed(before)
        elapsed, met, state, carried = self._asked(batch, seen, steps(batch))
        moved = dynamics.transition_divergence(
            seen.knowledge,
            state,
            per_concept(now, batch.concepts.shape[2]),
            elapsed=elapsed,
            met=met,
            carried=carried,
        )
        logit = Gaussian(
            self._offset(batch) + (share * seen.knowledge.mean).sum(dim=2),
            (share * share * seen.knowledge.var).sum(dim=2),
        )
        measured = 1.0 - batch.assisted * (batch.correct > 0.5)
        return (
            measured * dynamics.expected_log_chance(logit, batch.correct)
            - (moved * (share > 0)).sum(dim=2)
            - dynamics.divergence(now, prior)
        )

    @override
    def start(self, count: int) -> State:
        blank = self.intercept.new_zeros
        table = (count, self.concepts + 1)
        names = ("mean", "age", "met", "right", "wrong")
        return {
            "hidden": blank(count, self.config.hidden),
            "var": torch.ones_like(blank(*table)),
        } | {name: blank(*table) for name in names}

    @override
    def absorb(self, state: State, batch: Batch) -> State:
        inputs = self._inputs(batch)
        for t in range(batch.item.shape[1]):
            one, came = batch.columns(t, t + 1), batch.mask[:, t, None]
            _, hidden = self.gru(inputs[:, t : t + 1], state["hidden"][None].contiguous())
            hidden = torch.where(came, hidden[0], state["hidden"])
            touched = came & (batch.concepts[:, t] > 0)
            concepts, credit = batch.concepts[:, t], batch.correct[:, t, None]

            def put(
                name: str, values: Tensor, *, at: Tensor = concepts, where: Tensor = touched
            ) -> Tensor:
                old = torch.gather(state[name], 1, at)  # noqa: B023 - called in this turn
                return state[name].scatter(1, at, torch.where(where, values, old))  # noqa: B023

            right = torch.gather(state["right"], 1, concepts) + credit * touched
            wrong = torch.gather(state["wrong"], 1, concepts) + (1.0 - credit) * touched
            found = self._knowledge(hidden[:, None], one, right[:, None], wrong[:, None])
            days = (batch.gap[:, t] + batch.elapsed[:, t])[:, None] * came / DAY
            aged = state | {"age": state["age"] + days}
            old_age = torch.gather(aged["age"], 1, concepts)
            state = {
                "hidden": hidden,
                "mean": put("mean", found.mean[:, 0]),
                "var": put("var", found.var[:, 0]),
                "age": aged["age"].scatter(1, concepts, torch.where(touched, 0.0, old_age)),
                "met": put("met", torch.ones_like(right)),
                "right": put("right", right),
                "wrong": put("wrong", wrong),
            }
        return state

    @override
    def ask(self, state: State, questions: Batch) -> Tensor:
        traits = self._pushed(self._traits(state["hidden"]))
        count, many = questions.concepts.shape[1:]
        carried = self._carried(state["mean"], state["age"], state["met"], traits)
        flat = questions.concepts.flatten(1)

        def at(table: Tensor) -> Tensor:
            return torch.gather(table, 1, flat).reshape(-1, count, many)

        met = at(state["met"]) * (questions.concepts > 0)
        spread = Gaussian(
            traits.mean[:, None].expand(-1, count, -1), traits.var[:, None].expand(-1, count, -1)
        )
        knowledge = dynamics.expected(
            Gaussian(at(state["mean"]), at(state["var"])),
            per_concept(spread, many),
            elapsed=self._log_time(at(state["age"]) + questions.gap[..., None] / DAY),
            met=met,
            carried=at(carried),
        )
        return self._logit(questions, knowledge)

    def traits(self, state: State) -> Gaussian:
        """Return [B, 4] q(log alpha, mu, log omega, gamma) after the answers of a state."""
        return self._traits(state["hidden"])

    def edges(self) -> Tensor:
        """Return a [K, K]."""
        edges: Tensor = self.fixed if self.is_fixed else self.graph()
        return edges

    def fix(self, edges: Tensor) -> None:
        """Hold the edges [K, K] from now on; the embeddings go on serving recognition."""
        self.fixed.copy_(edges)
        self.is_fixed.fill_(value=True)

    def _recognise(self, batch: Batch) -> Recognised:
        hidden, _ = self.gru(self._inputs(batch))
        visits = find_visits(batch, concepts=self.concepts)
        knowledge = self._knowledge(hidden, batch, visits.right, visits.wrong)
        before = torch.cat([hidden.new_zeros(len(hidden), 1, hidden.shape[2]), hidden], dim=1)
        traits = self._traits(before)
        table = Gaussian(held(knowledge.mean, batch, visits), held(knowledge.var, batch, visits))
        age, met = ages(visits), (visits.last >= 0).float()
        carried = self._carried(table.mean, age, met, self._pushed(traits))
        return Recognised(traits, knowledge, table, met, carried, visits)

    def _ahead(self, batch: Batch, seen: Recognised, horizon: Tensor) -> Tensor:
        """Return [B, T] logits, each from the answers up to `horizon` [B, T] before it."""
        anchor = (steps(batch) + 1 - horizon).clamp(min=0)
        elapsed, met, state, carried = self._asked(batch, seen, anchor)
        place = anchor[..., None].expand(-1, -1, 4)
        traits = self._pushed(
            Gaussian(
                torch.gather(seen.traits.mean, 1, place), torch.gather(seen.traits.var, 1, place)
            )
        )
        knowledge = dynamics.expected(
            state,
            per_concept(traits, batch.concepts.shape[2]),
            elapsed=elapsed,
            met=met,
            carried=carried,
        )
        return self._logit(batch, knowledge)

    def _asked(
        self, batch: Batch, seen: Recognised, anchor: Tensor
    ) -> tuple[Tensor, Tensor, Gaussian, Tensor]:
        """Return elapsed, met, state, carried [B, T, M] of the questions' concepts at anchors."""
        rows = torch.arange(len(anchor), device=anchor.device)[:, None, None]
        at, concepts = anchor[..., None], batch.concepts
        last = seen.visits.last[rows, at, concepts]
        met = seen.met[rows, at, concepts] * (concepts > 0)
        begun = seen.visits.answered[rows, last + 1]
        days = ((seen.visits.shown[..., None] - begun).float() * met).clamp(min=0.0)
        state = Gaussian(seen.table.mean[rows, at, concepts], seen.table.var[rows, at, concepts])
        return self._log_time(days), met, state, seen.carried[rows, at, concepts]

    def _inputs(self, batch: Batch) -> Tensor:
        present = (batch.concepts > 0).sum(dim=2, keepdim=True).clamp(min=1)
        question = self._places()[batch.concepts].sum(dim=2) / present
        right = batch.correct[..., None]
        parts = [
            question * right,
            question * (1.0 - right),
            right,
            torch.log1p(batch.gap)[..., None] / 10.0,
            torch.log1p(batch.elapsed)[..., None] / 10.0,
            (self._offset(batch) * (2.0 * batch.correct - 1.0))[..., None],
        ]
        return torch.cat(parts, dim=2)

    def _knowledge(self, hidden: Tensor, batch: Batch, right: Tensor, wrong: Tensor) -> Gaussian:
        """Return [B, T, M] q(z) of each answer's own concepts, the answer included."""
        many = batch.concepts.shape[2]
        one = batch.correct[..., None, None].expand(-1, -1, many, -1)
        easy = self._offset(batch)[..., None, None].expand(-1, -1, many, -1)
        helped = batch.assisted[..., None, None].expand(-1, -1, many, -1)
        parts = [
            hidden[:, :, None].expand(-1, -1, many, -1),
            self._places()[batch.concepts],
            torch.log1p(right)[..., None],
            torch.log1p(wrong)[..., None],
            one,
            easy,
            helped,
        ]
        mean, log_var = self.knowledge_head(torch.cat(parts, dim=3)).unbind(dim=3)
        return Gaussian(mean, torch.exp(log_var.clamp(-8.0, 3.0) - 1.5))

    def _traits(self, hidden: Tensor) -> Gaussian:
        mean, log_var = self.traits_head(hidden).chunk(2, dim=-1)
        var = torch.exp(self.first_log_var + log_var.clamp(-8.0, 2.0))
        return Gaussian(self.first_mean + mean, var)

    def _pushed(self, traits: Gaussian) -> Gaussian:
        first = Gaussian(self.first_mean, self.first_log_var.exp())
        kept = torch.sigmoid(self.kept_logit)
        return dynamics.pushed(traits, first=first, kept=kept, drift=self.log_drift.exp())

    def _carried(self, mean: Tensor, age: Tensor, met: Tensor, traits: Gaussian) -> Tensor:
        """Return [.., K + 1] what each concept takes over from its prerequisites, gamma apart."""
        if self.config.graph == "none":
            return torch.zeros_like(mean)
        alpha = traits.mean[..., ALPHA, None].exp()
        kept = torch.exp(-alpha * self._log_time(age)) * met
        return ((mean - traits.mean[..., MU, None]) * kept) @ normalised(self.edges())

    def _logit(self, batch: Batch, knowledge: Gaussian) -> Tensor:
        share = shares(batch.concepts)
        mean = self._offset(batch) + (share * knowledge.mean).sum(dim=2)
        var = (share * share * knowledge.var).sum(dim=2)
        return dynamics.predicted_logit(Gaussian(mean, var))

    def _offset(self, batch: Batch) -> Tensor:
        own: Tensor = self.item(batch.item)[..., 0]
        return self.intercept + self.easiness * batch.difficulty + own

    def _places(self) -> Tensor:
        return nn.functional.pad(self.graph.place, (0, 0, 1, 0))

    def _log_time(self, days: Tensor) -> Tensor:
        return torch.log1p(days / self.log_tau.exp())
