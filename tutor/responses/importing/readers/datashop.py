"""Transaction exports of PSLC DataShop: tab-separated, a row for each attempt or hint at a step.

An item is a step of a problem. A hint is no answer: it counts with the next attempt at the step
by the same student. Koedinger et al., A Data Repository for the EDM community, 2010; the columns
are those of its help on exports.
"""

import datetime as dt
import zoneinfo
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tutor.responses.importing.cells import LONGEST_NAME
from tutor.responses.importing.errors import UnreadableLog
from tutor.responses.importing.log_rows import RowReader
from tutor.responses.importing.mapping import ColumnMapping
from tutor.responses.importing.naming import slug_of
from tutor.responses.importing.readers.base import Request, take_rows
from tutor.responses.importing.sources import Source
from tutor.responses.importing.staging import Staging
from tutor.responses.importing.tables import read_table

TELLS = frozenset({"Anon Student Id", "Outcome", "Problem Name", "Time"})
_FIELDS = (
    "learner",
    "item",
    "correct",
    "concepts",
    "answered_at",
    "elapsed_ms",
    "hints",
    "attempt",
)
_JOINT = "~~"
# Models that say nothing of what is learnt: all is one skill, or every step its own.
_EMPTY_MODELS = ("single-kc", "unique-step")
_ABBREVIATIONS = {
    "EST": "America/New_York",
    "EDT": "America/New_York",
    "CST": "America/Chicago",
    "CDT": "America/Chicago",
    "MST": "America/Denver",
    "MDT": "America/Denver",
    "PST": "America/Los_Angeles",
    "PDT": "America/Los_Angeles",
}


def looks_like(header: Sequence[str]) -> bool:
    """Test whether a header is that of a transaction export."""
    return set(header) >= TELLS


class _Places(NamedTuple):
    student: int
    problem: int
    step: int
    view: int
    outcome: int
    time: int
    zone: int
    duration: int
    concepts: tuple[int, ...]


def read(source: Source, *, into: Staging, request: Request) -> None:
    """Read a transaction export.

    The knowledge component model is the first that says anything; a mapping whose `concepts` names
    a column chooses another.

    Raises:
        UnreadableLog: it is no transaction export.
    """
    given = request.mapping or ColumnMapping()
    table = read_table(source, delimiter="\t", encoding=given.encoding)
    if not looks_like(table.header):
        missing = ", ".join(sorted(TELLS - set(table.header)))
        raise UnreadableLog(f"{table.name} is no DataShop transaction export: it lacks {missing}.")
    model = given.columns["concepts"][0] if "concepts" in given.columns else _model(table.header)
    if model and model not in table.header:
        raise UnreadableLog(f"{table.name} has no column {model}.")
    places = _places(table.header, model)
    mapping = ColumnMapping(
        columns={field: (field,) for field in _FIELDS}, separator=_JOINT, elapsed_unit="seconds"
    )
    reader = RowReader(_FIELDS, mapping, name=table.name, at=request.at)
    left = Counter[str]()
    rows = _attempts(table.rows, places, left)
    take_rows(reader, rows, into=into, request=request, titles=_TITLES | {"concepts": model})
    into.warnings.append(
        f"Concepts are those of {model}." if model else "The export names no knowledge components."
    )
    if left["hint"]:
        into.warnings.append(f"{left['hint']} rows are hints and count with the next attempt.")
    if left["other"]:
        into.warnings.append(f"{left['other']} rows are neither attempt nor hint and stay out.")
    into.settle(merge_skills=False)


_TITLES = {
    "learner": "Anon Student Id",
    "item": "Problem Name + Step Name",
    "correct": "Outcome",
    "answered_at": "Time",
    "elapsed_ms": "Duration (sec)",
}


def _model(header: Sequence[str]) -> str:
    models = list(dict.fromkeys(title for title in header if title.startswith("KC (")))
    telling = [m for m in models if not any(word in m.lower() for word in _EMPTY_MODELS)]
    return next(iter(telling or models), "")


def _places(header: Sequence[str], model: str) -> _Places:
    def place(title: str) -> int:
        return header.index(title) if title in header else -1

    return _Places(
        student=place("Anon Student Id"),
        problem=place("Problem Name"),
        step=place("Step Name"),
        view=place("Problem View"),
        outcome=place("Outcome"),
        time=place("Time"),
        zone=place("Time Zone"),
        duration=place("Duration (sec)"),
        # A step of several components has as many columns of the same title.
        concepts=tuple(n for n, title in enumerate(header) if model and title == model),
    )


def _attempts(
    rows: Iterator[tuple[int, list[str]]], places: _Places, left: Counter[str]
) -> Iterator[tuple[int, list[str]]]:
    """Yield the attempts in canonical columns, with the hints and attempts before each."""
    before: dict[tuple[str, str, str], list[int]] = {}
    for line, cells in rows:

        def cell(place: int, cells: list[str] = cells) -> str:
            return cells[place].strip() if 0 <= place < len(cells) else ""

        student, item = cell(places.student), _item(cell(places.problem), cell(places.step))
        outcome = cell(places.outcome).upper()
        known = before.setdefault((student, item, cell(places.view)), [0, 0])
        if outcome == "HINT":
            known[0] += 1
            left["hint"] += 1
            continue
        if outcome not in {"CORRECT", "INCORRECT"}:
            left["other"] += 1
            continue
        known[1] += 1
        concepts = dict.fromkeys(cell(place) for place in places.concepts)
        duration = cell(places.duration)
        yield (
            line,
            [
                student,
                item,
                "1" if outcome == "CORRECT" else "0",
                _JOINT.join(name for name in concepts if name),
                _moment(cell(places.time), cell(places.zone)),
                "" if duration in {".", "?"} else duration,
                str(known[0]),
                str(known[1]),
            ],
        )


def _item(problem: str, step: str) -> str:
    name = f"{problem} / {step}" if step else problem
    if len(name) <= LONGEST_NAME:
        return name
    # Steps may be whole sentences; the fingerprint keeps them apart.
    return f"{name[: LONGEST_NAME - 20]} {slug_of(name)[-12:]}"


def _moment(time: str, zone: str) -> str:
    """Return the time with its zone's offset; as it stands where nobody knows the zone."""
    if not time or not zone:
        return time
    try:
        info = zoneinfo.ZoneInfo(_ABBREVIATIONS.get(zone, zone))
        moment = dt.datetime.fromisoformat(time)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return time
    return time if moment.tzinfo else moment.replace(tzinfo=info).isoformat()
