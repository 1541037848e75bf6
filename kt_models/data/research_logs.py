"""Readers of three public research logs, for benchmarks; the data are not ours to ship."""

import csv
import itertools
from pathlib import Path

import numpy as np

from kt_models.data.csv_log import LogUnreadable
from kt_models.data.log import ResponseLog, build_log


def read_dbe_kt22(folder: Path) -> ResponseLog:
    """Return DBE-KT22 (Abdelrahman et al. 2022) from the folder's interactions.csv.

    Its timestamp is when the answer was given; the item was shown `duration_ms` before.

    Raises:
        LogUnreadable: the file is missing or lacks a column.
    """
    wanted = ("user_id", "item_id", "timestamp_ms", "correct", "kc_ids", "duration_ms", "hint_used")
    cells = _columns(folder / "interactions.csv", wanted)
    answered_at = np.array(cells["timestamp_ms"], dtype=float) / 1000.0
    # A negative duration (clock noise of a few ms) means shown and answered at once.
    shown = answered_at - np.maximum(np.array(cells["duration_ms"], dtype=float), 0.0) / 1000.0
    return build_log(
        learners=cells["user_id"],
        items=cells["item_id"],
        concepts=[tuple(ids.split("_")) for ids in cells["kc_ids"]],
        correct=np.array(cells["correct"], dtype=float),
        answered_at=answered_at,
        shown_at=shown,
        assisted=np.array(cells["hint_used"]) == "1",
    )


def read_assistments2017(folder: Path) -> ResponseLog:
    """Return ASSISTments 2017 from interactions.csv, with the atomic skills of q_mat.npz.

    An action log: about half of the rows retry an item just answered wrong. Times are those of the
    answers, in seconds from an unstated origin.

    Raises:
        LogUnreadable: a file is missing or lacks a column.
    """
    cells = _columns(folder / "interactions.csv", ("user_id", "item_id", "timestamp", "correct"))
    skills = _skills_of_items(folder / "q_mat.npz")
    return build_log(
        learners=cells["user_id"],
        items=cells["item_id"],
        concepts=[skills[int(item)] for item in cells["item_id"]],
        correct=np.array(cells["correct"], dtype=float),
        answered_at=np.array(cells["timestamp"], dtype=float),
    )


def read_assistments2012(folder: Path) -> ResponseLog:
    """Return ASSISTments 2012 from interactions.csv; each item has one skill.

    Times are those of the answers, in seconds from an unstated origin.

    Raises:
        LogUnreadable: the file is missing or lacks a column.
    """
    wanted = ("user_id", "item_id", "timestamp", "correct", "skill_id")
    cells = _columns(folder / "interactions.csv", wanted)
    return build_log(
        learners=cells["user_id"],
        items=cells["item_id"],
        concepts=[(skill,) for skill in cells["skill_id"]],
        correct=np.array(cells["correct"], dtype=float),
        answered_at=np.array(cells["timestamp"], dtype=float),
    )


def _columns(path: Path, wanted: tuple[str, ...]) -> dict[str, list[str]]:
    if not path.is_file():
        raise LogUnreadable(f"{path} is not there; unpack the data set into {path.parent}.")
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        header = next(reader, [])
        missing = sorted(set(wanted) - set(header))
        if missing:
            raise LogUnreadable(f"{path}, line 1: column {', '.join(missing)} is missing.")
        columns = list(zip(*reader, strict=True))
    return {name: list(columns[header.index(name)]) for name in wanted}


def _skills_of_items(path: Path) -> list[tuple[str, ...]]:
    """Return the skills of each item from a compressed-sparse-row matrix [items, skills]."""
    if not path.is_file():
        raise LogUnreadable(f"{path} is not there; unpack the data set into {path.parent}.")
    with np.load(path) as matrix:
        ends, columns = matrix["indptr"].tolist(), matrix["indices"].tolist()
    spans = itertools.pairwise(ends)
    return [tuple(str(k) for k in columns[start:end]) for start, end in spans]
