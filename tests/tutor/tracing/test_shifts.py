"""What a deep prediction takes, and that nothing of it is lost."""

import struct

import numpy as np
import pytest

from tutor.tracing.shifts import LARGEST, STEP, Shifts


def same(one, other):
    return (
        one.version_ids.tolist() == other.version_ids.tolist()
        and one.steps.tolist() == other.steps.tolist()
    )


@pytest.mark.parametrize("largest_gap", [1, 255, 256, 65_535, 65_536, 2**32 - 1, 2**40])
def test_come_back_as_they_were(largest_gap):
    rng = np.random.default_rng(largest_gap)
    gaps = rng.integers(1, largest_gap + 1, size=200)
    gaps[17] = largest_gap
    ids = np.cumsum(gaps)
    shifts = Shifts.of(rng.permutation(ids), rng.normal(size=200))

    again = Shifts.from_bytes(shifts.to_bytes())

    assert same(again, shifts)
    assert again.version_ids.tolist() == ids.tolist()


@pytest.mark.parametrize("size", [0, 1, 2])
def test_few_come_back_too(size):
    shifts = Shifts.of(np.arange(size) + 7, np.full(size, -0.5))

    assert same(Shifts.from_bytes(shifts.to_bytes()), shifts)


def test_take_two_bytes_an_item():
    """Versions of a course get their ids together: 256 of them, the most that are predicted."""
    shifts = Shifts.of(10_000 + 3 * np.arange(256), np.zeros(256))

    assert len(shifts.to_bytes()) < 2 * 256 + 20


def test_older_rows_can_be_read():
    ids, steps = np.array([5, 900, 70_000]), np.array([-128 + 1, 0, 64], dtype=np.int8)
    raw = struct.pack("<4sI", b"DPS1", 3) + ids.astype("<i8").tobytes() + steps.tobytes()

    assert same(Shifts.from_bytes(raw), Shifts(ids, steps))


def test_are_rounded_and_held_within_bounds():
    shifts = Shifts.of(np.array([3, 1, 2]), np.array([9.0, 0.02, -9.0]))

    assert shifts.version_ids.tolist() == [1, 2, 3]
    assert shifts.logits.tolist() == [STEP, -LARGEST * STEP, LARGEST * STEP]


@pytest.mark.parametrize("raw", [b"XXXX" + bytes(20), b"DPS3" + bytes(20)])
def test_what_is_something_else_is_refused(raw):
    with pytest.raises(ValueError, match="Not a deep prediction"):
        Shifts.from_bytes(raw)
