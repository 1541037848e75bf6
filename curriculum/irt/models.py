"""What a fit is asked for and what it gives, whichever engine makes it."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from curriculum.irt.errors import ImpossibleParameters, ImpossibleSetting
from curriculum.irt.parameters import ItemParameters
from curriculum.irt.population import Population


class ItemModel(StrEnum):
    """Which parameters an item has of its own."""

    ONE = "1pl"  # difficulty; one discrimination for all items
    TWO = "2pl"  # difficulty and discrimination
    THREE = "3pl"  # the same, beside a chance of guessing that is given


@dataclass(frozen=True, slots=True)
class Priors:
    """Difficulty ~ N(0, sd), log discrimination ~ N(0, sd); sds in logits.

    Wide enough that 200 answers outweigh them, narrow enough that an item all got right has an
    estimate.

    Raises:
        ImpossibleSetting: an sd that is not above 0.
    """

    difficulty_sd: float = 2.0
    log_discrimination_sd: float = 0.5

    def __post_init__(self) -> None:
        """Refuse what is no sd."""
        if not (self.difficulty_sd > 0.0 and self.log_discrimination_sd > 0.0):
            raise ImpossibleSetting("The sds of the priors must be above 0.")


WEAK_PRIORS = Priors()


@dataclass(frozen=True, slots=True)
class Anchors:
    """Items whose parameters are known and stay as they are, so that the scale does."""

    bank: ItemParameters

    def rows_in(self, items: tuple[str, ...]) -> NDArray[np.int64]:
        """Return the places of the anchors among items.

        Raises:
            ImpossibleParameters: an anchor is not there.
        """
        number = {name: k for k, name in enumerate(items)}
        missing = [name for name in self.bank.items if name not in number]
        if missing:
            raise ImpossibleParameters(f"No answer names anchor {missing[0]}.", item=missing[0])
        return np.array([number[name] for name in self.bank.items], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Fit:
    """The outcome of one engine.

    Attributes:
        bank: parameters of all I items.
        population: where the learners come from, on the bank's scale.
        log_likelihood: marginal, of all responses, in nats.
        iterations: EM steps or epochs.
        converged: whether nothing moved any more; None if the engine runs a fixed time.
    """

    bank: ItemParameters
    population: Population
    log_likelihood: float
    iterations: int
    converged: bool | None
