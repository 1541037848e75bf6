"""What research logs are stored as: tables with a header, and sparse matrices of items' skills."""

import csv
import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kt_models.data.csv_log import LogUnreadable


def columns_of(path: Path, wanted: Sequence[str], *, delimiter: str = ",") -> dict[str, list[str]]:
    """Return the cells of the wanted columns, by title.

    Raises:
        LogUnreadable: no such file, a column is missing, or a row has another number of cells.
    """
    with require(path).open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file, delimiter=delimiter)
        header = next(reader, [])
        missing = sorted(set(wanted) - set(header))
        if missing:
            raise LogUnreadable(f"{path}, line 1: column {', '.join(missing)} is missing.")
        try:
            columns = list(zip(*reader, strict=True))
        except ValueError as error:
            raise LogUnreadable(f"{path}: rows differ in length; is it complete?") from error
    if not columns:
        raise LogUnreadable(f"{path}: there is no answer below the header.")
    return {name: list(columns[header.index(name)]) for name in wanted}


def skills_of_items(path: Path) -> list[tuple[str, ...]]:
    """Return the skills of each item from a compressed-sparse-row matrix [items, skills].

    Raises:
        LogUnreadable: no such file.
    """
    with np.load(require(path)) as matrix:
        ends, columns = matrix["indptr"].tolist(), matrix["indices"].tolist()
    spans = itertools.pairwise(ends)
    return [tuple(str(k) for k in columns[start:end]) for start, end in spans]


def numbers(cells: Sequence[str], *, path: Path, column: str) -> NDArray[np.float64]:
    """Return a column as numbers.

    Raises:
        LogUnreadable: a cell is no number; names the file and the column.
    """
    try:
        return np.array(cells, dtype=float)
    except ValueError as error:
        raise LogUnreadable(f"{path}, column {column}: {error}.") from error


def require(path: Path) -> Path:
    """Return the path of a file that is there.

    Raises:
        LogUnreadable: it is not.
    """
    if not path.is_file():
        raise LogUnreadable(f"{path} is not there; unpack the data set into {path.parent}.")
    return path
