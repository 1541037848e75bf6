"""The project's own log: a CSV with learner,item,correct and some optional columns.

Items that the course does not have become items that the learner works elsewhere and marks: a
log says which item was answered, not what it asked.
"""

import csv
import datetime as dt
import hashlib
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.utils.text import slugify

from tutor.content.course_format import ConceptSpec, CourseSpec, ItemSpec
from tutor.responses.importing.dates import read_moment
from tutor.responses.importing.errors import UnreadableLog
from tutor.responses.importing.incoming import Incoming, IncomingAnswer, Reject

REQUIRED = ("learner", "item", "correct")
OPTIONAL = ("concepts", "answered_at", "elapsed_ms", "hints", "attempt", "group")
# Where a log has no times, answers are a minute apart from here on: the order is kept.
TIMELESS_START = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
TIMELESS_STEP = dt.timedelta(minutes=1)
NO_CONCEPT = "unassigned"


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    learner: str
    item: str
    credit: float
    concepts: tuple[str, ...]
    answered_at: dt.datetime | None
    elapsed_ms: int | None
    hints: int
    attempt: int


class _Bad(ValueError):
    def __init__(self, field: str, value: str, reason: str) -> None:
        super().__init__(reason)
        self.field, self.value, self.reason = field, value, reason


def read(path: Path, *, title: str, slug: str) -> Incoming:
    """Return the log in a CSV file.

    Raises:
        UnreadableLog: there is no such file, it is no CSV in UTF-8, or a required column misses.
    """
    rows: list[_Row] = []
    rejects: list[Reject] = []
    for line, fields in _lines(path):
        try:
            rows.append(_row(line, fields))
        except _Bad as bad:
            rejects.append(Reject(line, bad.field, bad.value, bad.reason))
    warnings: list[str] = []
    timed = [row for row in rows if row.answered_at is not None]
    if timed and len(timed) < len(rows):
        rejects += [
            Reject(row.line, "answered_at", "", "empty, while other rows have a time")
            for row in rows
            if row.answered_at is None
        ]
        rows = timed
    elif not timed and rows:
        warnings.append("No times in this log: the order counts, forgetting cannot be traced.")
    slugs = unique_slugs(dict.fromkeys(row.item for row in rows))
    return Incoming(
        format="csv",
        source=f"csv:{slug}",
        source_hash=hashlib.sha256(path.read_bytes()).hexdigest(),
        course=_course(rows, slugs, title=title, slug=slug, warnings=warnings),
        answers=_answers(rows, slugs),
        rejects=rejects,
        warnings=warnings,
    )


def _lines(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    if not path.is_file():
        raise UnreadableLog(f"{path} is not a file.", path=str(path))
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            missing = [name for name in REQUIRED if name not in (reader.fieldnames or [])]
            if missing:
                raise UnreadableLog(
                    f"{path.name} lacks the column {', '.join(missing)}. Its first line must name "
                    f"{', '.join(REQUIRED)} and may name {', '.join(OPTIONAL)}.",
                    missing=missing,
                )
            for fields in reader:
                yield reader.line_num, fields
    except UnicodeDecodeError as error:
        raise UnreadableLog(f"{path.name} is not text in UTF-8: {error}.") from error
    except csv.Error as error:
        raise UnreadableLog(f"{path.name} is not a CSV: {error}.") from error


def _row(line: int, fields: dict[str, str]) -> _Row:
    if None in fields:
        raise _Bad("", str(fields[None])[:80], "more fields than the first line has names")  # type: ignore[index]
    return _Row(
        line=line,
        learner=_name(fields, "learner"),
        item=_name(fields, "item"),
        credit=_credit(fields),
        concepts=tuple(
            dict.fromkeys(c.strip() for c in (fields.get("concepts") or "").split("|") if c.strip())
        ),
        answered_at=_moment(fields),
        elapsed_ms=_whole(fields, "elapsed_ms", default=None),
        hints=_whole(fields, "hints", default=0) or 0,
        attempt=_whole(fields, "attempt", default=1, low=1) or 1,
    )


def _name(fields: dict[str, str], field: str) -> str:
    value = (fields.get(field) or "").strip()
    if not value:
        raise _Bad(field, "", "empty")
    if len(value) > 200:
        raise _Bad(field, value[:80], "longer than 200 characters")
    return value


def _credit(fields: dict[str, str]) -> float:
    value = (fields.get("correct") or "").strip()
    words = {"true": 1.0, "false": 0.0}
    try:
        credit = words[value.lower()] if value.lower() in words else float(value)
    except ValueError:
        raise _Bad("correct", value, "not a number from 0 to 1") from None
    if not 0.0 <= credit <= 1.0:
        raise _Bad("correct", value, "not from 0 to 1")
    return credit


def _moment(fields: dict[str, str]) -> dt.datetime | None:
    value = (fields.get("answered_at") or "").strip()
    if not value:
        return None
    try:
        return read_moment(value)
    except ValueError as error:
        raise _Bad("answered_at", value, str(error)) from error


def _whole(fields: dict[str, str], field: str, *, default: int | None, low: int = 0) -> int | None:
    value = (fields.get(field) or "").strip()
    if not value:
        return default
    try:
        number = round(float(value))
    except (ValueError, OverflowError):
        raise _Bad(field, value, "not a number") from None
    if not low <= number <= (2**53 if field == "elapsed_ms" else 32_000):
        raise _Bad(field, value, f"out of range, from {low} on")
    return number


def _answers(rows: list[_Row], slugs: dict[str, str]) -> list[IncomingAnswer]:
    rows = sorted(rows, key=lambda row: (row.learner, row.answered_at or TIMELESS_START, row.line))
    answers: list[IncomingAnswer] = []
    for _, own in itertools.groupby(rows, key=lambda row: row.learner):
        for order, row in enumerate(own):
            answered_at = row.answered_at or TIMELESS_START + order * TIMELESS_STEP
            answers.append(
                IncomingAnswer(
                    line=row.line,
                    learner=row.learner,
                    item=slugs[row.item],
                    credit=row.credit,
                    answered_at=answered_at,
                    answer={"right": row.credit >= 1.0},
                    is_correct=row.credit >= 1.0,
                    presented_at=_presented_at(row),
                    elapsed_ms=row.elapsed_ms,
                    hints=row.hints,
                    attempt=row.attempt,
                )
            )
    return answers


def _presented_at(row: _Row) -> dt.datetime | None:
    if row.answered_at is None or row.elapsed_ms is None:
        return None
    return row.answered_at - dt.timedelta(milliseconds=min(row.elapsed_ms, 86_400_000))


def _course(
    rows: Iterable[_Row], slugs: dict[str, str], *, title: str, slug: str, warnings: list[str]
) -> CourseSpec:
    concepts_of: dict[str, tuple[str, ...]] = {}
    disagreeing = set()
    for row in rows:
        if concepts_of.setdefault(row.item, row.concepts) != row.concepts:
            disagreeing.add(row.item)
    if disagreeing:
        warnings.append(
            f"{len(disagreeing)} items carry different concepts in different rows; "
            f"the first row counts (for example {min(disagreeing)})."
        )
    names = list(dict.fromkeys(c for own in concepts_of.values() for c in own))
    if any(not own for own in concepts_of.values()):
        names.append(NO_CONCEPT)
    concept_slugs = unique_slugs(names)
    items = tuple(
        ItemSpec(
            slug=slugs[item],
            concepts=tuple(concept_slugs[name] for name in own or (NO_CONCEPT,)),
            kind="self_marked",
            stem=f"Work question **{escape(item)}** of your material, then mark it yourself.",
            file="log",
        )
        for item, own in concepts_of.items()
    )
    return CourseSpec(
        slug=slug,
        title=title,
        language="en",
        concepts=tuple(ConceptSpec(concept_slugs[name], name[:200], "") for name in names),
        misconceptions=(),
        items=items,
        source="Imported from a log; the questions stand elsewhere.",
    )


def escape(text: str) -> str:
    """Return the text without the characters that the markup reads as formatting."""
    return "".join("" if character in "$*`[]" else character for character in text)


def unique_slugs(names: Iterable[str]) -> dict[str, str]:
    """Return name -> slug; equal slugs of different names get a number.

    >>> unique_slugs(["Ein mal eins", "ein-mal-eins"])
    {'Ein mal eins': 'ein-mal-eins', 'ein-mal-eins': 'ein-mal-eins-2'}
    """
    slugs: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        base = slugify(name)[:90] or "x"
        slug, number = base, 1
        while slug in taken:
            number += 1
            slug = f"{base}-{number}"
        taken.add(slug)
        slugs[name] = slug
    return slugs
