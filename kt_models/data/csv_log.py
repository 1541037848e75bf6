"""The project's own log CSV: the one format that every door reads and the export writes.

Columns `learner,item,correct` are required; `concepts` (joined by |), `answered_at` (ISO 8601 or
epoch seconds), `elapsed_ms`, `hints`, `attempt`, `is_pilot`, `group` are optional; others are
ignored. An answer with hints, or after a first attempt at the same showing, counts as assisted.
`is_pilot` (1 where the item was only tried out) is checked and not used: a model may learn from all
answers, while the tutor keeps such an answer out of the learner's mastery. The tutor's
import has the same rules for what a cell may say; a test holds the two against each other. Only the
tutor, which knows what time it is, refuses answers from the future.
"""

import csv
import datetime as dt
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from kt_models.data.log import ResponseLog, build_log
from kt_models.errors import KTModelError

REQUIRED = ("learner", "item", "correct")
READ = (*REQUIRED, "concepts", "answered_at", "elapsed_ms", "hints", "attempt", "is_pilot")
SHOWN_PROBLEMS = 10
LONGEST_NAME = 200
# A cell that begins so is run by a spreadsheet that opens an export.
_FORMULA = ("=", "@", "+", "-")
MOST_MS = 2**53
MOST = 32_000
# Epoch seconds of 1990 and 2100. Before are only times from a start of the log's own; after,
# milliseconds.
EARLIEST, LATEST = 631_152_000.0, 4_102_444_800.0
# 20260901 means a day to whoever wrote it, and would be 234 days as seconds.
_DAY = re.compile(r"(?:19[89]|20\d)\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])", re.ASCII)
_Value = TypeVar("_Value", str, float, tuple[str, ...])


class LogUnreadable(KTModelError):
    """A log cannot be read; the message lists line, field, value and what to write instead."""


class _Reader(Protocol):
    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...


@dataclass(slots=True)
class _Columns:
    """One list per field, filled row by row."""

    learner: list[str] = field(default_factory=list)
    item: list[str] = field(default_factory=list)
    concepts: list[tuple[str, ...]] = field(default_factory=list)
    correct: list[float] = field(default_factory=list)
    answered_at: list[float] = field(default_factory=list)
    elapsed_ms: list[float] = field(default_factory=list)
    hints: list[float] = field(default_factory=list)
    attempt: list[float] = field(default_factory=list)


def read_csv(path: Path, *, progress: Callable[[int], object] | None = None) -> ResponseLog:
    """Return the log in a CSV file (UTF-8, with or without byte order mark).

    Args:
        path: the file.
        progress: called now and then with the number of rows read so far.

    Raises:
        LogUnreadable: no such file, a column is missing, a value cannot be read, or no row.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return parse_csv(file, name=str(path), progress=progress)
    except OSError as error:
        raise LogUnreadable(f"{path}: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise LogUnreadable(
            f"{path}: not UTF-8 text ({error.reason}); save it as UTF-8."
        ) from error
    except csv.Error as error:
        raise LogUnreadable(f"{path}: not a CSV file ({error}).") from error


def parse_csv(
    lines: Iterable[str], *, name: str = "log", progress: Callable[[int], object] | None = None
) -> ResponseLog:
    """Return the log in the lines of a CSV; see `read_csv`."""
    # Strict: else a quote that is never closed swallows the rest of the file.
    reader = csv.reader(lines, strict=True)
    places, columns, problems = _places(next(reader, []), name=name), _Columns(), list[str]()
    for count, (line, row) in enumerate(_rows(reader)):
        problems += [f"{name}, line {line}, {text}" for text in _read_row(row, places, columns)]
        if len(problems) >= SHOWN_PROBLEMS:
            break
        if progress is not None and count % 10_000 == 9_999:
            progress(count + 1)
    if problems:
        raise LogUnreadable("\n".join(problems[:SHOWN_PROBLEMS]))
    if not columns.item:
        raise LogUnreadable(f"{name}: there is no answer below the header.")
    return _log_of(columns)


def _places(header: Sequence[str], *, name: str) -> dict[str, int]:
    """Return the place of every column, by title."""
    titles = [title.strip().lower() for title in header]
    missing = [title for title in REQUIRED if title not in titles]
    if missing:
        found = ", ".join(titles) or "nothing"
        msg = f"{name}, line 1: column {', '.join(missing)} is missing; found {found}."
        raise LogUnreadable(msg + " The first line must name learner, item and correct.")
    twice = [title for title in READ if titles.count(title) > 1]
    if twice:
        raise LogUnreadable(f"{name}, line 1: column {', '.join(twice)} is named more than once.")
    if any("\x00" in title for title in titles):
        raise LogUnreadable(f"{name}, line 1: holds a NUL character; is it text?")
    return {title or f"column {place}": place for place, title in enumerate(titles)}


def _rows(reader: "_Reader") -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, cells) of every row that is not blank."""
    for row in reader:
        if any(row):
            # csv counts physical lines, so a quoted line break does not shift the numbers.
            yield reader.line_num, row


def _read_row(row: Sequence[str], places: dict[str, int], columns: _Columns) -> list[str]:
    """Append one row to the columns and return what could not be read in it."""

    def cell(title: str) -> str:
        place = places.get(title, len(row))
        return row[place].strip() if place < len(row) else ""

    problems: list[str] = []
    if any(cell.strip() for cell in row[max(places.values()) + 1 :]):
        problems.append("more cells than the first line names; quote a comma.")
    others = (title for title in places if title not in READ)
    problems.extend(f"{title}: holds a NUL character." for title in others if "\x00" in cell(title))

    def take(title: str, read: Callable[[str], _Value], otherwise: _Value) -> _Value:
        text = cell(title)
        try:
            return read(text)
        except ValueError as error:
            problems.append(f"{title} = {text!r}: {error}")
            return otherwise

    columns.learner.append(take("learner", _name, ""))
    columns.item.append(take("item", _name, ""))
    columns.correct.append(take("correct", _correct, 0.0))
    columns.concepts.append(take("concepts", _concepts, ()))
    columns.answered_at.append(take("answered_at", _moment, 0.0))
    columns.elapsed_ms.append(take("elapsed_ms", _amount, 0.0))
    columns.hints.append(take("hints", lambda text: _count(text, low=0), 0.0))
    columns.attempt.append(take("attempt", lambda text: _count(text, low=1), 1.0))
    take("is_pilot", _yes_or_no, 0.0)
    return problems


def _name(text: str) -> str:
    if not text:
        raise ValueError("is empty; give every answer a name here.")
    if len(text) > LONGEST_NAME or "\x00" in text:
        raise ValueError(f"is longer than {LONGEST_NAME} characters or holds a NUL.")
    if text.startswith(_FORMULA) and not _is_number(text):
        raise ValueError("begins like a formula of a spreadsheet; put another character first.")
    return text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _concepts(text: str) -> tuple[str, ...]:
    return tuple(_name(name) for name in map(str.strip, text.split("|")) if name)


def _correct(text: str) -> float:
    value = {"true": 1.0, "false": 0.0}.get(text.lower())
    if value is None:
        value = _number(text, "write 1 for right, 0 for wrong, or between them for part credit.")
    if not 0.0 <= value <= 1.0:
        raise ValueError("must be between 0 and 1.")
    return value


def _amount(text: str) -> float:
    """Return a duration; nan if the cell is empty."""
    if not text:
        return math.nan
    value = _number(text, "write a number or leave it empty.")
    if value < 0.0:
        raise ValueError("must not be negative; leave it empty if unknown.")
    if value > MOST_MS:
        raise ValueError("is out of range; leave it empty if unknown.")
    return value


def _count(text: str, *, low: int) -> float:
    """Return a whole number; the least one if the cell is empty."""
    if not text:
        return float(low)
    value = _number(text, "write a number or leave it empty.")
    if value < low:
        raise ValueError(f"must not be {'negative' if low == 0 else f'below {low}'}.")
    if value != int(value) or value > MOST:
        raise ValueError(f"is not a whole number up to {MOST}.")
    return value


def _yes_or_no(text: str) -> float:
    """Return 1 for yes, 0 for no; nan if the cell is empty."""
    if not text:
        return math.nan
    value = {"true": 1.0, "false": 0.0}.get(text.lower())
    if value is None:
        value = _number(text, "write 1 for yes, 0 for no, or leave it empty.")
    if value not in (0.0, 1.0):
        raise ValueError("is neither 1, for yes, nor 0; leave it empty if unknown.")
    return value


def _number(text: str, advice: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"is not a number; {advice}") from None
    if not math.isfinite(value):
        raise ValueError(f"is not a finite number; {advice}")
    return value


def _moment(text: str) -> float:
    """Return epoch seconds; nan if the cell is empty; a time without zone is UTC."""
    if not text:
        return math.nan
    if _DAY.fullmatch(text):
        day = f"{text[:4]}-{text[4:6]}-{text[6:]}"
        raise ValueError(f"reads as a day; write {day} for that, or {text}.0 if it counts seconds.")
    try:
        seconds = float(text)
    except ValueError:
        return _calendar_moment(text)
    if not 0.0 <= seconds < LATEST:
        raise ValueError("is no epoch time in seconds; divide milliseconds by 1000.")
    return seconds


def _calendar_moment(text: str) -> float:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        advice = "write ISO 8601 (2026-03-01T14:05:00Z) or epoch seconds."
        raise ValueError(f"is not a time; {advice}") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    if (
        not dt.datetime.fromtimestamp(EARLIEST, dt.UTC)
        <= moment
        < dt.datetime.fromtimestamp(LATEST, dt.UTC)
    ):
        raise ValueError("is not between 1990 and 2100.")
    return moment.timestamp()


def _log_of(columns: _Columns) -> ResponseLog:
    answered_at = np.array(columns.answered_at)
    timeless = np.isnan(answered_at)
    if timeless.any() and not timeless.all():
        first = int(np.argmax(timeless))
        who = f"learner {columns.learner[first]}, item {columns.item[first]}"
        msg = f"answered_at is empty for {int(timeless.sum())} answers, the first by {who}."
        raise LogUnreadable(msg + " Give all answers a time or none.")
    _check_one_clock(answered_at)
    return build_log(
        learners=columns.learner,
        items=columns.item,
        concepts=columns.concepts,
        correct=np.array(columns.correct),
        answered_at=None if timeless.all() else answered_at,
        shown_at=answered_at - np.array(columns.elapsed_ms) / 1000.0,
        assisted=(np.array(columns.hints) > 0.0) | (np.array(columns.attempt) > 1.0),
    )


def _check_one_clock(answered_at: NDArray[np.float64]) -> None:
    """Refuse times of which only some can be epoch seconds."""
    early = answered_at < EARLIEST
    if early.any() and (answered_at >= EARLIEST).any():
        first = float(answered_at[early][0])
        msg = f"answered_at = {first:g} is before 1990 as epoch seconds, others are not."
        raise LogUnreadable(msg + " Count all times from one start.")
