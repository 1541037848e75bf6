"""A first guess at what the columns of a table mean, from their titles and what stands in them."""

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping, Sequence

from tutor.responses.importing.dates import (
    EARLIEST,
    LATEST,
    read_formatted,
    read_log_time,
    reads_as_day,
)
from tutor.responses.importing.log_rows import WORDS, unique_titles
from tutor.responses.importing.mapping import FIELDS, OPTIONAL, REQUIRED, ColumnMapping

# The project's own columns; whoever uses these names means them.
OWN = frozenset({*REQUIRED, *OPTIONAL} - {"order"})
# Words of titles, letters and digits only, likeliest first.
_TITLES: dict[str, tuple[str, ...]] = {
    "learner": (
        *("learner", "learnerid", "anonstudentid", "studentid", "student", "userid", "user"),
        *("uid", "pupil", "pupilid", "participant", "participantid", "personid", "schuler"),
        *("schüler", "schülerin", "eleve", "élève", "estudiante", "alumno"),
    ),
    "item": (
        *("item", "itemid", "problemid", "questionid", "problem", "question", "exerciseid"),
        *("exercise", "qid", "taskid", "task", "contentid", "itemname", "problemname", "aufgabe"),
        *("frage", "exercice", "ejercicio", "pregunta"),
    ),
    "correct": (
        *("correct", "iscorrect", "answeredcorrectly", "outcome", "answerstate", "result", "right"),
        *("score", "credit", "success", "grade", "points", "correctfirstattempt", "richtig"),
        *("punkte", "ergebnis", "responsecorrect", "isright", "ok"),
    ),
    "concepts": (
        *("concepts", "concept", "skillname", "skills", "skill", "skillid", "kcids", "kcs", "kc"),
        *("knowledgecomponents", "knowledgecomponent", "conceptid", "conceptname", "topic"),
        *("topics", "tags", "tag", "thema", "kompetenz"),
    ),
    "answered_at": (
        *("answeredat", "timestamp", "submittedat", "endtime", "time", "datetime", "finishedat"),
        *("createdat", "starttime", "date", "unixtime", "zeit", "datum", "zeitpunkt", "fecha"),
    ),
    "order": ("orderid", "order", "sequence", "step", "rownumber"),
    "elapsed_ms": (
        *("elapsedms", "durationms", "msfirstresponse", "responsetimems", "elapsedtime"),
        *("duration", "responsetime", "timetaken", "timespent", "latency", "dauer"),
    ),
    "hints": ("hints", "hintcount", "hintsused", "hintused", "numhints", "hinttotal", "hinweise"),
    "attempt": ("attempt", "attemptnumber", "attemptno", "tries", "versuch"),
    "is_pilot": ("ispilot", "pilotitem", "isfieldtest", "fieldtest"),
}
# Signs that join several concepts in a cell, likeliest first; each needs something on both sides.
_JOINTS = ("|", "~~", ";", ",")
_NUMBERS_JOINED = re.compile(r"\d+(?:_\d+)+")
_FITTING = 0.95
# Day first or month first shows only where a day is above 12; where both fit, neither is taken.
_DAYS = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y")
_HOURS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_PATTERNS = tuple(day + hour for day in _DAYS for hour in _HOURS)
# So few rows may well have one time.
_FEW = 20


def is_own_format(header: Sequence[str]) -> bool:
    """Test whether the titles are the project's own."""
    return {*REQUIRED} <= {title.strip().lower() for title in header}


def guess_mapping(
    header: Sequence[str],
    sample: Sequence[Sequence[str]],
    *,
    delimiter: str,
    encoding: str,
    named: Mapping[str, tuple[str, ...]],
) -> ColumnMapping:
    """Return what the columns seem to mean; what cannot be guessed is left out.

    Args:
        header: titles of the columns.
        sample: the first rows as text.
        delimiter: what separates the cells.
        encoding: of the text.
        named: field -> columns that somebody named already.
    """
    if is_own_format(header):
        own = _own(header, delimiter=delimiter, encoding=encoding)
        return own.changed(columns=named)
    cells = _cells(header, sample)
    columns: dict[str, tuple[str, ...]] = dict(named)
    for field in FIELDS:
        if field in columns:
            continue
        found = _find(field, cells, taken={name for names in columns.values() for name in names})
        if found is not None:
            columns[field] = (found,)
    if "answered_at" in columns and "order" not in named:
        columns.pop("order", None)
    concepts, times = (
        cells.get(columns[field][0], []) if field in columns else []
        for field in ("concepts", "answered_at")
    )
    return ColumnMapping(
        columns=columns,
        separator=_joint(concepts) if concepts else "|",
        time_unit=_time_unit(times),
        time_format=guess_time_format(times),
        elapsed_unit=_elapsed_unit(columns, cells),
        delimiter=delimiter,
        encoding=encoding,
    )


def _cells(header: Sequence[str], sample: Sequence[Sequence[str]]) -> dict[str, list[str]]:
    return {
        title: [row[place].strip() for row in sample if place < len(row) and row[place].strip()]
        for place, title in enumerate(unique_titles(header))
    }


def _own(header: Sequence[str], *, delimiter: str, encoding: str) -> ColumnMapping:
    titles = {title.strip().lower() for title in header}
    return ColumnMapping(
        columns={field: (field,) for field in FIELDS if field in titles & OWN},
        # What else our own format holds is kept with the answer, `group` included.
        keep=tuple(t for t in unique_titles(header) if t.lower() not in OWN),
        delimiter=delimiter,
        encoding=encoding,
    )


def plain(title: str) -> str:
    """Return the letters and digits of a title, small.

    >>> plain("Anon Student Id")
    'anonstudentid'
    """
    return "".join(sign for sign in title.lower() if sign.isalnum())


def _find(field: str, cells: dict[str, list[str]], *, taken: set[str]) -> str | None:
    fits = _CONTENT.get(field)
    candidates = [title for title in cells if title not in taken]
    by_title = {plain(title): title for title in reversed(candidates)}
    for word in _TITLES[field]:
        title = by_title.get(word)
        if title is not None and (fits is None or fits(cells[title])):
            return title
    return None


def _share(values: list[str], test: Callable[[str], bool]) -> bool:
    return not values or sum(map(test, values)) >= _FITTING * len(values)


def _as_number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _is_score(value: str) -> bool:
    number = _as_number(value.removesuffix("%").strip().replace(",", "."))
    return value.lower() in WORDS or (number is not None and number >= 0.0)


def guess_time_format(values: Sequence[str]) -> str:
    """Return the one usual pattern that all the times have; '' where none or several fit.

    >>> guess_time_format(["03/31/2026 10:30 PM", "04/01/2026 9:15 AM"])
    '%m/%d/%Y %I:%M %p'
    """
    fitting = [form for form in _PATTERNS if values and all(_has_form(v, form) for v in values)]
    return fitting[0] if len(fitting) == 1 else ""


def _has_form(value: str, form: str) -> bool:
    try:
        read_formatted(value, form=form, zone=dt.UTC)
    except ValueError:
        return False
    return True


def _is_time(value: str) -> bool:
    number = _as_number(value)
    if number is not None:
        return number >= 0.0
    try:
        read_log_time(value)
    except ValueError:
        return False
    return True


def _is_amount(value: str) -> bool:
    return _as_number(value) is not None


def _is_count(value: str) -> bool:
    number = _as_number(value)
    return value.lower() in {"true", "false"} or (number is not None and number == int(number))


def _is_yes_or_no(value: str) -> bool:
    return value.lower() in WORDS or _as_number(value) in (0.0, 1.0)


_CONTENT: dict[str, Callable[[list[str]], bool]] = {
    "correct": lambda values: _share(values, _is_score),
    # A column of one value is no clock.
    "answered_at": lambda v: (
        (_share(v, _is_time) or guess_time_format(v) != "") and (len(set(v)) > 1 or len(v) < _FEW)
    ),
    "order": lambda values: _share(values, _is_amount),
    "elapsed_ms": lambda values: _share(values, _is_amount),
    "hints": lambda values: _share(values, _is_count),
    "attempt": lambda values: _share(values, _is_count),
    "is_pilot": lambda values: _share(values, _is_yes_or_no),
}


def _joint(values: list[str]) -> str:
    for sign in _JOINTS:
        if any(sign in value.strip(sign) for value in values):
            return sign
    if values and any(_NUMBERS_JOINED.fullmatch(value) for value in values):
        return "_"
    return ""


def _time_unit(values: list[str]) -> str:
    numbers = [number for number in map(_as_number, values) if number is not None]
    if not numbers or len(numbers) < len(values):
        return "auto"
    first, last = EARLIEST.timestamp(), LATEST.timestamp()
    for unit, size in (("seconds", 1.0), ("milliseconds", 1e3), ("microseconds", 1e6)):
        if all(first <= number / size < last for number in numbers):
            return unit
    # Seconds since a start of the log's own, unless each reads as a day.
    return "auto" if all(map(reads_as_day, values)) else "seconds"


def _elapsed_unit(columns: dict[str, tuple[str, ...]], cells: dict[str, list[str]]) -> str:
    if "elapsed_ms" not in columns:
        return "milliseconds"
    title = columns["elapsed_ms"][0]
    if "ms" in plain(title) or "milli" in plain(title):
        return "milliseconds"
    numbers = sorted(n for n in map(_as_number, cells.get(title, [])) if n is not None)
    # Nobody answers in a third of a second on the whole, and few take five minutes.
    median = numbers[len(numbers) // 2] if numbers else 1000.0
    return "seconds" if median < 300.0 else "milliseconds"


def unread_times(header: Sequence[str], mapping: ColumnMapping) -> list[str]:
    """Return a warning where a log comes in without times though a column is titled like one."""
    if "answered_at" in mapping.columns:
        return []
    used = {name for names in mapping.columns.values() for name in names}
    found = [t for t in header if plain(t) in _TITLES["answered_at"] and t not in used]
    return [
        f"{title} is titled like a time and is not read: if answers were given then, name it for "
        "answered_at and say its time_format, such as %d.%m.%Y %H:%M."
        for title in found
    ]


def find_problems(
    header: Sequence[str], sample: Sequence[Sequence[str]], mapping: ColumnMapping
) -> list[str]:
    """Return what has to be named or changed before the table can be read, in words."""
    if header and all(_as_number(title) is not None for title in header):
        return [
            "The first line holds numbers, no titles: put a line with the columns' names first."
        ]
    problems = [f"No column looks like {field}: name it." for field in mapping.missing]
    named = [name for names in mapping.columns.values() for name in names] + [*mapping.keep]
    lowered = {title.lower() for title in unique_titles(header)}
    problems += [f"There is no column {name}." for name in named if name.lower() not in lowered]
    if problems or is_own_format(header):
        return problems
    cells = _cells(header, sample)
    titles = unique_titles(header)
    column = next(t for t in titles if t.lower() == mapping.columns["correct"][0].lower())
    numbers = [number for number in map(_as_number, cells[column]) if number is not None]
    above = [number for number in numbers if mapping.full_score < number < math.inf]
    # A few such cells are mistakes and will be rejected; many are another scale.
    if len(above) > (1.0 - _FITTING) * len(numbers):
        most = max(above)
        problems.append(
            f"{column} goes up to {most:g}, where {mapping.full_score:g} is a right answer: "
            "say what the full score is."
        )
    return problems
