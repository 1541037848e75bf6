"""What is decided beforehand of PSI-KT."""

from dataclasses import dataclass, field

from kt_models.models.psi_graph import Graph
from kt_models.settings import require_above_zero, require_at_least
from kt_models.training.training_config import TrainingConfig


@dataclass(frozen=True, slots=True)
class PsiKtConfig:
    """What PSI-KT decides beforehand.

    Attributes:
        graph: `learnt`, `none`, or `permuted`: the learnt one with its concepts' names exchanged at
            random, held there while all else is trained anew, from the same first weights and in
            as many epochs.
        hidden: width of the recurrent recognition network.
        width: of the concepts' embeddings, which also make the graph.
        item_prior_sd: logits; how far an item's easiness may lie from what its share right says.
        bound: weight of the variational bound beside the predictions.
        training: how it is trained, on the first `longest` answers of each learner: what is
            assumed of a beginner does not hold in mid-history, so histories are not cut to pieces.
    """

    graph: Graph = "learnt"
    hidden: int = 64
    width: int = 16
    item_prior_sd: float = 0.3
    bound: float = 1.0
    training: TrainingConfig = field(
        default_factory=lambda: TrainingConfig(
            epochs=20, learning_rate=5e-3, weight_decay=1e-5, positions=4096, longest=200
        )
    )

    def __post_init__(self) -> None:
        """Refuse what cannot be built.

        Raises:
            ImpossibleSetting: naming the setting.
        """
        require_at_least(self, 1, "hidden", "width")
        require_above_zero(self, "item_prior_sd")
        require_at_least(self, 0, "bound")
