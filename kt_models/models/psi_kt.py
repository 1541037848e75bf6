"""PSI-KT: hierarchical generative model of knowledge with amortised variational inference.

Zhou, Bamler, Wu & Tejero-Cantero (2024), arXiv 2403.13179: traits of a learner (level 2) drive
Ornstein-Uhlenbeck knowledge states (level 1), coupled by a prerequisite graph, which make answers
(level 0). A recognition network says what a history of answers tells of both. Unlike the paper:

- the recognition network is causal and remembers the whole history (a GRU, and counts per concept),
  so it serves answer by answer; variances are variances; the edge i -> k carries from i to k;
- only the concepts of an answer are scored, so the bound needs no weights between its terms: it
  bounds the log probability that the model itself gave each answer before it came;
- beside the bound that very prediction is trained, one answer ahead and up to ten ahead, since the
  bound alone leaves a gap where the recognition network is imperfect;
- items have an easiness; time is log(1 + days / tau), tau learnt per log; a concept never met
  stands at its target; predictions use the variance of the posterior.
"""

import math
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from typing_extensions import override

from kt_models.data.log import ResponseLog
from kt_models.data.vocabulary import Vocabulary
from kt_models.models.base import Fitting, States
from kt_models.models.network import NetworkModel
from kt_models.models.psi_graph import permuted
from kt_models.models.psi_kt_config import PsiKtConfig
from kt_models.models.psi_kt_dynamics import ALPHA, OMEGA
from kt_models.models.psi_kt_network import PsiKtNetwork
from kt_models.models.psi_traits import Traits, traits_of
from kt_models.training import trainer
from kt_models.training.sequences import encode


class PsiKt(NetworkModel):
    """PSI-KT with amortised inference."""

    name: ClassVar[str] = "psi-kt"
    config: PsiKtConfig

    def __init__(self, config: PsiKtConfig | None = None) -> None:
        """Create an unfitted model."""
        super().__init__(config or PsiKtConfig())

    @override
    def build(self, vocabulary: Vocabulary) -> PsiKtNetwork:
        return PsiKtNetwork(
            self.config,
            items=len(vocabulary.item_keys),
            concepts=len(vocabulary.concept_keys),
            answers=int(vocabulary.item_counts.sum()),
            mean=vocabulary.mean,
        )

    @override
    def _fit(self, train: ResponseLog, held_out: ResponseLog, fitting: Fitting) -> None:
        training = encode(train, self.vocabulary, in_training=True)
        # A piece from mid-history is no beginner: its first traits, the counts and the ages of
        # concepts would teach what is assumed of one. Those who decide when to stop are whole.
        training = training.firsts(self.config.training.longest)
        judging = encode(held_out, self.vocabulary)
        self._begin(fitting.seed)
        self._learn(training, judging, fitting)
        if self.config.graph != "permuted":
            return
        edges = permuted(self.edges(), seed=fitting.seed)
        # From the same first weights and for as long, so that only the graph differs.
        self._begin(fitting.seed).fix(torch.from_numpy(edges).float())
        self._learn(training, judging, fitting, part="permuted")

    def _begin(self, seed: int) -> PsiKtNetwork:
        torch.manual_seed(seed)
        self.net = net = self.build(self.vocabulary)
        return net

    def network(self) -> PsiKtNetwork:
        """Return the fitted network."""
        net = self._net()
        assert isinstance(net, PsiKtNetwork)  # noqa: S101 - for the type checker
        return net

    def edges(self) -> NDArray[np.float64]:
        """Return [K, K] how far concept i (row) is a prerequisite of concept k (column)."""
        return np.asarray(self.network().edges().detach().double().cpu().numpy())

    def traits(self, states: States) -> Traits:
        """Return the traits of learners from their states."""
        with trainer.inference():
            found = self.network().traits(self._own(states))
        # log sigma = log omega + (log 2 alpha) / 2
        mean, var = found.mean.clone(), found.var.clone()
        mean[:, OMEGA] += (mean[:, ALPHA] + math.log(2.0)) / 2.0
        var[:, OMEGA] += var[:, ALPHA] / 4.0
        return traits_of(means=mean, variances=var)
