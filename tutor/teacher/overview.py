"""The class by concept, and one learner's concepts."""

import datetime as dt
from dataclasses import dataclass

from tutor.accounts.models import Learner
from tutor.classes import selectors as class_selectors
from tutor.classes.models import Classroom
from tutor.content import selectors as content_selectors
from tutor.content.models import Course
from tutor.tracing import selectors as tracing_selectors
from tutor.tracing.bands import Band, Mastery


@dataclass(frozen=True, slots=True)
class ConceptColumn:
    """A concept of the grid, with how many learners are in each band."""

    name: str
    counts: dict[Band, int]
    has_answers: bool


@dataclass(frozen=True, slots=True)
class LearnerRow:
    """A learner of the grid; masteries in teaching order."""

    learner: Learner
    masteries: tuple[Mastery, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """A class by concept. With names hidden the rows stand in an order that betrays no name."""

    columns: tuple[ConceptColumn, ...]
    rows: tuple[LearnerRow, ...]
    are_names_hidden: bool = False
    bands: tuple[Band, ...] = tuple(Band)

    @property
    def practised(self) -> list[ConceptColumn]:
        """Concepts on which somebody has answered."""
        return [column for column in self.columns if column.has_answers]


def make_grid(*, classroom: Classroom, at: dt.datetime, are_names_hidden: bool = False) -> Grid:
    """Return the class by concept, with a fixed number of queries for any class."""
    course = classroom.course
    bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
    learners = list(class_selectors.list_learners_of(classroom=classroom))
    if are_names_hidden:
        learners.sort(key=lambda learner: learner.pseudonym)
    masteries = tracing_selectors.list_masteries(learners=learners, course=course, at=at)
    rows = tuple(LearnerRow(learner, tuple(masteries[learner.pk].values())) for learner in learners)
    columns = tuple(
        ConceptColumn(
            name=name,
            counts={band: sum(row.masteries[index].band is band for row in rows) for band in Band},
            has_answers=any(row.masteries[index].evidence_n for row in rows),
        )
        for index, name in enumerate(bank.concept_names)
    )
    return Grid(columns=columns, rows=rows, are_names_hidden=are_names_hidden)


@dataclass(frozen=True, slots=True)
class ConceptLine:
    """A concept of a learner's course."""

    name: str
    mastery: Mastery


def list_concepts(*, learner: Learner, course: Course, at: dt.datetime) -> list[ConceptLine]:
    """Return a learner's concepts in teaching order."""
    bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
    masteries = tracing_selectors.get_masteries(learner=learner, course=course, at=at)
    return [
        ConceptLine(name, mastery)
        for name, mastery in zip(bank.concept_names, masteries.values(), strict=True)
    ]
