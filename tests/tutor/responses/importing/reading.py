"""Logs read in tests, and held in memory to be looked at."""

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tutor.content.course_format import CourseSpec
from tutor.responses.importing import log_course
from tutor.responses.importing.cells import to_moment
from tutor.responses.importing.formats import FORMATS
from tutor.responses.importing.incoming import Reject
from tutor.responses.importing.looking import find_format
from tutor.responses.importing.mapping import ColumnMapping
from tutor.responses.importing.naming import slug_of
from tutor.responses.importing.readers.base import Request
from tutor.responses.importing.sources import open_source
from tutor.responses.importing.staging import Staging

AT = dt.datetime(2026, 9, 1, 8, tzinfo=dt.UTC)


@dataclass(frozen=True)
class ReadAnswer:
    line: int
    learner: str
    item: str
    item_name: str
    credit: float
    answered_at: dt.datetime
    elapsed_ms: int | None
    hints: int
    attempt: int
    presented_at: dt.datetime | None
    is_pilot: bool | None
    answer: Any
    extra: Any

    @property
    def is_correct(self) -> bool:
        return self.credit >= 1.0


@dataclass(frozen=True)
class ReadLog:
    course: CourseSpec
    answers: list[ReadAnswer]
    rejects: list[Reject]
    warnings: list[str]
    is_timed: bool

    def of(self, learner: str) -> list[ReadAnswer]:
        return [answer for answer in self.answers if answer.learner == learner]


def read_log(
    path: Path,
    *,
    form: str = "csv",
    mapping: ColumnMapping | None = None,
    at: dt.datetime = AT,
    title: str = "Log",
    slug: str = "log",
) -> ReadLog:
    with open_source(path) as source, Staging() as staging:
        kind = find_format(source) if form == "auto" else form
        request = Request(slug=slug, title=title, at=at, mapping=mapping)
        course = FORMATS[kind](source, into=staging, request=request)
        warnings: list[str] = []
        if course is None:
            course, warnings = log_course.make_course(staging, title=title, slug=slug)
        answers = [
            ReadAnswer(
                line=one.line,
                learner=staging.learners[one.learner],
                item=slug_of(staging.items[one.item]),
                item_name=staging.items[one.item],
                credit=one.credit,
                answered_at=to_moment(one.at),
                elapsed_ms=one.elapsed_ms,
                hints=one.hints,
                attempt=one.attempt,
                presented_at=None if one.presented_at is None else to_moment(one.presented_at),
                is_pilot=None if one.is_pilot is None else bool(one.is_pilot),
                answer=json.loads(one.answer) if one.answer else None,
                extra=json.loads(one.extra) if one.extra else None,
            )
            for one in staging.iterate()
        ]
        return ReadLog(
            course=course,
            answers=answers,
            rejects=list(staging.iterate_rejects()),
            warnings=[*warnings, *staging.warnings],
            is_timed=staging.is_timed,
        )
