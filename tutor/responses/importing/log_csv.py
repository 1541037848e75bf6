"""The project's own log: a CSV with learner,item,correct and some optional columns.

Items that the course does not have become items that the learner works elsewhere and marks: a
log says which item was answered, not what it asked.
"""

import csv
import datetime as dt
import hashlib
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

from tutor.content.course_format import ConceptSpec, CourseSpec, ItemSpec
from tutor.responses.importing.dates import EARLIEST
from tutor.responses.importing.errors import UnreadableLog
from tutor.responses.importing.incoming import Incoming, IncomingAnswer, Reject
from tutor.responses.importing.log_rows import (
    OPTIONAL,
    READ,
    REQUIRED,
    BadCell,
    LogRow,
    read_row,
)
from tutor.responses.importing.naming import escape, slug_of

# Where a log has no times, answers are a minute apart from here on: the order is kept. Times that
# count from a start of the log's own count from here.
TIMELESS_START = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
TIMELESS_STEP = dt.timedelta(minutes=1)
LONGEST_SHOWING_MS = 86_400_000
# What a course made from a log says of itself; later logs may add to such a course.
SOURCE = "Imported from a log; the questions stand elsewhere."
UNNAMED = "Without a concept"
# The slug of the empty name, which no concept of a log has.
UNNAMED_SLUG = slug_of("")


def read(path: Path, *, title: str, slug: str, at: dt.datetime) -> Incoming:
    """Return the log in a CSV file, of which no row may lie after `at`.

    Raises:
        UnreadableLog: there is no such file, it is no CSV in UTF-8, or a required column misses.
    """
    rows: list[LogRow] = []
    rejects: list[Reject] = []
    warnings: list[str] = []
    for line, cells, places in _lines(path):
        try:
            rows.append(read_row(line, cells, places, at=at))
        except BadCell as bad:
            rejects.append(Reject(line, bad.field, bad.value, bad.reason))
    course_warnings: list[str] = []
    rows, moments = _settle_times(rows, rejects=rejects, warnings=warnings)
    warnings += _kept_columns(rows)
    rejects.sort(key=lambda reject: reject.line)
    return Incoming(
        format="csv",
        source=f"csv:{slug}",
        source_hash=hashlib.sha256(path.read_bytes()).hexdigest(),
        course=_course(rows, title=title, slug=slug, warnings=course_warnings),
        answers=_answers(rows, moments),
        rejects=rejects,
        warnings=warnings,
        course_warnings=course_warnings,
    )


def _lines(path: Path) -> Iterator[tuple[int, list[str], dict[str, int]]]:
    """Yield line, cells and the columns' places of every row that is not blank."""
    line = 0
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            # Strict: else a quote that is never closed swallows the rest of the file.
            reader = csv.reader(file, strict=True)
            places = _places(next(reader, []), name=path.name)
            for cells in reader:
                line = reader.line_num
                if any(cells):
                    yield line, cells, places
    except OSError as error:
        raise UnreadableLog(f"{path}: {error.strerror or error}.", path=str(path)) from error
    except UnicodeDecodeError as error:
        raise UnreadableLog(
            f"{path.name} is not text in UTF-8 ({error.reason}); save it as UTF-8."
        ) from error
    except csv.Error as error:
        raise UnreadableLog(
            f"{path.name} is not a CSV: {error}, in the row after line {line}. Is a quote open?"
        ) from error


def _places(header: Sequence[str], *, name: str) -> dict[str, int]:
    titles = [title.strip().lower() for title in header]
    missing = [column for column in REQUIRED if column not in titles]
    if missing:
        others = {";": "semicolons", "\t": "tabs"}
        separators = [word for sign, word in others.items() if any(sign in t for t in titles)]
        advice = f" Its values are separated by {separators[0]}; use commas." if separators else ""
        raise UnreadableLog(
            f"{name} lacks the column {', '.join(missing)}. Its first line must name "
            f"{', '.join(REQUIRED)} and may name {', '.join(OPTIONAL)}.{advice}",
            missing=missing,
        )
    twice = sorted({title for title in titles if titles.count(title) > 1 and title in READ})
    if twice:
        raise UnreadableLog(f"{name} names the column {', '.join(twice)} more than once.")
    if any("\x00" in title for title in titles):
        raise UnreadableLog(f"{name} has a NUL character in its first line; is it text?")
    # A column without a name, or named like an earlier one, still takes a place.
    places: dict[str, int] = {}
    for place, title in enumerate(titles):
        unique = title if title and title not in places else f"column {place + 1}"
        places[unique] = place
    return places


def _settle_times(
    rows: list[LogRow], *, rejects: list[Reject], warnings: list[str]
) -> tuple[list[LogRow], list[dt.datetime | None]]:
    """Return the rows that can stand in one order and the moment of each, None for all or none.

    All times are moments, or all are seconds from a start of the log's own, or there are none.
    """
    timed = [row for row in rows if row.time is not None]
    if not timed:
        if rows:
            warnings.append("No times in this log: the order counts, forgetting cannot be traced.")
        return rows, [None] * len(rows)
    relative = all(isinstance(row.time, float) for row in timed)
    kept: list[LogRow] = []
    moments: list[dt.datetime | None] = []
    for row in rows:
        if row.time is None:
            reason = "empty, while other rows have a time"
            rejects.append(Reject(row.line, "answered_at", "", reason))
        elif isinstance(row.time, float) and not relative:
            reason = f"before {EARLIEST.year} as epoch seconds, while other rows are not"
            rejects.append(Reject(row.line, "answered_at", f"{row.time:g}", reason))
        else:
            kept.append(row)
            moments.append(
                TIMELESS_START + dt.timedelta(seconds=row.time)
                if isinstance(row.time, float)
                else row.time
            )
    if relative:
        warnings.append(
            f"Times count from a start of their own: it is taken to be {TIMELESS_START:%Y-%m-%d}."
        )
    return kept, moments


def _kept_columns(rows: list[LogRow]) -> list[str]:
    kept = list(dict.fromkeys(column for row in rows for column in row.extra))
    return [f"Kept with each answer, as it stands: {', '.join(kept)}."] if kept else []


def _answers(rows: list[LogRow], moments: list[dt.datetime | None]) -> list[IncomingAnswer]:
    paired = sorted(
        zip(rows, moments, strict=True),
        key=lambda pair: (pair[0].learner, pair[1] or TIMELESS_START, pair[0].line),
    )
    slugs = {item: slug_of(item) for item in {row.item for row in rows}}
    answers: list[IncomingAnswer] = []
    for _, own in itertools.groupby(paired, key=lambda pair: pair[0].learner):
        for order, (row, moment) in enumerate(own):
            answered_at = moment or TIMELESS_START + order * TIMELESS_STEP
            answers.append(_answer(row, slugs[row.item], answered_at, is_timed=moment is not None))
    return answers


def _answer(row: LogRow, item: str, answered_at: dt.datetime, *, is_timed: bool) -> IncomingAnswer:
    presented_at = None
    if is_timed and row.elapsed_ms is not None:
        showing_ms = min(row.elapsed_ms, LONGEST_SHOWING_MS)
        presented_at = answered_at - dt.timedelta(milliseconds=showing_ms)
    is_correct = row.credit >= 1.0
    return IncomingAnswer(
        line=row.line,
        learner=row.learner,
        item=item,
        item_name=row.item,
        credit=row.credit,
        answered_at=answered_at,
        answer={"right": is_correct, **({"log": dict(row.extra)} if row.extra else {})},
        is_correct=is_correct,
        presented_at=presented_at,
        elapsed_ms=row.elapsed_ms,
        hints=row.hints,
        attempt=row.attempt,
    )


def _course(rows: list[LogRow], *, title: str, slug: str, warnings: list[str]) -> CourseSpec:
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
    named = any(concepts_of.values())
    if concepts_of and not named:
        warnings.append("No concepts in this log: the whole course counts as one.")
    concepts = {
        slug_of(name): ConceptSpec(slug_of(name), name, "")
        for own in concepts_of.values()
        for name in own
    }
    if any(not own for own in concepts_of.values()):
        concepts[UNNAMED_SLUG] = ConceptSpec(UNNAMED_SLUG, UNNAMED if named else title, "")
    return CourseSpec(
        slug=slug,
        title=title,
        language="en",
        concepts=tuple(concepts.values()),
        misconceptions=(),
        items=tuple(_item(name, own) for name, own in concepts_of.items()),
        source=SOURCE,
    )


def _item(name: str, concepts: tuple[str, ...]) -> ItemSpec:
    return ItemSpec(
        slug=slug_of(name),
        concepts=tuple(slug_of(concept) for concept in concepts) or (UNNAMED_SLUG,),
        kind="self_marked",
        stem=f"Work question **{escape(name)}** of your material, then mark it yourself.",
        file="log",
    )
