"""A learner's state in the psi-filter, as data: frozen, compact, equal when its bytes are equal."""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kt_models.errors import UnreadableState

MAGIC = b"PSI1"
# Magic, number of concepts, answers, then ability mean, variance and time; little-endian.
HEADER = struct.Struct("<4sIQddd")
COLUMNS = 6


@dataclass(frozen=True, slots=True, eq=False)
class FilterState:
    """What is kept of a learner; its size depends on the concepts touched, not on the answers.

    Attributes:
        ability_mean: logit.
        ability_var: its variance.
        t_last: epoch seconds of the latest answer; -inf before the first.
        n: answers folded.
        concept_ids: [K] touched concepts, ascending.
        values: [K, 6] by concept: mean and variance of its deviation at the time it was last
            touched, that time, times practised, answers that measured it, sum of `correct`.
    """

    ability_mean: float
    ability_var: float
    t_last: float
    n: int
    concept_ids: NDArray[np.int64]
    values: NDArray[np.float64]

    @property
    def practice_counts(self) -> NDArray[np.float64]:
        """Times each touched concept was practised, [K]."""
        return self.values[:, 3]

    @property
    def evidence_counts(self) -> NDArray[np.float64]:
        """Answers that measured each touched concept, [K]: all but assisted right ones."""
        return self.values[:, 4]

    def to_bytes(self) -> bytes:
        """Return the state in 40 + 56 K bytes; `from_bytes` gives an equal one."""
        head = HEADER.pack(
            MAGIC, len(self.concept_ids), self.n, self.ability_mean, self.ability_var, self.t_last
        )
        ids = self.concept_ids.astype("<i8", copy=False).tobytes()
        return head + ids + self.values.astype("<f8", copy=False).tobytes()

    @classmethod
    def from_bytes(cls, raw: bytes) -> "FilterState":
        """Return the state that `to_bytes` wrote.

        Raises:
            UnreadableState: not the bytes of a state of this version.
        """
        if len(raw) < HEADER.size or raw[:4] != MAGIC:
            raise UnreadableState("Not a psi-filter state of this version: fold the log again.")
        _, size, n, mean, var, t_last = HEADER.unpack_from(raw)
        if len(raw) != HEADER.size + size * 8 * (1 + COLUMNS):
            raise UnreadableState("A psi-filter state was cut short: fold the log again.")
        ids = np.frombuffer(raw, "<i8", size, HEADER.size).astype(np.int64, copy=False)
        flat = np.frombuffer(raw, "<f8", size * COLUMNS, HEADER.size + 8 * size)
        values = flat.astype(np.float64, copy=False).reshape(size, COLUMNS)
        return cls(mean, var, t_last, n, ids, values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FilterState) and self.to_bytes() == other.to_bytes()

    def __hash__(self) -> int:
        return hash(self.to_bytes())

    def with_room_for(
        self, touched: Sequence[int], *, prior_var: float
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], list[int]]:
        """Return ids and a fresh copy of the values with a row for each touched concept, and where.

        Args:
            touched: distinct concept ids, ascending.
            prior_var: the variance of a concept's deviation before its first answer.
        """
        ids = self.concept_ids
        size = len(ids)
        places = ids.searchsorted(touched).tolist()
        pairs = list(zip(touched, places, strict=True))
        new = [(k, place) for k, place in pairs if place == size or ids[place] != k]
        if not new:
            return ids, self.values.copy(), places
        wider_ids = np.empty(size + len(new), dtype=np.int64)
        wider = np.empty((size + len(new), COLUMNS))
        # Slices between the new rows are copied whole; set operations take ten times longer.
        start = 0
        for shift, (k, place) in enumerate(new):
            wider_ids[start + shift : place + shift] = ids[start:place]
            wider[start + shift : place + shift] = self.values[start:place]
            wider_ids[place + shift] = k
            # Never met is met infinitely long ago: fading from there gives the prior itself.
            wider[place + shift] = (0.0, prior_var, -math.inf, 0.0, 0.0, 0.0)
            start = place
        wider_ids[start + len(new) :] = ids[start:]
        wider[start + len(new) :] = self.values[start:]
        return wider_ids, wider, wider_ids.searchsorted(touched).tolist()
