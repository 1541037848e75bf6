"""How a network is trained, as decided beforehand."""

from dataclasses import dataclass
from typing import Literal

from kt_models.settings import require_above_zero, require_at_least, require_share


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """How a network is trained.

    Attributes:
        epochs: passes over the training learners that the schedule is laid out for.
        patience: epochs without a lower validation log loss after which it stops.
        learning_rate: the highest.
        warm_up: share of all steps during which the rate rises from zero.
        schedule: `linear`, or `refined` by the gradient norms of a first run that is thrown away
            (the same paper, section 3), which doubles the cost and needs no warm-up.
        weight_decay: decoupled (AdamW), on matrices and embeddings, not on vectors.
        positions: answers per step, padding included.
        longest: answers at most of a piece of a training sequence, which is cut into even ones;
            those judged are never cut.
        context: answers before a cut that the piece after it reads too, without learning from them
            again, so that it is not taken for a beginner's. They count among `positions`, so a step
            learns from fewer. 0 also cuts after every `longest` answers instead of evenly.
        clip: largest norm of a gradient.
    """

    epochs: int = 20
    patience: int = 4
    learning_rate: float = 3e-3
    warm_up: float = 0.05
    schedule: Literal["linear", "refined"] = "linear"
    weight_decay: float = 1e-2
    positions: int = 8192
    longest: int = 500
    context: int = 200
    clip: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what cannot be built.

        Raises:
            ImpossibleSetting: naming the setting.
        """
        require_at_least(self, 1, "epochs", "patience", "positions", "longest")
        require_above_zero(self, "learning_rate", "clip")
        require_at_least(self, 0, "weight_decay", "context")
        require_share(self, "warm_up")
