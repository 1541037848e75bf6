"""Research logs with one row per answer under a header line."""

import datetime as dt
from pathlib import Path

import numpy as np

from kt_models.data.csv_log import LogUnreadable
from kt_models.data.log import ResponseLog, build_log
from kt_models.data.research_logs.tables import columns_of, numbers, skills_of_items

PLAIN = ("user_id", "item_id", "timestamp", "correct")


def read_dbe_kt22(folder: Path) -> ResponseLog:
    """Return DBE-KT22 (Abdelrahman et al. 2022) from the folder's interactions.csv.

    Its timestamp is when the answer was given; the item was shown `duration_ms` before.

    Raises:
        LogUnreadable: the file is missing or lacks a column.
    """
    wanted = ("user_id", "item_id", "timestamp_ms", "correct", "kc_ids", "duration_ms", "hint_used")
    path = folder / "interactions.csv"
    cells = columns_of(path, wanted)
    answered_at = numbers(cells["timestamp_ms"], path=path, column="timestamp_ms") / 1000.0
    duration = numbers(cells["duration_ms"], path=path, column="duration_ms")
    return build_log(
        learners=cells["user_id"],
        items=cells["item_id"],
        concepts=[tuple(ids.split("_")) for ids in cells["kc_ids"]],
        correct=numbers(cells["correct"], path=path, column="correct"),
        answered_at=answered_at,
        # A negative duration (clock noise of a few ms) means shown and answered at once.
        shown_at=answered_at - np.maximum(duration, 0.0) / 1000.0,
        assisted=np.array(cells["hint_used"]) == "1",
    )


def read_assistments2017(folder: Path) -> ResponseLog:
    """Return ASSISTments 2017 from interactions.csv, with the atomic skills of q_mat.npz.

    An action log: about half of the rows retry an item just answered wrong. Times are those of the
    answers, in seconds from an unstated origin.

    Raises:
        LogUnreadable: a file is missing or lacks a column.
    """
    return _with_skills([folder / "interactions.csv"], folder / "q_mat.npz", timed=True)


def read_assistments2012(folder: Path) -> ResponseLog:
    """Return ASSISTments 2012 from interactions.csv; each item has one skill.

    Times are those of the answers, in seconds from an unstated origin.

    Raises:
        LogUnreadable: the file is missing or lacks a column.
    """
    path = folder / "interactions.csv"
    cells = columns_of(path, (*PLAIN, "skill_id"))
    return build_log(
        learners=cells["user_id"],
        items=cells["item_id"],
        concepts=[(skill,) for skill in cells["skill_id"]],
        correct=numbers(cells["correct"], path=path, column="correct"),
        answered_at=numbers(cells["timestamp"], path=path, column="timestamp"),
    )


def read_assistments2009(folder: Path) -> ResponseLog:
    """Return ASSISTments 2009 from both theophilee_*.tsv, with the atomic skills of q_mat.npz.

    One row per answered problem, of Gervet et al. (2020): their two files hold different learners
    and are read as one log. It has no times; answers are in the order of the rows.

    Raises:
        LogUnreadable: a file is missing or lacks a column.
    """
    paths = [folder / "theophilee_train.tsv", folder / "theophilee_test.tsv"]
    return _with_skills(paths, folder / "q_mat.npz", timed=False)


def read_statics2011(folder: Path) -> ResponseLog:
    """Return Statics 2011 from interactions.tsv, with the concept of each item in q_mat.npz.

    It has no times; answers are in the order of the rows.

    Raises:
        LogUnreadable: a file is missing or lacks a column.
    """
    return _with_skills([folder / "interactions.tsv"], folder / "q_mat.npz", timed=False)


def _with_skills(paths: list[Path], matrix: Path, *, timed: bool) -> ResponseLog:
    """Return the log in tables of the plain columns whose items' skills a matrix holds."""
    cells: dict[str, list[str]] = {name: [] for name in PLAIN}
    for path in paths:
        delimiter = "\t" if path.suffix == ".tsv" else ","
        for name, column in columns_of(path, PLAIN, delimiter=delimiter).items():
            cells[name] += column
    skills, where = skills_of_items(matrix), paths[0]
    try:
        concepts = [skills[int(item)] for item in cells["item_id"]]
    except (IndexError, ValueError) as error:
        msg = f"{where}: an item_id is no row of {matrix} ({len(skills)} items)."
        raise LogUnreadable(msg) from error
    return build_log(
        learners=cells["user_id"],
        items=cells["item_id"],
        concepts=concepts,
        correct=numbers(cells["correct"], path=where, column="correct"),
        answered_at=numbers(cells["timestamp"], path=where, column="timestamp") if timed else None,
    )


def read_lkt_mofacts(folder: Path) -> ResponseLog:
    """Return the cloze practice of MoFaCTS (Pavlik et al., LKT) from interactions.csv.

    An item is the sentence with its gap (`KC..Default.`), its concept the sentence whatever the gap
    (`KC..Cluster.`). Rows of mere study are no answers and are left out. `Time` is when a trial
    began: gaps between rows are the latency plus the review of the earlier row plus a second.

    Raises:
        LogUnreadable: the file is missing, lacks a column, or a time cannot be read.
    """
    names = ("Anon.Student.Id", "Time", "Outcome", "KC..Default.", "KC..Cluster.")
    path, latency = folder / "interactions.csv", "CF..End.Latency."
    cells = columns_of(path, (*names, latency))
    answered = [outcome != "STUDY" for outcome in cells["Outcome"]]
    kept = {
        name: [cell for cell, keep in zip(column, answered, strict=True) if keep]
        for name, column in cells.items()
    }
    shown_at = np.array([_utc_seconds(text, path) for text in kept["Time"]])
    return build_log(
        learners=kept["Anon.Student.Id"],
        items=kept["KC..Default."],
        concepts=[(cluster,) for cluster in kept["KC..Cluster."]],
        correct=np.array([float(outcome == "CORRECT") for outcome in kept["Outcome"]]),
        answered_at=shown_at + numbers(kept[latency], path=path, column=latency) / 1000.0,
        shown_at=shown_at,
    )


def _utc_seconds(text: str, path: Path) -> float:
    try:
        return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp()
    except ValueError as error:
        raise LogUnreadable(f"{path}, column Time: {text!r} is not a time.") from error
