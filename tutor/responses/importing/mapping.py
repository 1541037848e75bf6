"""Which column of a file means what: a value that is guessed, shown, edited and kept as JSON."""

import codecs
import json
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from tutor.responses.importing.errors import MappingInvalid

REQUIRED = ("learner", "item", "correct")
# `order` is a number that orders a learner's answers where there is no time.
OPTIONAL = ("concepts", "answered_at", "order", "elapsed_ms", "hints", "attempt", "is_pilot")
FIELDS = (*REQUIRED, *OPTIONAL)
# A learner or an item may need several columns to be told apart: a problem's name and a step's.
SEVERAL = frozenset({"learner", "item"})
TIME_UNITS = ("auto", "seconds", "milliseconds", "microseconds")
ELAPSED_UNITS = ("milliseconds", "seconds")


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """What the columns of a table mean.

    Attributes:
        columns: field of `FIELDS` -> names of the file's columns, one but for `SEVERAL`.
        separator: what joins several concepts in one cell; empty where a cell names one.
        time_unit: of `TIME_UNITS`; "auto" takes ISO 8601 or epoch seconds.
        time_format: as for `strptime`, where times are neither; else empty.
        time_zone: IANA name, for times that name no zone.
        elapsed_unit: of `ELAPSED_UNITS`.
        full_score: what `correct` says of a right answer: 1, or the most points.
        keep: further columns that are kept with each answer as they stand.
        merge_skills: rows that repeat an answer once per skill become one answer with all skills.
        delimiter: one character; empty to find out.
        encoding: of the text.
    """

    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    separator: str = "|"
    time_unit: str = "auto"
    time_format: str = ""
    time_zone: str = "UTC"
    elapsed_unit: str = "milliseconds"
    full_score: float = 1.0
    keep: tuple[str, ...] = ()
    merge_skills: bool = False
    delimiter: str = ""
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        """Check what can be checked without the file.

        Raises:
            MappingInvalid: naming the entry and what may stand there.
        """
        for name, columns in self.columns.items():
            _check(name in FIELDS, f"{name} is no field; there are {', '.join(FIELDS)}")
            is_one = len(columns) == 1 or (columns and name in SEVERAL)
            _check(is_one, f"{name} needs exactly one column")
        _check(self.time_unit in TIME_UNITS, f"time_unit is one of {', '.join(TIME_UNITS)}")
        _check(
            self.elapsed_unit in ELAPSED_UNITS,
            f"elapsed_unit is one of {', '.join(ELAPSED_UNITS)}",
        )
        _check(0.0 < self.full_score < float("inf"), "full_score is a number above 0")
        _check(len(self.delimiter) <= 1, "delimiter is one character, or empty to find out")
        _check(_is_zone(self.time_zone), f"{self.time_zone!r} is no time zone, as Europe/Berlin is")
        _check(_is_encoding(self.encoding), f"{self.encoding!r} is no encoding, as latin-1 is")

    @property
    def missing(self) -> tuple[str, ...]:
        """The required fields that no column is named for."""
        return tuple(name for name in REQUIRED if name not in self.columns)

    def changed(self, **entries: Any) -> "ColumnMapping":
        """Return the mapping with other entries; an empty tuple takes a column away.

        Raises:
            MappingInvalid: as the constructor.
        """
        columns = {**self.columns, **entries.pop("columns", {})}
        return replace(self, columns={k: v for k, v in columns.items() if v}, **entries)

    def special(self) -> dict[str, Any]:
        """Return the entries but for columns that are not as they are by themselves."""
        usual = ColumnMapping()
        values = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return {
            name: value
            for name, value in values.items()
            if name != "columns" and value != getattr(usual, name)
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the mapping for JSON; a column alone stands as text."""
        found = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        found["columns"] = {
            name: columns[0] if len(columns) == 1 else list(columns)
            for name, columns in self.columns.items()
        }
        found["keep"] = list(self.keep)
        return found


def from_dict(data: object) -> ColumnMapping:
    """Return what `to_dict` wrote or somebody edited; what is left out has its default.

    Raises:
        MappingInvalid: naming the entry and what may stand there.
    """
    _check(isinstance(data, dict), "a mapping is an object with `columns`")
    assert isinstance(data, dict)  # noqa: S101 - checked above
    known = {entry.name: entry for entry in fields(ColumnMapping)}
    strangers = sorted(set(map(str, data)) - set(known))
    _check(not strangers, f"there is no entry {', '.join(strangers)}; there are {', '.join(known)}")
    entries: dict[str, Any] = dict(data)
    columns = entries.get("columns", {})
    _check(isinstance(columns, dict), "columns is an object: field -> column")
    entries["columns"] = {str(key): _names(value, str(key)) for key, value in columns.items()}
    entries["keep"] = _names(entries.get("keep", []), "keep")
    for name in set(entries) - {"columns", "keep", "merge_skills", "full_score"}:
        _check(isinstance(entries[name], str), f"{name} is text")
    full = entries.get("full_score", 1.0)
    is_number = isinstance(full, int | float) and not isinstance(full, bool)
    _check(is_number, "full_score is a number above 0")
    _check(isinstance(entries.get("merge_skills", False), bool), "merge_skills is true or false")
    return ColumnMapping(**entries)


def read_mapping(path: Path) -> ColumnMapping:
    """Return the mapping in a JSON file.

    Raises:
        MappingInvalid: there is no such file, it is not JSON, or an entry is wrong.
    """
    try:
        return from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise MappingInvalid(f"{path.name} cannot be read as a mapping: {error}.") from error
    except MappingInvalid as error:
        raise MappingInvalid(f"{path.name}: {error.message}") from error


def write_mapping(mapping: ColumnMapping, path: Path) -> None:
    """Write the mapping as JSON, to be edited and used again."""
    text = json.dumps(mapping.to_dict(), indent=2, ensure_ascii=False)
    path.write_text(f"{text}\n", encoding="utf-8")


def _check(is_right: object, message: str) -> None:
    if not is_right:
        raise MappingInvalid(f"{message}.")


def _names(value: object, entry: str) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    is_list = isinstance(names, list) and all(isinstance(name, str) and name for name in names)
    _check(is_list, f"{entry} is the name of a column, or a list of names")
    assert isinstance(names, list)  # noqa: S101 - checked above
    return tuple(names)


def _is_zone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return False
    return True


def _is_encoding(name: str) -> bool:
    try:
        return codecs.lookup(name).name != "idna" and isinstance("a".encode(name), bytes)
    except (LookupError, UnicodeError, ValueError):
        return False
