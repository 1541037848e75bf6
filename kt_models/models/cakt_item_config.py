"""What is decided beforehand of CAKT with items, and the sizes that follow from it."""

from dataclasses import dataclass, field
from typing import Literal

from kt_models.errors import ImpossibleSetting
from kt_models.models import cakt_item_memory as memory
from kt_models.models import cakt_item_window as windows
from kt_models.settings import require_at_least, require_share
from kt_models.training.training_config import TrainingConfig

# A stored state may have so many bytes; a course with many concepts an item gets a shorter window.
MOST_BYTES = 10_000


@dataclass(frozen=True, slots=True)
class CaktItemConfig:
    """What is decided beforehand.

    Attributes:
        hidden: width of the LSTM and of the branch.
        width: of the embedding of questions.
        window: answers remembered one by one.
        recent_items: answers to the very item that are recalled.
        recent_concepts: answers on its concepts that are recalled.
        branch: what is made of the embeddings of the latter, or nothing.
        recall: whether outcomes and ages of the recalled answers are inputs of the read-out.
        surplus: whether running averages of outcome less expectation are.
        attention: width of the head that reads the window, 0 for none.
        tries: answers to the very item up to which their number has weights of its own; 0 for none.
        product: whether the LSTM's state also meets the question factor by factor.
        times: whether gaps, elapsed times and ages are known.
        items: whether items are known, or sets of concepts alone.
        dropout: of whole items.
        read_dropout: in the read-out.
        training: how it is trained.
    """

    hidden: int = 100
    width: int = 64
    window: int = 128
    recent_items: int = 3
    recent_concepts: int = 6
    branch: Literal["mean", "none"] = "none"
    recall: bool = True
    surplus: bool = False
    attention: int = 32
    tries: int = 6
    product: bool = True
    times: bool = True
    items: bool = True
    dropout: float = 0.3
    read_dropout: float = 0.2
    training: TrainingConfig = field(
        default_factory=lambda: TrainingConfig(epochs=8, positions=2048, weight_decay=0.3)
    )

    def __post_init__(self) -> None:
        """Refuse what cannot be built.

        Raises:
            ImpossibleSetting: naming the setting.
        """
        require_at_least(self, 1, "hidden", "width", "window", "recent_items", "recent_concepts")
        require_at_least(self, 0, "attention", "tries")
        require_share(self, "dropout", "read_dropout")
        window_of(self, most=1)


def figures_of(config: CaktItemConfig) -> int:
    """Return how many figures of the answers in sight the read-out is told."""
    recalled = memory.PER_ANSWER * (config.recent_items + config.recent_concepts)
    recalled += 2 * memory.PER_RECALL
    return 3 + config.recall * recalled + config.surplus * memory.AVERAGES


def window_of(config: CaktItemConfig, most: int) -> int:
    """Return W, how many answers are remembered: a state must hold them.

    Raises:
        ImpossibleSetting: there is no room for a single one.
    """
    each = windows.stored_size(window=1, concepts=most)
    # Two vectors of float32, and what every network stores of its learners (see NetworkModel).
    left = MOST_BYTES - 8 * config.hidden - 16
    if left < each:
        most_hidden = (MOST_BYTES - 16 - each) // 8
        raise ImpossibleSetting(
            f"hidden = {config.hidden} leaves no room in a state for a single answer of an item "
            f"with {most} concepts; at most {most_hidden} do."
        )
    return min(config.window, left // each)
