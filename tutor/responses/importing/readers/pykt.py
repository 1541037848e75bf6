"""Sequences as pyKT's preprocessing writes them, six lines a learner, and DKT's three lines.

Six: `uid,length`, questions, concepts (several joined by `_`), responses, times in milliseconds,
response times in milliseconds; a line that only says NA holds nothing. Three: length, concepts,
responses. Liu et al., pyKT, NeurIPS 2022; Zhang et al., DKVMN, WWW 2017.
"""

import itertools
from collections.abc import Iterator

from tutor.responses.importing.errors import UnreadableLog
from tutor.responses.importing.log_rows import RowReader
from tutor.responses.importing.mapping import ColumnMapping
from tutor.responses.importing.readers.base import Request, take_rows
from tutor.responses.importing.sources import Source
from tutor.responses.importing.staging import Staging
from tutor.responses.importing.tables import read_lines

# A learner's whole history stands on one line.
LONGEST_LINE = 2**24
_FIELDS = ("learner", "item", "correct", "concepts", "answered_at", "elapsed_ms")
_NOTHING = frozenset({"NA", "na", "NaN", "nan", "None", ""})
# Times from here on can only be milliseconds; seconds would lie past the year 5000.
_MILLISECONDS = 1e11
_SECONDS = 6e8


def looks_like(lines: list[str]) -> bool:
    """Test whether the first lines of a text are such sequences."""
    if len(lines) < 3:
        return False
    return _is_six(lines) or _is_three(lines)


def _is_six(lines: list[str]) -> bool:
    head = lines[0].strip().split(",")
    if len(lines) < 6 or len(head) != 2 or not head[1].strip().isdecimal():
        return False
    return len(lines[3].split(",")) == int(head[1]) and set(lines[3].strip()) <= set("01,. ")


def _is_three(lines: list[str]) -> bool:
    head = lines[0].strip().rstrip(",")
    return (
        head.isdecimal()
        and len(_cells(lines[1])) == int(head) == len(_cells(lines[2]))
        and set(lines[2].strip()) <= set("01,. ")
    )


def _cells(line: str) -> list[str]:
    cells = [cell.strip() for cell in line.strip().split(",")]
    return cells[:-1] if cells and not cells[-1] else cells


def read(source: Source, *, into: Staging, request: Request) -> None:
    """Read sequences of either form.

    Raises:
        UnreadableLog: they are neither.
    """
    member = source.single()
    lines = read_lines(member, encoding="utf-8", longest=LONGEST_LINE)
    first = list(itertools.islice(lines, 6))
    if not looks_like(first):
        raise UnreadableLog(
            f"{member.name} is neither pyKT's six lines a learner (uid,length; questions; "
            "concepts; responses; times; response times) nor DKT's three (length; concepts; "
            "responses)."
        )
    numbered = enumerate(itertools.chain(first, lines), start=1)
    blocks = _six(numbered, into) if _is_six(first) else _three(numbered, into)
    mapping = ColumnMapping(columns={field: (field,) for field in _FIELDS}, separator="_")
    reader = RowReader(_FIELDS, mapping, name=member.name, at=request.at)
    take_rows(reader, blocks, into=into, request=request)
    into.settle(merge_skills=False)


def _six(lines: Iterator[tuple[int, str]], into: Staging) -> Iterator[tuple[int, list[str]]]:
    for line, head in lines:
        if not head.strip():
            continue
        names = head.strip().split(",")
        rest = [_cells(text) for _, text in itertools.islice(lines, 5)]
        if len(names) != 2 or not names[1].strip().isdecimal() or len(rest) < 5:
            into.reject(line, "", head.strip(), "not uid,length with five lines after it")
            continue
        length = int(names[1])
        questions, concepts, responses, times, elapsed = (
            [] if own and own[0] in _NOTHING and len(own) <= 1 else own for own in rest
        )
        named = {"questions": questions, "concepts": concepts, "responses": responses}
        named |= {"times": times, "response times": elapsed}
        wrong = [name for name, own in named.items() if own and len(own) != length]
        if wrong or not responses or not (questions or concepts):
            reason = f"the sequence of {', '.join(wrong) or 'answers'} has not {length} entries"
            into.reject(line, "", head.strip(), reason)
            continue
        seconds = _seconds(times)
        for place in range(length):
            concept = concepts[place] if concepts else ""
            concept = "" if concept in _NOTHING or concept == "-1" else concept
            yield (
                line,
                [
                    names[0].strip(),
                    questions[place] if questions else concepts[place],
                    responses[place],
                    concept,
                    seconds[place] if seconds else "",
                    _known(elapsed[place]) if elapsed else "",
                ],
            )


def _known(value: str) -> str:
    return "" if value in _NOTHING or value.startswith("-") else value


def _seconds(times: list[str]) -> list[str]:
    """Return times in seconds as text; the largest says what they are in."""
    try:
        numbers = [float(time) for time in times]
    except ValueError:
        return times
    largest = max(numbers, default=0.0)
    if _SECONDS <= largest < _MILLISECONDS:
        return times
    return [repr(number / 1000.0) for number in numbers]


def _three(lines: Iterator[tuple[int, str]], into: Staging) -> Iterator[tuple[int, list[str]]]:
    learner = 0
    for line, head in lines:
        if not head.strip():
            continue
        rest = [_cells(text) for _, text in itertools.islice(lines, 2)]
        length = head.strip().rstrip(",")
        lengths = [len(own) for own in rest]
        if not length.isdecimal() or lengths != [int(length)] * 2:
            into.reject(line, "", head.strip(), "not a length with two lines of so many after it")
            continue
        learner += 1
        for concept, response in zip(*rest, strict=True):
            yield line, [str(learner), concept, response, concept, "", ""]
