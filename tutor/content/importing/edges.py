"""Prerequisites from a CSV: pairs of concepts, or Junyi's table of exercises."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tutor.content.importing.errors import ContentUnreadable

MAX_EDGES = 200_000
LONGEST_NAME = 300
_CONCEPT_NAMES = (
    "concept skill kc name to target dependent child successor knowledgecomponent to_concept "
    "to_kc target_concept"
)
_REQUIRES_NAMES = (
    "requires prerequisite prerequisites from source parent predecessor needs prereq pre "
    "from_concept from_kc source_concept required"
)
_CONCEPT = frozenset(_CONCEPT_NAMES.split())
_REQUIRES = frozenset(_REQUIRES_NAMES.split())


@dataclass(frozen=True, slots=True)
class Edge:
    """`concept` requires `requires`, both by the name the file gives them."""

    concept: str
    requires: str
    line: int


@dataclass(frozen=True, slots=True)
class EdgeTable:
    """The pairs of a file and how it was read, to be shown."""

    edges: tuple[Edge, ...]
    reading: str


def read_edges(path: Path) -> EdgeTable:
    """Return the pairs in a CSV of two columns, or in a table `name`, `prerequisites`.

    In such a table a cell of prerequisites may list several, separated by commas. In two columns
    the first line is taken for a header when it names what the columns are.

    Raises:
        ContentUnreadable: it is no CSV in UTF-8, or has no such columns.
    """
    rows = read_rows(path)
    if not rows:
        raise ContentUnreadable(f"{path.name} is empty.")
    header = [cell.strip().lower().lstrip("\ufeff") for cell in rows[0][1]]
    if "name" in header and "prerequisites" in header:
        places = header.index("name"), header.index("prerequisites")
        return EdgeTable(
            tuple(_listed_edges(rows[1:], *places)),
            "a table of exercises: `name` requires each name listed in `prerequisites`",
        )
    return _pairs(path, rows, header)


def read_rows(path: Path) -> list[tuple[int, list[str]]]:
    """Return the rows that are not blank, each with its line.

    Raises:
        ContentUnreadable: it is no CSV in UTF-8, or there is no such file.
    """
    rows: list[tuple[int, list[str]]] = []
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            sample = file.readline()
            file.seek(0)
            separator = max(",;\t", key=sample.count)
            reader = csv.reader(file, delimiter=separator, strict=True)
            for cells in reader:
                if any("\x00" in cell for cell in cells):
                    raise ContentUnreadable(
                        f"{path.name}, line {reader.line_num}: a NUL character."
                    )
                if any(cell.strip() for cell in cells):
                    rows.append((reader.line_num, cells))
                if len(rows) > MAX_EDGES:
                    raise ContentUnreadable(f"{path.name} has more than {MAX_EDGES:,} lines.")
    except OSError as error:
        raise ContentUnreadable(f"{path}: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise ContentUnreadable(
            f"{path.name} is not text in UTF-8 ({error.reason}); save it as UTF-8."
        ) from error
    except csv.Error as error:
        raise ContentUnreadable(f"{path.name} is not a CSV: {error}. Is a quote open?") from error
    return rows


def split_names(cell: str) -> Iterator[str]:
    """Yield each name of a list separated by commas."""
    for name in cell.split(","):
        if name.strip():
            yield name.strip()


def _listed_edges(
    rows: Sequence[tuple[int, list[str]]], name_at: int, prerequisites_at: int
) -> Iterator[Edge]:
    for line, cells in rows:
        if len(cells) > max(name_at, prerequisites_at):
            for required in split_names(cells[prerequisites_at]):
                yield Edge(cells[name_at].strip(), required, line)


def _pairs(path: Path, rows: list[tuple[int, list[str]]], header: list[str]) -> EdgeTable:
    concept_at, requires_at, has_header = _columns(header)
    edges: list[Edge] = []
    for line, cells in rows[1:] if has_header else rows:
        if len(cells) <= max(concept_at, requires_at):
            raise ContentUnreadable(f"{path.name}, line {line}: two columns are needed.")
        concept, required = cells[concept_at].strip(), cells[requires_at].strip()
        if not concept or not required:
            raise ContentUnreadable(f"{path.name}, line {line}: a cell is empty.")
        if max(len(concept), len(required)) > LONGEST_NAME:
            raise ContentUnreadable(
                f"{path.name}, line {line}: a name is longer than {LONGEST_NAME} characters."
            )
        edges.append(Edge(concept, required, line))
    first = rows[0][1]
    told = f"by the header `{','.join(first)}`" if has_header else "without a header"
    reading = (
        f"two columns {told}: column {concept_at + 1} requires column {requires_at + 1}, so "
        f"“{edges[0].requires}” comes before “{edges[0].concept}”"
        if edges
        else f"two columns {told}, no pairs"
    )
    return EdgeTable(tuple(edges), reading)


def _columns(header: list[str]) -> tuple[int, int, bool]:
    """Return where concept and required concept stand, and whether the first line is a header."""
    squeezed = [cell.replace(" ", "_").strip("_") for cell in header]
    concepts = [at for at, cell in enumerate(squeezed) if cell in _CONCEPT]
    requires = [at for at, cell in enumerate(squeezed) if cell in _REQUIRES]
    if concepts and requires:
        return concepts[0], requires[0], True
    return 0, 1, False
