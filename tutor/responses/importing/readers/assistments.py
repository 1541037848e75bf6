"""Exports of ASSISTments: 2009-2010 skill builder, 2012-2013, and the 2017 data mining challenge.

The 2009 files hold an answer once for each skill of its problem; read as they stand, one answer
predicts its own copy. Such rows are merged by `order_id`. Its times are only an order. 2017 is a
log of actions: every try at a problem is a row.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tutor.responses.importing.errors import UnreadableLog
from tutor.responses.importing.log_rows import RowReader
from tutor.responses.importing.mapping import ColumnMapping
from tutor.responses.importing.readers.base import Request, take_rows
from tutor.responses.importing.sources import Source
from tutor.responses.importing.staging import Staging
from tutor.responses.importing.tables import read_table

# skill_builder_data.csv is not UTF-8; an id or a number reads alike in both.
ENCODINGS = ("utf-8", "latin-1")
_JOINT = "~~"
_NO_SKILL = frozenset({"", "noskill", "NA", "NULL", "nan"})


@dataclass(frozen=True, slots=True)
class Edition:
    """One of the exports: the columns that tell it, and what they mean.

    `names` are the columns for a skill's name and its number, of which the file may have one.
    """

    label: str
    tells: frozenset[str]
    columns: dict[str, str]
    names: tuple[str, str]
    elapsed_unit: str = "milliseconds"
    merge: bool = False
    note: str = ""


EDITIONS = (
    Edition(
        label="2012-2013",
        tells=frozenset({"user_id", "problem_id", "correct", "problem_log_id", "end_time"}),
        columns={
            "learner": "user_id",
            "item": "problem_id",
            "correct": "correct",
            "answered_at": "end_time",
            "order": "problem_log_id",
            "elapsed_ms": "ms_first_response",
            "hints": "hint_count",
        },
        names=("skill", "skill_id"),
        merge=True,
        note="Times name no zone and are taken as UTC.",
    ),
    Edition(
        label="2009-2010",
        tells=frozenset({"user_id", "problem_id", "correct", "order_id"}),
        columns={
            "learner": "user_id",
            "item": "problem_id",
            "correct": "correct",
            "order": "order_id",
            "elapsed_ms": "ms_first_response",
            "hints": "hint_count",
        },
        names=("skill_name", "skill_id"),
        merge=True,
    ),
    Edition(
        label="2017",
        tells=frozenset({"studentId", "problemId", "correct", "startTime"}),
        columns={
            "learner": "studentId",
            "item": "problemId",
            "correct": "correct",
            "answered_at": "endTime",
            "order": "actionId",
            "elapsed_ms": "timeTaken",
        },
        names=("skill", "skill"),
        elapsed_unit="seconds",
        note="A log of actions: every try at a problem is an answer of its own.",
    ),
)
_FIELDS = ("learner", "item", "correct", "concepts", "answered_at", "order", "elapsed_ms", "hints")


def find_edition(header: Sequence[str]) -> Edition | None:
    """Return the export that a header is of, if any."""
    return next((edition for edition in EDITIONS if edition.tells <= set(header)), None)


def read(source: Source, *, into: Staging, request: Request) -> None:
    """Read one of the exports.

    Raises:
        UnreadableLog: it is none of them.
    """
    encoding = "utf-8" if _is_utf8(source) else "latin-1"
    table = read_table(source, encoding=encoding)
    edition = find_edition(table.header)
    if edition is None:
        known = "; ".join(f"{e.label}: {', '.join(sorted(e.tells))}" for e in EDITIONS)
        raise UnreadableLog(
            f"{table.name} has the columns of no ASSISTments export that is known ({known})."
        )
    # Left out where a file lacks it: only what tells the edition is needed.
    columns = {field: own for field, own in edition.columns.items() if own in table.header}
    if edition.label == "2017" and "answered_at" not in columns:
        columns["answered_at"] = "startTime"
    fields = [field for field in _FIELDS if field in columns or field == "concepts"]
    mapping = ColumnMapping(
        columns={field: (field,) for field in fields},
        separator=_JOINT,
        elapsed_unit=edition.elapsed_unit,
    )
    reader = RowReader(fields, mapping, name=table.name, at=request.at)
    places = [table.header.index(columns[f]) if f in columns else -1 for f in fields]
    rows = _canonical(table.rows, fields, places, _skill_reader(table.header, edition))
    take_rows(reader, rows, into=into, request=request, titles={**columns, "concepts": "skill"})
    into.warnings.append(
        f"Read as the ASSISTments export of {edition.label}. {edition.note}".strip()
    )
    into.settle(merge_skills=edition.merge and "order" in columns)


def _is_utf8(source: Source) -> bool:
    with source.single().open() as file:
        while chunk := file.read(2**20):
            # The end may lie inside a character; a line's end never does.
            try:
                (chunk + file.readline(2**20)).decode()
            except UnicodeDecodeError:
                return False
    return True


def _canonical(
    rows: Iterator[tuple[int, list[str]]],
    fields: list[str],
    places: list[int],
    skills: "_Skills",
) -> Iterator[tuple[int, list[str]]]:
    elapsed = fields.index("elapsed_ms") if "elapsed_ms" in fields else -1
    concepts = fields.index("concepts")
    for line, cells in rows:
        out = [cells[place] if 0 <= place < len(cells) else "" for place in places]
        out[concepts] = skills(cells)
        if elapsed >= 0 and out[elapsed].startswith("-"):
            # A clock that was set back: the answer counts, its duration is unknown.
            out[elapsed] = ""
        yield line, out


class _Skills:
    """Returns the skills of a row, by name where the file has names."""

    def __init__(self, name: int, number: int) -> None:
        self._name, self._number = name, number
        self._known: dict[tuple[str, str], str] = {}

    def __call__(self, cells: list[str]) -> str:
        name = cells[self._name].strip() if 0 <= self._name < len(cells) else ""
        number = cells[self._number].strip() if 0 <= self._number < len(cells) else ""
        found = self._known.get((name, number))
        if found is None:
            found = self._known[name, number] = self._join(name, number)
        return found

    @staticmethod
    def _join(name: str, number: str) -> str:
        if name in _NO_SKILL and number in _NO_SKILL:
            return ""
        # The collapsed file joins both alike: "10_13".
        numbers, names = number.split("_"), name.split("_")
        if len(numbers) > 1:
            return _JOINT.join(names if len(names) == len(numbers) else numbers)
        return name if name not in _NO_SKILL else number


def _skill_reader(header: Sequence[str], edition: Edition) -> _Skills:
    name, number = (header.index(own) if own in header else -1 for own in edition.names)
    return _Skills(name, number)
