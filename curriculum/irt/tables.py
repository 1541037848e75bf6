"""Item parameters as a CSV: what a calibration writes and the next one reads."""

import csv
import io
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from curriculum.irt.errors import (
    ImpossibleParameters,
    UnreadableGroups,
    UnreadableParameters,
)
from curriculum.irt.parameters import ItemParameters, bank_of
from curriculum.irt.run import MAY_ANCHOR, OPERATIONAL_SE, CalibrationRun

COLUMNS = (
    *("item", "n", "seen", "correct", "difficulty", "difficulty_se", "discrimination"),
    *("discrimination_se", "guessing", "infit", "outfit", "item_rest", "s_x2", "s_x2_df"),
    *("s_x2_p", "block", "anchor", "flags"),
)


def parameters_csv(run: CalibrationRun) -> str:
    """Return the table of a run, one line per item; a figure that does not exist is empty."""
    return csv_text(COLUMNS, ([getattr(one, name) for name in COLUMNS] for one in run.items))


def csv_text(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a CSV; numbers with six significant digits, nan as an empty cell."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return buffer.getvalue()


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6g}"
    if isinstance(value, tuple):
        return "|".join(map(str, value))
    return str(value)


def read_parameters(path: Path, *, anchors: bool = False) -> ItemParameters:
    """Return the items of a table that have parameters; other columns may be missing.

    Args:
        path: CSV with item, difficulty and, unless all are 1, discrimination; `guessing` if any.
        anchors: leave out items that should not hold a scale: flagged as more than thin or
            dependent, or with a standard error of 0.35 or more.

    Raises:
        UnreadableParameters: no such file, a column is missing, or a value is none.
    """
    rows = list(_rows(path, ("item", "difficulty"), error=UnreadableParameters))
    taken: list[Mapping[str, str]] = []
    for line, row in rows:
        flags = set(filter(None, row.get("flags", "").split("|")))
        error = _number(path, line, row, "difficulty_se", 0.0)
        unfit = not flags <= MAY_ANCHOR or error >= OPERATIONAL_SE
        if row["difficulty"] and not (anchors and unfit):
            taken.append(row)
            for column in ("difficulty", "discrimination", "guessing"):
                _number(path, line, row, column, 0.0)
    if not taken:
        raise UnreadableParameters(f"{path}: no item with usable parameters.")
    try:
        return bank_of(
            [row["item"] for row in taken],
            difficulty=[float(row["difficulty"]) for row in taken],
            discrimination=[float(row.get("discrimination") or 1.0) for row in taken],
            guessing=[float(row.get("guessing") or 0.0) for row in taken],
        )
    except ImpossibleParameters as error:
        raise UnreadableParameters(f"{path}: {error.message}") from error


def read_guessing(path: Path) -> dict[str, float]:
    """Return 1 / options by item, from a CSV with the columns item and options.

    Raises:
        UnreadableParameters: see `read_parameters`; also where an item has fewer than 2 options.
    """
    found = {}
    for line, row in _rows(path, ("item", "options"), error=UnreadableParameters):
        options = _number(path, line, row, "options", 0.0)
        if options < 2.0:
            msg = f"{path}, line {line}: options = {row['options']!r}; it takes 2 to choose."
            raise UnreadableParameters(msg)
        found[row["item"]] = 1.0 / options
    return found


def read_groups(path: Path, column: str) -> dict[str, str]:
    """Return the group of every learner of a log, from one of its columns; "" where it is empty.

    Raises:
        UnreadableGroups: the column is missing, or a learner stands in two groups.
    """
    found: dict[str, str] = {}
    for line, row in _rows(path, ("learner", column.lower()), error=UnreadableGroups):
        learner, group = row["learner"], row[column.lower()]
        if group and found.setdefault(learner, group) != group:
            msg = (
                f"{path}, line {line}: learner {learner} is in group {found[learner]} and {group}."
            )
            raise UnreadableGroups(msg + " Give each learner one group.", learner=learner)
    return found


def _rows(
    path: Path, needed: tuple[str, ...], *, error: type[UnreadableParameters | UnreadableGroups]
) -> Iterable[tuple[int, dict[str, str]]]:
    """Yield (line number, cells by lower-case title) of a CSV."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            titles = [title.strip().lower() for title in next(reader, [])]
            missing = [title for title in needed if title not in titles]
            if missing:
                there = ", ".join(titles) or "nothing"
                raise error(f"{path}, line 1: column {', '.join(missing)} is missing; {there}.")
            for row in reader:
                if any(row):
                    cells = [cell.strip() for cell in row] + [""] * (len(titles) - len(row))
                    yield reader.line_num, dict(zip(titles, cells, strict=False))
    except OSError as problem:
        raise error(f"{path}: {problem.strerror or problem}.") from problem
    except (UnicodeDecodeError, csv.Error) as problem:
        raise error(f"{path}: no CSV in UTF-8 ({problem}).") from problem


def _number(path: Path, line: int, row: Mapping[str, str], column: str, empty: float) -> float:
    text = row.get(column, "")
    try:
        value = float(text) if text else empty
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        msg = f"{path}, line {line}: {column} = {text!r} is not a finite number."
        raise UnreadableParameters(msg)
    return value
