"""EdNet-KT1: a file for each learner (`u1.csv`, ...) and `questions.csv` with keys and tags.

Choi et al., EdNet: A Large-Scale Hierarchical Dataset in Education, AIED 2020. The folder, or the
zip, is read as it lies; `contents/questions.csv` has to lie in it.
"""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from tutor.responses.importing.errors import UnreadableLog
from tutor.responses.importing.log_rows import RowReader
from tutor.responses.importing.mapping import ColumnMapping
from tutor.responses.importing.readers.base import Request, take_rows
from tutor.responses.importing.sources import Member, Source
from tutor.responses.importing.staging import Staging
from tutor.responses.importing.tables import Table, text_table

QUESTIONS = "questions.csv"
_LEARNER_FILE = re.compile(r"u\d+\.csv")
_COLUMNS = ("timestamp", "question_id", "user_answer", "elapsed_time")
_FIELDS = ("learner", "item", "correct", "concepts", "answered_at", "elapsed_ms")
_TITLES = {
    "item": "question_id",
    "correct": "user_answer",
    "answered_at": "timestamp",
    "elapsed_ms": "elapsed_time",
}
Key = tuple[str, str]  # the right answer, the tags


def learner_files(source: Source) -> list[Member]:
    """Return the files of learners, by their number."""
    files = [
        (int(PurePosixPath(name).name[1:-4]), name)
        for name in source.members
        if _LEARNER_FILE.fullmatch(PurePosixPath(name).name)
    ]
    return [source.members[name] for _, name in sorted(files)]


def read(source: Source, *, into: Staging, request: Request) -> None:
    """Read the folder or the zip.

    Raises:
        UnreadableLog: there are no learners' files, no questions, or they lack a column.
    """
    files = learner_files(source)
    if not files:
        raise UnreadableLog(f"{source.name} holds no learner's file (u1.csv, u2.csv, ...).")
    questions = source.find(QUESTIONS)
    if questions is None:
        raise UnreadableLog(
            f"{source.name} has no {QUESTIONS}, which says what was right; put EdNet's contents "
            "folder beside the learners' files."
        )
    keys = _read_keys(questions)
    mapping = ColumnMapping(
        columns={field: (field,) for field in _FIELDS}, separator=";", time_unit="milliseconds"
    )
    reader = RowReader(_FIELDS, mapping, name=source.name, at=request.at)
    unanswered = [0]
    for file in files:
        into.begin_file(file.name)
        table = text_table(file, delimiter=",")
        rows = _rows(table, PurePosixPath(file.name).stem, keys, unanswered)
        take_rows(reader, rows, into=into, request=request, titles=_TITLES)
    if unanswered[0]:
        into.warnings.append(f"{unanswered[0]} questions were shown and not answered; left out.")
    into.settle(merge_skills=False)


def _read_keys(questions: Member) -> dict[str, Key]:
    table = text_table(questions, delimiter=",")
    item, answer, tags = _places(table, ("question_id", "correct_answer", "tags"))
    return {
        cells[item]: (cells[answer], "" if cells[tags] == "-1" else cells[tags])
        for _, cells in table.rows
        if len(cells) > max(item, answer, tags)
    }


def _places(table: Table, columns: tuple[str, ...]) -> list[int]:
    missing = [column for column in columns if column not in table.header]
    if missing:
        hint = " This is KT2 to KT4; KT1 is read." if "action_type" in table.header else ""
        raise UnreadableLog(f"{table.name} lacks the column {', '.join(missing)}.{hint}")
    return [table.header.index(column) for column in columns]


def _rows(
    table: Table, learner: str, keys: dict[str, Key], unanswered: list[int]
) -> Iterator[tuple[int, list[str]]]:
    time, item, given, elapsed = _places(table, _COLUMNS)
    for line, cells in table.rows:
        if len(cells) <= max(time, item, given, elapsed):
            yield line, [learner, "", "", "", "", ""]
            continue
        if not cells[given]:
            unanswered[0] += 1
            continue
        key = keys.get(cells[item])
        # Of a question without a key nobody knows what was right: its cell is rejected.
        correct = "no key" if key is None else str(int(cells[given] == key[0]))
        tags = key[1] if key else ""
        yield line, [learner, cells[item], correct, tags, cells[time], cells[elapsed]]
