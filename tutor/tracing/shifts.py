"""What is stored of a deep prediction: shifts in logits by item version. Numpy only.

A row is kept for as long as a decision names it, one for nearly every answer, so its bytes are what
a course with a network grows by.
"""

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# Logits: fine enough that no choice hangs on it, coarse enough that another order of the same sums
# (another batch, another machine) gives the same bytes nearly always.
STEP = 1.0 / 32.0
LARGEST = 127
# Items; then bytes a gap and the first id. Older rows have whole ids instead.
_HEADER = struct.Struct("<4sI")
_GAPS = struct.Struct("<Bq")
_MAGIC, _MAGIC_OF_WHOLE_IDS = b"DPS2", b"DPS1"
_WIDTHS = (1, 2, 4, 8)


@dataclass(frozen=True, slots=True, eq=False)
class Shifts:
    """By how much deep logits lie above the filter's, for some items.

    Attributes:
        version_ids: (P,) ascending database ids of item versions.
        steps: (P,) int8, in steps of 1/32 logit.
    """

    version_ids: Ints
    steps: npt.NDArray[np.int8]

    @classmethod
    def of(cls, version_ids: Ints, logits: Floats) -> "Shifts":
        """Return shifts in logits as they are stored: rounded, and held within 4 logits."""
        order = np.argsort(version_ids)
        steps = np.clip(np.rint(logits / STEP), -LARGEST, LARGEST)
        return cls(version_ids[order].astype(np.int64), steps[order].astype(np.int8))

    @property
    def logits(self) -> Floats:
        """(P,)."""
        return self.steps * STEP

    def to_bytes(self) -> bytes:
        """Return what is stored: 2 bytes an item, 3 where ids of a course lie far apart."""
        gaps = np.diff(self.version_ids)
        largest = int(gaps.max(initial=0))
        width = next(size for size in _WIDTHS if largest < 256**size)
        first = int(self.version_ids[0]) if len(self.version_ids) else 0
        head = _HEADER.pack(_MAGIC, len(self.steps)) + _GAPS.pack(width, first)
        return head + gaps.astype(f"<u{width}").tobytes() + self.steps.tobytes()

    @classmethod
    def from_bytes(cls, raw: bytes) -> "Shifts":
        """Return the shifts that `to_bytes` wrote.

        Raises:
            ValueError: the bytes are not of this form.
        """
        magic, size = _HEADER.unpack_from(raw)
        if magic == _MAGIC_OF_WHOLE_IDS:
            ids = np.frombuffer(raw, "<i8", size, _HEADER.size).astype(np.int64)
            return cls(ids, np.frombuffer(raw, "i1", size, _HEADER.size + 8 * size))
        if magic != _MAGIC:
            message = "Not a deep prediction of this version."
            raise ValueError(message)
        width, first = _GAPS.unpack_from(raw, _HEADER.size)
        start, count = _HEADER.size + _GAPS.size, max(size - 1, 0)
        ids = np.full(size, first, dtype=np.int64)
        ids[1:] += np.cumsum(np.frombuffer(raw, f"<u{width}", count, start), dtype=np.int64)
        return cls(ids, np.frombuffer(raw, "i1", size, start + width * count))
