"""The folder of DBE-KT22: a university database course with questions, choices, concepts, answers.

Abdelrahman, Abdelfattah, Wang & Lin, DBE-KT22: A Knowledge Tracing Dataset Based on Online
Student Evaluation, arXiv:2208.12651.
"""

import csv
import datetime as dt
import hashlib
import itertools
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from tutor.content.rendered import choice_id
from tutor.responses.importing import dbe_course
from tutor.responses.importing.dates import check_not_in_future, read_moment
from tutor.responses.importing.dbe_course import Table, item_slug
from tutor.responses.importing.errors import UnreadableLog
from tutor.responses.importing.incoming import Incoming, IncomingAnswer, Reject

FILES = {
    "questions": ("Questions.csv", ("id", "question_rich_text", "explanation", "hint_text")),
    "choices": ("Question_Choices.csv", ("id", "choice_text", "is_correct", "question_id")),
    "concepts": ("KCs.csv", ("id", "name", "description")),
    "links": (
        "KC_Relationships.csv",
        ("from_knowledgecomponent_id", "to_knowledgecomponent_id"),
    ),
    "carries": ("Question_KC_Relationships.csv", ("question_id", "knowledgecomponent_id")),
    "answers": (
        "Transaction.csv",
        ("student_id", "question_id", "answer_choice_id", "answer_state", "start_time", "end_time"),
    ),
}
DOUBLE_SUBMISSION = dt.timedelta(seconds=5)
# Beside a row's columns: the line it ends on.
LINE = "\x00line"


def read(folder: Path, *, title: str, slug: str, at: dt.datetime) -> Incoming:
    """Return the course and its answers, of which none may lie after `at`.

    Raises:
        UnreadableLog: the folder lacks a file, or a file lacks a column.
    """
    tables = {name: _table(folder, *FILES[name]) for name in FILES}
    _check_storable(tables)
    choices: dict[str, Table] = defaultdict(list)
    for choice in tables["choices"]:
        choices[choice["question_id"]].append(choice)
    questions = dbe_course.usable_questions(tables, choices)
    answers, rejects = _answers(tables["answers"], questions, choices, at=at)
    warnings = _warnings(answers, tables, choices)
    unusable = len(tables["questions"]) - len(questions)
    if unusable:
        warnings.append(f"{unusable} questions have no concept or no choices and stay out.")
    return Incoming(
        format="dbe-kt22",
        source="dbe-kt22",
        source_hash=_hash(folder),
        course=dbe_course.make_course(
            {**tables, "questions": [q for q in tables["questions"] if q["id"] in questions]},
            choices,
            answers,
            title=title,
            slug=slug,
        ),
        answers=answers,
        rejects=rejects,
        warnings=warnings,
    )


def _table(folder: Path, name: str, columns: tuple[str, ...]) -> Table:
    path = folder / name
    if not path.is_file():
        raise UnreadableLog(f"{folder} has no {name}; give the unpacked DBE-KT22 folder.")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="", strict=True)
            missing = [column for column in columns if column not in (reader.fieldnames or [])]
            if missing:
                raise UnreadableLog(
                    f"{name} lacks the column {', '.join(missing)}.", missing=missing
                )
            rows = [{**row, LINE: str(reader.line_num)} for row in reader]
    except OSError as error:
        raise UnreadableLog(f"{path}: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise UnreadableLog(f"{name} is not text in UTF-8 ({error.reason}).") from error
    except csv.Error as error:
        raise UnreadableLog(f"{name} is not a CSV: {error}.") from error
    return rows


def _check_storable(tables: Mapping[str, Table]) -> None:
    """Refuse content with NUL characters, which PostgreSQL cannot store."""
    for kind, rows in tables.items():
        # Of the answers only their learner is kept as it stands, and looked at row by row.
        for row in rows if kind != "answers" else ():
            if any("\x00" in row[column] for column in FILES[kind][1]):
                raise UnreadableLog(f"{FILES[kind][0]}, line {row[LINE]}: holds a NUL character.")


def _hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for name, _ in FILES.values():
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()


def _answers(
    rows: Table, questions: frozenset[str], choices: Mapping[str, Table], *, at: dt.datetime
) -> tuple[list[IncomingAnswer], list[Reject]]:
    answers: list[IncomingAnswer] = []
    rejects: list[Reject] = []
    positions = {
        choice["id"]: choice_id(slug=item_slug(question), index=index)
        for question, own in choices.items()
        for index, choice in enumerate(own)
    }
    for row in rows:
        line = int(row[LINE])
        try:
            answers.append(_answer(line, row, positions, questions, at=at))
        except _Bad as bad:
            field, reason = bad.args
            rejects.append(Reject(line, field, row[field], reason))
    answers.sort(key=lambda answer: (answer.learner, answer.answered_at, answer.line))
    return answers, rejects


class _Bad(ValueError):
    """A row cannot be taken: the column, and why."""


def _moment(row: Mapping[str, str], field: str) -> dt.datetime:
    # "2019-08-07 17:12:08.722 -0700": ISO 8601 but for the space before the zone.
    try:
        return read_moment(row[field].replace(" -", "-").replace(" +", "+"))
    except ValueError as error:
        raise _Bad(field, str(error)) from error


def _end(row: Mapping[str, str], *, at: dt.datetime) -> dt.datetime:
    moment = _moment(row, "end_time")
    try:
        check_not_in_future(moment, at=at)
    except ValueError as error:
        raise _Bad("end_time", str(error)) from error
    return moment


def _answer(
    line: int,
    row: dict[str, str],
    positions: Mapping[str, str],
    questions: frozenset[str],
    *,
    at: dt.datetime,
) -> IncomingAnswer:
    learner = row["student_id"].strip()
    if not learner:
        raise _Bad("student_id", "empty")
    if "\x00" in learner:
        raise _Bad("student_id", "holds a NUL character")
    if row["question_id"] not in questions:
        raise _Bad("question_id", "no such question in Questions.csv, or it has no concept")
    if row["answer_state"] not in {"true", "false"}:
        raise _Bad("answer_state", "neither true nor false")
    answered_at = _end(row, at=at)
    # In 35 rows the end lies a few milliseconds before the start.
    presented_at = min(_moment(row, "start_time"), answered_at)
    is_correct = row["answer_state"] == "true"
    chosen = positions.get(row["answer_choice_id"])
    return IncomingAnswer(
        line=line,
        learner=learner,
        item=item_slug(row["question_id"]),
        item_name=row["question_id"],
        credit=float(is_correct),
        answered_at=answered_at,
        answer={"choice": chosen} if chosen else {},
        is_correct=is_correct,
        presented_at=presented_at,
        elapsed_ms=(answered_at - presented_at) // dt.timedelta(milliseconds=1),
        hints=int(row.get("hint_used") == "true"),
    )


def _warnings(
    answers: list[IncomingAnswer], tables: Mapping[str, Table], choices: Mapping[str, Table]
) -> list[str]:
    both = {
        (row["from_knowledgecomponent_id"], row["to_knowledgecomponent_id"])
        for row in tables["links"]
    }
    two_way = sum((second, first) in both for first, second in both)
    right = {
        (item_slug(question), choice_id(slug=item_slug(question), index=index)): (
            choice["is_correct"] == "true"
        )
        for question, own in choices.items()
        for index, choice in enumerate(own)
    }
    differing = sum(
        right.get((answer.item, str(answer.answer.get("choice"))), answer.is_correct)
        != answer.is_correct
        for answer in answers
    )
    doubles = sum(
        earlier.learner == later.learner
        and earlier.item == later.item
        and earlier.is_correct == later.is_correct
        and later.answered_at - earlier.answered_at <= DOUBLE_SUBMISSION
        for earlier, later in itertools.pairwise(answers)
    )
    found = [
        (two_way, "concept links stand in both directions; the course's order directs them"),
        (differing, "answers were judged otherwise than today's key; the log's judgement is kept"),
        (doubles, "answers repeat the one before within 5 seconds and may be double submissions"),
    ]
    return [f"{count} {what}." for count, what in found if count]
