"""What is exported of a course, and how much of it is told."""

import datetime as dt
import enum
from dataclasses import dataclass

from tutor.classes.models import Classroom
from tutor.content.models import Course


class Times(enum.StrEnum):
    """How the moments of the answers are told."""

    EXACT = "exact"
    # Each learner's earlier by a number of days of their own.
    SHIFTED = "shifted"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Choice:
    """Which answers, and what is told of them.

    Attributes:
        course: whose answers.
        classes: only of learners in one of these; everybody where there is none.
        since: the first moment that is taken, of the answers' true times.
        until: the first moment after it that is not.
        salt: pseudonyms of two exports are the same where course and salt are.
        times: see `Times`.
        has_group: whether a column names the learner's class.
        has_class_names: whether it does by the class's own name, not by a pseudonym.
        has_answers: whether the answers are there as they were given.
    """

    course: Course
    classes: tuple[Classroom, ...] = ()
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    salt: str = ""
    times: Times = Times.EXACT
    has_group: bool = False
    has_class_names: bool = False
    has_answers: bool = False
