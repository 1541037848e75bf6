"""The PSI-KT filter with traits and a learnt prerequisite graph, fitted by prequential likelihood.

The generative model is that of Zhou, Bamler, Wu & Tejero-Cantero (2024), arXiv 2403.13179, with
easiness of items added; its filter is in closed form (`psi_trait_filter`), so there is no
recognition network and no amortisation gap: one objective, the log loss of every answer given the
earlier ones, serves fitting, forecasting and live use. Scalars follow its gradient; the graph takes
Newton steps on it (`graph_newton`).
"""

import dataclasses
import math
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from typing_extensions import override

from kt_models.data.log import ResponseLog
from kt_models.data.vocabulary import Vocabulary
from kt_models.models.base import Fitting, States
from kt_models.models.network import NetworkModel
from kt_models.models.psi_filter_network import GraphFilterConfig, GraphFilterNetwork
from kt_models.models.psi_graph import permuted
from kt_models.models.psi_traits import Traits, filtered_traits
from kt_models.training import trainer
from kt_models.training.graph_newton import ColumnEvidence, best_edges
from kt_models.training.sequences import Sequences, batches, encode

# Settings that the first training of the scalars does not depend on.
OF_THE_GRAPH = ("graph", "rounds", "longest_history")


class PsiFilterGraph(NetworkModel):
    """The filter with traits and a prerequisite graph."""

    name: ClassVar[str] = "psi-filter-graph"
    config: GraphFilterConfig
    net: GraphFilterNetwork | None

    def __init__(self, config: GraphFilterConfig | None = None) -> None:
        """Create an unfitted model."""
        super().__init__(config or GraphFilterConfig())

    @override
    def build(self, vocabulary: Vocabulary) -> GraphFilterNetwork:
        return GraphFilterNetwork(
            self.config,
            items=len(vocabulary.item_keys),
            concepts=len(vocabulary.concept_keys),
            answers=int(vocabulary.item_counts.sum()),
            mean=vocabulary.mean,
        )

    @override
    def _fit(self, train: ResponseLog, held_out: ResponseLog, fitting: Fitting) -> None:
        torch.manual_seed(fitting.seed)
        self.net = net = self.build(self.vocabulary)
        training = encode(train, self.vocabulary, in_training=True)
        judging = encode(held_out, self.vocabulary)
        self._train(training, judging, fitting, part="scalars", settings=self._of_scalars())
        if self.config.graph == "none":
            return
        learnt, support = self._learnt_edges(training, judging, fitting)
        net.support.copy_(torch.from_numpy(support))
        edges = permuted(learnt, seed=fitting.seed) if self.config.graph == "permuted" else learnt
        net.edges.copy_(torch.from_numpy(edges))
        fewer = math.ceil(self.config.training.epochs / 2)
        again = dataclasses.replace(self.config.training, epochs=fewer)
        self._train(training, judging, fitting, part=self.config.graph, config=again)

    def _learnt_edges(
        self, training: Sequences, judging: Sequences, fitting: Fitting
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return [K, K] edges and their support, kept in the fit's folder."""
        net, config = self.network(), self.config
        name = f"edges_{config.rounds}_{config.longest_history}.npy"
        # The scalars' training has checked that the folder belongs to this log and configuration.
        kept = None if fitting.folder is None else fitting.folder / name
        if kept is not None and kept.is_file():
            edges, support = np.load(kept)
            return edges, support
        edges = np.zeros((net.concepts, net.concepts))
        support = edges
        for turn in range(config.rounds):
            evidence = self._evidence(training)
            support = evidence.support() if turn == 0 else support
            edges, _ = best_edges(evidence, self._evidence(judging), edges=edges)
            net.edges.copy_(torch.from_numpy(edges))
        if kept is not None:
            np.save(kept, np.stack([edges, support]))
        return edges, support

    def _of_scalars(self) -> dict[str, Any]:
        """Return what decides the first training: it comes before the graph, whichever that is."""
        own = dataclasses.asdict(self.config)
        return {name: value for name, value in own.items() if name not in OF_THE_GRAPH}

    def _train(self, training: Sequences, judging: Sequences, fitting: Fitting, **how: Any) -> None:
        # What is assumed of a beginner holds at a learner's first answer, not in mid-history.
        longest = self.config.training.longest
        self._learn(training.firsts(longest), judging.firsts(longest), fitting, **how)

    def _evidence(self, sequences: Sequences) -> ColumnEvidence:
        net = self.network()
        evidence = ColumnEvidence.none(net.concepts)
        firsts = sequences.firsts(self.config.longest_history)
        spans = np.stack([firsts.starts[:-1], firsts.starts[1:]], axis=1)
        net.eval()
        with trainer.inference():
            for batch in batches(firsts, spans, positions=self.config.training.positions):
                net.collect(batch.to(trainer.device()), evidence)
        return evidence

    def network(self) -> GraphFilterNetwork:
        """Return the fitted network."""
        net = self._net()
        assert isinstance(net, GraphFilterNetwork)  # noqa: S101 - for the type checker
        return net

    def edges(self) -> NDArray[np.float64]:
        """Return [K, K] how far concept i (row) is a prerequisite of concept k (column)."""
        return np.asarray(self.network().edges.double().cpu().numpy())

    def support(self) -> NDArray[np.float64]:
        """Return [K, K] standard errors of evidence for each edge taken alone (score test)."""
        return np.asarray(self.network().support.double().cpu().numpy())

    def traits(self, states: States) -> Traits:
        """Return the traits of learners from their states."""
        with trainer.inference():
            return filtered_traits(self._own(states), self.network().scalars())
