"""What the start page offers: one thing to do first, the rest after it."""

import datetime as dt
from dataclasses import dataclass

from tutor.accounts.models import Learner
from tutor.classes import selectors as class_selectors
from tutor.classes.models import Assignment
from tutor.content.models import Course
from tutor.practice import selectors as practice_selectors
from tutor.practice.models import PracticeSession
from tutor.student import course_map


@dataclass(frozen=True, slots=True)
class CourseToday:
    """A course of the learner: as a map, and to be practised freely unless that is going on."""

    course: Course
    map: course_map.CourseMap
    is_begun: bool


@dataclass(frozen=True, slots=True)
class Today:
    """What a learner can do now.

    Attributes:
        unfinished: sessions to go on with.
        assignments: what is open, the nearest due first, without those of `unfinished`.
        closed: what can no longer be practised.
    """

    unfinished: tuple[PracticeSession, ...]
    assignments: tuple[Assignment, ...]
    closed: tuple[Assignment, ...]
    courses: tuple[CourseToday, ...]

    @property
    def has_choice(self) -> bool:
        """Whether something can be started."""
        return bool(self.assignments) or any(not entry.is_begun for entry in self.courses)


def plan(*, learner: Learner, at: dt.datetime) -> Today:
    """Return what a learner can do now."""
    courses = list(class_selectors.list_courses_of(learner=learner))
    unfinished = tuple(
        session
        for course in courses
        if (session := practice_selectors.get_open_session(learner=learner, course_id=course.pk))
    )
    begun = {session.assignment_id for session in unfinished}
    begun_freely = {session.course_id for session in unfinished if session.assignment_id is None}
    assignments = list(class_selectors.list_assignments_of(learner=learner, at=at))
    return Today(
        unfinished=unfinished,
        assignments=tuple(a for a in assignments if not is_closed(a, at) and a.pk not in begun),
        closed=tuple(a for a in assignments if is_closed(a, at)),
        courses=tuple(
            CourseToday(
                course=course,
                map=course_map.draw(learner=learner, course=course, at=at),
                is_begun=course.pk in begun_freely,
            )
            for course in courses
        ),
    )


def is_closed(assignment: Assignment, at: dt.datetime) -> bool:
    """Test whether an assignment's time is over."""
    return assignment.due_at is not None and assignment.due_at <= at
