"""The parameters of a bank of items, as every part of the calibration passes them on."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curriculum.irt.errors import ImpossibleParameters


@dataclass(frozen=True, slots=True)
class ItemParameters:
    """Difficulty, discrimination and guessing of I items.

    Attributes:
        items: [I] names, each once.
        difficulty: [I] logits.
        discrimination: [I] above 0, per logit.
        guessing: [I] 0 to below 1.

    Raises:
        ImpossibleParameters: lengths differ, a name occurs twice, or a value is out of range.
    """

    items: tuple[str, ...]
    difficulty: NDArray[np.float64]
    discrimination: NDArray[np.float64]
    guessing: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Refuse what no bank can have, naming the first item at fault."""
        columns = (self.difficulty, self.discrimination, self.guessing)
        if any(column.shape != (len(self.items),) for column in columns):
            raise ImpossibleParameters("Every item needs a difficulty, discrimination, guessing.")
        if len(set(self.items)) < len(self.items):
            twice = next(name for name in self.items if self.items.count(name) > 1)
            raise ImpossibleParameters(f"Item {twice} is there twice.", item=twice)
        fine = (
            np.isfinite(self.difficulty)
            & np.isfinite(self.discrimination)
            & (self.discrimination > 0.0)
            & (self.guessing >= 0.0)
            & (self.guessing < 1.0)
        )
        if not fine.all():
            k = int(np.argmin(fine))
            found = f"difficulty {self.difficulty[k]}, discrimination {self.discrimination[k]}"
            msg = f"Item {self.items[k]} has {found} and guessing {self.guessing[k]}."
            msg += " Difficulty must be finite, discrimination above 0, guessing 0 to below 1."
            raise ImpossibleParameters(msg, item=self.items[k])

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.items)

    def sha256(self) -> str:
        """Return a hash of names and values."""
        digest = hashlib.sha256("\x1f".join(self.items).encode())
        for column in (self.difficulty, self.discrimination, self.guessing):
            digest.update(np.ascontiguousarray(column).tobytes())
        return digest.hexdigest()

    def only(self, names: Iterable[str]) -> "ItemParameters":
        """Return the parameters of some items, in the order given.

        Raises:
            ImpossibleParameters: an item is not there.
        """
        wanted = tuple(names)
        number = {name: k for k, name in enumerate(self.items)}
        missing = [name for name in wanted if name not in number]
        if missing:
            raise ImpossibleParameters(f"No item {missing[0]} in this bank.", item=missing[0])
        rows = np.array([number[name] for name in wanted], dtype=np.int64)
        return ItemParameters(
            items=wanted,
            difficulty=self.difficulty[rows],
            discrimination=self.discrimination[rows],
            guessing=self.guessing[rows],
        )


def bank_of(
    items: Sequence[str],
    *,
    difficulty: Sequence[float] | NDArray[np.float64],
    discrimination: Sequence[float] | NDArray[np.float64] | float = 1.0,
    guessing: Sequence[float] | NDArray[np.float64] | float = 0.0,
) -> ItemParameters:
    """Return the parameters of a bank from plain sequences, one value for all where one is given.

    Raises:
        ImpossibleParameters: see `ItemParameters`.
    """
    size = (len(items),)
    slopes, chances = (np.asarray(x, dtype=np.float64) for x in (discrimination, guessing))
    return ItemParameters(
        items=tuple(items),
        difficulty=np.asarray(difficulty, dtype=np.float64),
        discrimination=np.broadcast_to(slopes, size).copy() if slopes.ndim == 0 else slopes,
        guessing=np.broadcast_to(chances, size).copy() if chances.ndim == 0 else chances,
    )
