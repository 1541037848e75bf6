"""What the start page offers: one thing to do first, a few others as good after it."""

import datetime as dt
import math
from collections.abc import Collection
from dataclasses import dataclass

from django.utils import timezone

from tutor.accounts.models import Learner
from tutor.classes import selectors as class_selectors
from tutor.classes import terms
from tutor.classes.models import Assignment, Classroom
from tutor.classes.terms import Terms
from tutor.content import selectors as content_selectors
from tutor.content.models import Course
from tutor.practice import grades, timing, usecases
from tutor.practice import selectors as practice_selectors
from tutor.practice.grades import Grade
from tutor.practice.models import PracticeSession
from tutor.responses import pace
from tutor.scheduling import reviews
from tutor.scheduling import services as scheduling_services
from tutor.student import progress

# More to choose from is no help.
MOST_OTHERS = 4


@dataclass(frozen=True, slots=True)
class Task:
    """Something to do now.

    Attributes:
        course: of the task.
        assignment: None for practising freely.
        own: what the assignment comes to for the learner.
        session: the one to go on with, None for one to begin.
        items: questions that are planned, or left; it may end earlier.
        low, high: minutes that they will take, at the learner's own pace if it is known.
        is_own_pace: whether it is.
        n_due: topics of the course due for review.
        minutes: of a sitting that a teacher has planned in minutes: all of them, or what is left of
            one that is begun; then `items` is what is expected to fit.
        planned: questions of the whole sitting, where it is begun.
    """

    course: Course
    assignment: Assignment | None
    session: PracticeSession | None
    items: int
    low: int
    high: int
    is_own_pace: bool
    n_due: int
    minutes: int | None = None
    planned: int = 0
    own: Terms | None = None

    @property
    def title(self) -> str:
        """What it is called."""
        if self.session is not None:
            return self.session.title
        return self.assignment.title if self.assignment else self.course.title

    @property
    def minutes_gone(self) -> int:
        """Of a sitting that is begun and planned in minutes, those that are over."""
        planned = self.session.planned_minutes if self.session is not None else None
        return 0 if planned is None or self.minutes is None else planned - self.minutes


@dataclass(frozen=True, slots=True)
class Excuse:
    """What is not asked of the learner: the assignment `title`, or only these topics of it."""

    title: str
    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Today:
    """What a learner can do now.

    Attributes:
        first: the one thing to do; None where there is nothing.
        others: what is as good, at most four.
        closed: assignments that can no longer be practised, with when they ended.
        excused: assignments, or topics of one, that are not asked of the learner.
        courses: the learner's.
        week: days practised against the goal.
        grades: of the assignments that have opened, in classes that make any, with how.
    """

    first: Task | None
    others: tuple[Task, ...]
    closed: tuple[tuple[Assignment, Terms], ...]
    excused: tuple[Excuse, ...]
    courses: tuple[Course, ...]
    week: progress.ThisWeek
    grades: tuple[tuple[str, str, tuple[tuple[str, Grade], ...]], ...]


def plan(*, learner: Learner, at: dt.datetime, only: Classroom | None = None) -> Today:
    """Return what a learner can do now: what is unfinished, then what is due first, then freely.

    `only`: what concerns this class of theirs, for its teachers.
    """
    courses = tuple(class_selectors.list_courses_of(learner=learner))
    assignments = terms.list_of(learner=learner, at=at)
    if only is not None:
        courses = tuple(course for course in courses if course.pk == only.course_id)
        assignments = [pair for pair in assignments if pair[0].classroom_id == only.pk]
    tasks = [
        *(
            task
            for task in _unfinished(learner, courses, assignments, at)
            # Another class's assignment is no business of this one's teachers.
            if only is None or task.assignment is None or task.assignment.classroom_id == only.pk
        ),
        *(
            _begin(learner, row.classroom.course, row, at, own)
            for row, own in assignments
            if own.is_running(at)
        ),
        *(_begin(learner, course, None, at) for course in courses),
    ]
    # A topic that is begun leaves practising freely as something else to do.
    begun = {
        _key(task) for task in tasks if task.session is not None and task.session.topic is None
    }
    open_ = [task for task in tasks if task.session is not None or _key(task) not in begun]
    return Today(
        first=open_[0] if open_ else None,
        others=tuple(open_[1 : 1 + MOST_OTHERS]),
        closed=tuple(
            (row, own) for row, own in assignments if own.is_closed(at) and not own.is_excused
        ),
        excused=tuple(
            Excuse(row.title, () if own.is_excused else _names(row.classroom.course, own.excused))
            for row, own in assignments
            if own.is_excused or (own.excused and own.is_running(at))
        ),
        courses=courses,
        week=progress.get_this_week(learner=learner, at=at, only=only),
        grades=_list_grades(learner, courses, at, only),
    )


def _list_grades(
    learner: Learner, courses: tuple[Course, ...], at: dt.datetime, only: Classroom | None
) -> tuple[tuple[str, str, tuple[tuple[str, Grade], ...]], ...]:
    """Return (class, how its grades are made, (assignment, grade) of each), class by class."""
    found: dict[int, tuple[str, str, list[tuple[str, Grade]]]] = {}
    for course in courses:
        for row, rule, grade in grades.list_own(learner=learner, course=course, at=at):
            if only is not None and row.classroom_id != only.pk:
                continue
            room = found.setdefault(row.classroom_id, (row.classroom.name, grades.say(rule), []))
            room[2].append((row.title, grade))
    return tuple((name, said, tuple(own)) for name, said, own in found.values())


def _unfinished(
    learner: Learner,
    courses: tuple[Course, ...],
    assignments: list[tuple[Assignment, Terms]],
    at: dt.datetime,
) -> list[Task]:
    known = {row.pk: (row, own) for row, own in assignments}
    found = []
    for course in courses:
        session = practice_selectors.get_open_session(learner=learner, course_id=course.pk)
        if session is not None:
            planned = timing.get_planned_items(session=session)
            items = max(1, planned - session.n_answered)
            assignment, own = known.get(session.assignment_id or 0, (session.assignment, None))
            if own is not None and own.is_excused:
                continue
            left = timing.find_minutes_left(session=session, learner_id=learner.pk, at=at)
            found.append(
                _task(
                    learner,
                    course,
                    assignment,
                    at,
                    items=items,
                    session=session,
                    planned=planned,
                    minutes=None if left is None else max(0, math.ceil(left)),
                    own=own,
                )
            )
    return found


def _begin(
    learner: Learner,
    course: Course,
    assignment: Assignment | None,
    at: dt.datetime,
    own: Terms | None = None,
) -> Task:
    minutes = find_minutes(learner=learner, course=course, assignment=assignment, at=at)
    items = scheduling_services.plan_length(
        learner=learner,
        course=course,
        assignment=assignment,
        items=assignment.items_per_session if assignment else usecases.ITEMS_PER_SESSION,
        minutes=minutes,
    )
    return _task(
        learner, course, assignment, at, items=items, session=None, minutes=minutes, own=own
    )


def find_minutes(
    *, learner: Learner, course: Course, assignment: Assignment | None, at: dt.datetime
) -> int | None:
    """Return the minutes of a sitting that begins now, where a teacher has planned minutes a day.

    What is left of them today; None once that is less than one question takes the learner: the
    day's plan is done, and whoever wants to does more.
    """
    a_day = scheduling_services.find_minutes_a_day(
        learner=learner, course=course, assignment=assignment
    )
    if a_day is None:
        return None
    morning = timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)
    left = a_day - timing.get_minutes_since(learner=learner, course=course, since=morning)
    one = timing.find_item_minutes(learner=learner, course=course, assignment=assignment)
    # Clock times are as fine as microseconds: no minute more for a rounding error.
    return math.ceil(round(left, 3)) if left >= one else None


def _task(  # noqa: PLR0913 - one fact of the task each
    learner: Learner,
    course: Course,
    assignment: Assignment | None,
    at: dt.datetime,
    *,
    items: int,
    session: PracticeSession | None,
    minutes: int | None = None,
    planned: int = 0,
    own: Terms | None = None,
) -> Task:
    found = pace.get_pace(learner=learner, course=course, at=at)
    low, high = found.minutes(items)
    return Task(
        course=course,
        assignment=assignment,
        session=session,
        items=items,
        low=low,
        high=high,
        is_own_pace=found.source == "own",
        n_due=_count_due(learner, course, at) if assignment is None else 0,
        minutes=minutes,
        planned=planned,
        own=own,
    )


def _count_due(learner: Learner, course: Course, at: dt.datetime) -> int:
    found = reviews.list_reviews(learner=learner, course=course, at=at, days=1)
    return sum(review.is_due for review in found)


def _names(course: Course, concept_ids: Collection[int]) -> tuple[str, ...]:
    bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
    ordered = bank.order_concepts(concept_ids)
    return tuple(bank.concept_names[bank.index_of_concept[pk]] for pk in ordered)


def _key(task: Task) -> tuple[int, int | None]:
    return task.course.pk, task.assignment.pk if task.assignment else None
