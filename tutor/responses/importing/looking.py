"""A first look at an input: which format it has, and what the columns of a table seem to mean."""

import csv
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tutor.responses.importing import kinds
from tutor.responses.importing.errors import UnreadableLog
from tutor.responses.importing.guessing import find_problems, is_own_format
from tutor.responses.importing.mapping import ColumnMapping
from tutor.responses.importing.readers import assistments, datashop, dbe_kt22, ednet, pykt
from tutor.responses.importing.readers.table import open_table
from tutor.responses.importing.sources import PARQUET, Source, open_source
from tutor.responses.importing.tables import read_lines

SHOWN = 20
# So much of a cell is shown.
LONGEST_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Look:
    """What the beginning of an input says.

    Attributes:
        format: of `formats.FORMATS`.
        header: titles of the columns; empty where the format is no table.
        sample: the first rows as text, cut to `LONGEST_SHOWN` characters a cell.
        mapping: given or guessed; as given where the format says itself what its columns mean.
        problems: what has to be named or changed before it can be read.
        notes: what else is worth knowing.
    """

    format: str
    header: tuple[str, ...] = ()
    sample: tuple[tuple[str, ...], ...] = ()
    mapping: ColumnMapping | None = None
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def look(
    path: Path,
    *,
    format: str = kinds.AUTO,  # noqa: A002 - the word of the command
    mapping: ColumnMapping | None = None,
    named: Mapping[str, tuple[str, ...]] | None = None,
) -> Look:
    """Return what the beginning of the input at `path` says.

    Args:
        path: a file or a folder.
        format: of `formats.FORMATS`, or "auto" to find out.
        mapping: what columns mean; None to guess.
        named: columns that somebody named, which beat the guess and the mapping.

    Raises:
        UnreadableLog: it cannot be read at all.
        MappingInvalid: `named` names what is no field.
    """
    with open_source(path) as source:
        kind = find_format(source, mapping=mapping) if format == kinds.AUTO else format
        if kind not in kinds.MAPPED:
            chosen = ColumnMapping(columns=named) if named else mapping
            return Look(kind, mapping=chosen, notes=(f"Read as: {kinds.LABELS[kind]}.",))
        table, sample, found = open_table(source, mapping=mapping, named=named or {})
        rows = [cells for _, cells in sample]
        notes = ["The columns are the tutor's own."] if is_own_format(table.header) else []
        if not rows:
            notes.append("There is no row below the first line.")
        return Look(
            kind,
            header=table.header,
            sample=tuple(tuple(c[:LONGEST_SHOWN] for c in row) for row in rows[:SHOWN]),
            mapping=found,
            problems=tuple(find_problems(table.header, rows, found)),
            notes=tuple(notes),
        )


def find_format(source: Source, *, mapping: ColumnMapping | None = None) -> str:
    """Return the format that the files or the first lines of an input tell."""
    if source.is_many:
        if all(source.find(name) is not None for name, _ in dbe_kt22.FILES.values()):
            return kinds.DBE_KT22
        if ednet.learner_files(source):
            return kinds.EDNET
    if mapping is not None and mapping.columns:
        return kinds.CSV
    lines = _first_lines(source)
    return kinds.CSV if lines is None else _format_of(lines)


def _format_of(lines: list[str]) -> str:
    if pykt.looks_like(lines):
        return kinds.PYKT
    if datashop.looks_like(lines[0].rstrip("\r\n").split("\t")):
        return kinds.DATASHOP
    header = [title.strip() for title in next(csv.reader(lines[:1]), [])]
    return kinds.ASSISTMENTS if assistments.find_edition(header) else kinds.CSV


def _first_lines(source: Source) -> list[str] | None:
    """Return the first six lines; None where there are none that are text."""
    member = source.single()
    with member.open() as file:
        if file.read(4) == PARQUET:
            return None
    lines = read_lines(member, encoding="latin-1", longest=pykt.LONGEST_LINE)
    try:
        found = list(itertools.islice(lines, 6))
    except UnreadableLog:
        return None
    # The byte order mark of UTF-8, as latin-1 reads it.
    return [found[0].removeprefix("ï»¿"), *found[1:]] if found else None
