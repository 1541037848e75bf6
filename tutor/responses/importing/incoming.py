"""What every reader makes of its input."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tutor.content.course_format import CourseSpec


@dataclass(frozen=True, slots=True)
class IncomingAnswer:
    """One answer as the log tells it.

    `line` is where it stands in the file, from 1; `item` is the slug of the course's item, and
    `item_name` what the log calls it.
    """

    line: int
    learner: str
    item: str
    credit: float
    answered_at: dt.datetime
    answer: Mapping[str, Any]
    is_correct: bool
    presented_at: dt.datetime | None = None
    elapsed_ms: int | None = None
    hints: int = 0
    attempt: int = 1
    item_name: str = ""


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was not taken: where, which field, what stood there, and why."""

    line: int
    field: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Incoming:
    """A log that was read whole.

    Attributes:
        source: names the origin; with a learner's id in it, it makes their pseudonym.
        source_hash: SHA-256 of the input.
        course: the content that comes with it, or what can be said of the items from the log;
            where the course is there already, what it shall be afterwards.
        keeps_content: the course exists already and is used as it is.
        answers: by (learner, answered_at, line).
        warnings: what somebody should know before applying.
        course_warnings: likewise, of the course that is made from the input.
    """

    format: str
    source: str
    source_hash: str
    course: CourseSpec
    answers: list[IncomingAnswer]
    rejects: list[Reject]
    warnings: list[str] = field(default_factory=list)
    course_warnings: list[str] = field(default_factory=list)
    keeps_content: bool = False
