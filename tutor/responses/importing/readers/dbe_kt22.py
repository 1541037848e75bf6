"""The folder of DBE-KT22: a university database course with questions, choices, concepts, answers.

Abdelrahman, Abdelfattah, Wang & Lin, DBE-KT22: A Knowledge Tracing Dataset Based on Online
Student Evaluation, arXiv:2208.12651.
"""

import datetime as dt
import itertools
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping

from tutor.content.course_format import CourseSpec
from tutor.content.rendered import choice_id
from tutor.responses.importing.cells import BadCell, check_name, to_microseconds
from tutor.responses.importing.dates import check_not_in_future, read_moment
from tutor.responses.importing.errors import UnreadableLog
from tutor.responses.importing.log_rows import LogRow
from tutor.responses.importing.readers import dbe_course
from tutor.responses.importing.readers.base import TICK, Request
from tutor.responses.importing.readers.dbe_course import Table, item_slug
from tutor.responses.importing.sources import Source
from tutor.responses.importing.staging import Staging
from tutor.responses.importing.tables import text_table

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
DOUBLE_SUBMISSION_US = 5_000_000
# Beside a row's columns: the line it ends on.
LINE = "\x00line"


def read(source: Source, *, into: Staging, request: Request) -> CourseSpec:
    """Read the answers and return the course that they are about.

    Raises:
        UnreadableLog: the folder lacks a file, or a file lacks a column.
    """
    tables = {name: _table(source, *FILES[name]) for name in FILES if name != "answers"}
    _check_storable(tables)
    choices: dict[str, Table] = defaultdict(list)
    for choice in tables["choices"]:
        choices[choice["question_id"]].append(choice)
    questions = dbe_course.usable_questions(tables, choices)
    differing = _take_answers(source, questions, choices, into=into, request=request)
    into.settle(merge_skills=False)
    into.warnings += _warnings(into, tables, differing)
    unusable = len(tables["questions"]) - len(questions)
    if unusable:
        into.warnings.append(f"{unusable} questions have no concept or no choices and stay out.")
    return dbe_course.make_course(
        {**tables, "questions": [q for q in tables["questions"] if q["id"] in questions]},
        choices,
        ((learner, into.items[item]) for learner, item in into.iterate_places()),
        title=request.title,
        slug=request.slug,
    )


def _rows(source: Source, name: str, columns: tuple[str, ...]) -> Iterator[dict[str, str]]:
    member = source.find(name)
    if member is None:
        raise UnreadableLog(f"{source.name} has no {name}; give the unpacked DBE-KT22 folder.")
    table = text_table(member, delimiter=",")
    missing = [column for column in columns if column not in table.header]
    if missing:
        raise UnreadableLog(f"{name} lacks the column {', '.join(missing)}.", missing=missing)
    width = len(table.header)
    for line, cells in table.rows:
        filled = [*cells, *[""] * (width - len(cells))]
        yield {**dict(zip(table.header, filled, strict=False)), LINE: str(line)}


def _table(source: Source, name: str, columns: tuple[str, ...]) -> Table:
    return list(_rows(source, name, columns))


def _check_storable(tables: Mapping[str, Table]) -> None:
    """Refuse content with NUL characters, which PostgreSQL cannot store."""
    for kind, rows in tables.items():
        for row in rows:
            if any("\x00" in row[column] for column in FILES[kind][1]):
                raise UnreadableLog(f"{FILES[kind][0]}, line {row[LINE]}: holds a NUL character.")


def _take_answers(
    source: Source,
    questions: frozenset[str],
    choices: Mapping[str, Table],
    *,
    into: Staging,
    request: Request,
) -> int:
    """Stage the answers; return how many were judged otherwise than today's key says."""
    keys = {
        choice["id"]: (
            choice_id(slug=item_slug(question), index=index),
            choice["is_correct"] == "true",
        )
        for question, own in choices.items()
        for index, choice in enumerate(own)
    }
    differing = 0
    for number, row in enumerate(_rows(source, *FILES["answers"])):
        if number % TICK == 0:
            request.tick()
        line = int(row[LINE])
        key = keys.get(row["answer_choice_id"])
        try:
            answer = _answer(line, row, key, questions, at=request.at)
        except _Bad as bad:
            field, reason = bad.args
            into.reject(line, field, row[field], reason)
            continue
        into.add(answer)
        differing += key is not None and key[1] != (answer.credit >= 1.0)
    return differing


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
    key: tuple[str, bool] | None,
    questions: frozenset[str],
    *,
    at: dt.datetime,
) -> LogRow:
    try:
        learner = check_name("student_id", row["student_id"].strip())
    except BadCell as bad:
        raise _Bad(bad.field, bad.reason) from bad
    if row["question_id"] not in questions:
        raise _Bad("question_id", "no such question in Questions.csv, or it has no concept")
    if row["answer_state"] not in {"true", "false"}:
        raise _Bad("answer_state", "neither true nor false")
    answered_at = _end(row, at=at)
    # In 35 rows the end lies a few milliseconds before the start.
    presented_at = min(_moment(row, "start_time"), answered_at)
    return LogRow(
        line=line,
        learner=learner,
        item=item_slug(row["question_id"]),
        credit=float(row["answer_state"] == "true"),
        at=to_microseconds(answered_at),
        is_moment=True,
        elapsed_ms=(answered_at - presented_at) // dt.timedelta(milliseconds=1),
        hints=int(row.get("hint_used") == "true"),
        presented_at=to_microseconds(presented_at),
        answer=json.dumps({"choice": key[0]} if key else {}),
    )


def _warnings(into: Staging, tables: Mapping[str, Table], differing: int) -> list[str]:
    both = {
        (row["from_knowledgecomponent_id"], row["to_knowledgecomponent_id"])
        for row in tables["links"]
    }
    two_way = sum((second, first) in both for first, second in both)
    found = [
        (two_way, "concept links stand in both directions; the course's order directs them"),
        (differing, "answers were judged otherwise than today's key; the log's judgement is kept"),
        (
            _count_doubles(into),
            "answers repeat the one before within 5 seconds and may be double submissions",
        ),
    ]
    return [f"{count} {what}." for count, what in found if count]


def _count_doubles(into: Staging) -> int:
    return sum(
        (earlier.learner, earlier.item, earlier.credit) == (later.learner, later.item, later.credit)
        and later.at - earlier.at <= DOUBLE_SUBMISSION_US
        for earlier, later in itertools.pairwise(into.iterate())
    )
