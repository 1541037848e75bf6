"""A class's assignments as its teachers see them: how each stands, and what was decided of it."""

import datetime as dt
from dataclasses import dataclass

from tutor.classes import terms
from tutor.classes.models import Assignment, Classroom
from tutor.content.models import Concept
from tutor.teacher import overrides
from tutor.teacher.events import Event


@dataclass(frozen=True, slots=True)
class Line:
    """An assignment, as it is for whoever has nothing of their own.

    `topics` that it asks for, all of the course's where it names none; `decisions` in force.
    """

    assignment: Assignment
    terms: terms.Terms
    state: str
    is_closed: bool
    topics: tuple[Concept, ...]
    decisions: tuple[overrides.Decision, ...]

    @property
    def is_whole_course(self) -> bool:
        """Whether it names no topics."""
        return not self.terms.goal

    @property
    def key(self) -> str:
        """What a form says for it."""
        return str(self.assignment.public_id)


def list_lines(*, classroom: Classroom, at: dt.datetime) -> list[Line]:
    """Return the class's assignments, the one that opened last first."""
    course = classroom.course
    concepts = list(Concept.objects.filter(course=course).order_by("position", "pk"))
    decided: dict[int, list[overrides.Decision]] = {}
    for one in overrides.list_decisions(classroom=classroom):
        decided.setdefault(one.row.assignment_id, []).append(one)
    rows = Assignment.objects.filter(classroom=classroom).prefetch_related("concepts")
    found = []
    for row in rows.order_by("-opens_at", "-pk"):
        # Nobody has the number 0: what everybody has.
        own = terms.find(
            assignment=row, learner_id=0, course_id=course.pk, revision=course.revision
        )
        asked = {concept.pk for concept in row.concepts.all()}
        found.append(
            Line(
                assignment=row,
                terms=own,
                state=overrides.say_state(own, at=at),
                is_closed=own.is_closed(at),
                topics=tuple(one for one in concepts if not asked or one.pk in asked),
                decisions=tuple(decided.get(row.pk, ())),
            )
        )
    return found


def list_history(*, classroom: Classroom, most: int = 30) -> list[Event]:
    """Return what was decided and taken back in a class, newest first."""
    return [
        overrides.tell(row, with_whom=True)
        for row in terms.list_history(classroom_id=classroom.pk, most=most)
    ]
