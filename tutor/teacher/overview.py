"""The class by concept: the one source of the grid, of its tables and of its exports."""

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from tutor.accounts.models import Learner
from tutor.classes import selectors as class_selectors
from tutor.classes.models import Classroom
from tutor.content import selectors as content_selectors
from tutor.teacher.filters import PRACTISED, Filters
from tutor.tracing import class_masteries
from tutor.tracing.bands import Band, percent_of
from tutor.tracing.class_masteries import ClassMasteries

BANDS = tuple(Band)
# With more concepts than this the fields stand close, without their numbers.
ROOMY_UP_TO = 16


@dataclass(frozen=True, slots=True)
class Column:
    """A concept of the grid: its place in the course, with how many learners are in each band."""

    index: int
    pk: int
    slug: str
    name: str
    counts: dict[Band, int]
    has_answers: bool

    @property
    def bar(self) -> tuple[tuple[str, float, float], ...]:
        """(band, from, width) of each band's part of a bar that is 100 long."""
        whole, at, parts = sum(self.counts.values()), 0.0, []
        for band in reversed(BANDS):
            width = 100 * self.counts[band] / whole if whole else 0.0
            if width:
                parts.append((band.value, round(at, 2), round(width, 2)))
            at += width
        return tuple(parts)


@dataclass(frozen=True, slots=True)
class Row:
    """A learner of the grid: their place in the arrays, and the name that may be shown."""

    index: int
    learner: Learner
    name: str
    mastered: int


@dataclass(frozen=True, slots=True)
class Cell:
    """A learner and a concept, as the page and the exports say it."""

    band: Band
    evidence_n: int
    percent: int
    lower_percent: int
    is_set_by_teacher: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """A class by concept. With names hidden the rows stand in an order that betrays no name.

    `columns` and `rows` are those that the filters leave; `masteries` is the whole class.
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    masteries: ClassMasteries
    at: dt.datetime
    filters: Filters
    bands: tuple[Band, ...] = BANDS

    @property
    def are_names_hidden(self) -> bool:
        """Whether this is for a projector."""
        return self.filters.are_names_hidden

    @property
    def is_compact(self) -> bool:
        """Whether there are so many concepts that numbers have no room in the fields."""
        return len(self.columns) > ROOMY_UP_TO

    @property
    def has_words(self) -> bool:
        """Whether some band is a teacher's word."""
        return bool(self.masteries.is_stated.any())

    @property
    def practised(self) -> list[Column]:
        """Concepts on which somebody has answered."""
        return [column for column in self.columns if column.has_answers]

    @property
    def lines(self) -> list[tuple[Row, SafeString]]:
        """The rows with their fields as HTML."""
        places = [column.index for column in self.columns]
        return [(row, _cells(self.masteries, row.index, places)) for row in self.rows]

    def cell(self, row: Row, column: Column) -> Cell:
        """Return what is said of a learner and a concept."""
        place = (row.index, column.index)
        return Cell(
            band=BANDS[self.masteries.rank[place]],
            evidence_n=int(self.masteries.evidence_n[place]),
            percent=percent_of(float(self.masteries.prob[place])),
            lower_percent=percent_of(float(self.masteries.lower_prob[place])),
            is_set_by_teacher=bool(self.masteries.is_stated[place]),
        )


def make_grid(*, classroom: Classroom, at: dt.datetime, filters: Filters) -> Grid:
    """Return the class by concept, with a fixed number of queries for any class."""
    course = classroom.course
    bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
    learners = list(class_selectors.list_learners_of(classroom=classroom))
    if filters.are_names_hidden:
        learners.sort(key=lambda learner: learner.pseudonym)
    found = class_masteries.read_class(
        learner_ids=[learner.pk for learner in learners], course=course, at=at
    )
    shown = np.ones(len(learners), dtype=bool)
    if filters.band is not None:
        place = bank.concept_slugs.index(filters.concept)
        shown = found.rank[:, place] == filters.band.rank
    columns = _columns(bank, found, shown, filters)
    places = [column.index for column in columns]
    rows = tuple(
        Row(
            index=index,
            learner=learner,
            # By the place in the class, so that a group keeps the numbers of the whole grid.
            name=f"Learner {index + 1}" if filters.are_names_hidden else learner.label,
            mastered=int((found.rank[index, places] == Band.MASTERED.rank).sum()),
        )
        for index, learner in enumerate(learners)
        if shown[index]
    )
    return Grid(columns=columns, rows=rows, masteries=found, at=at, filters=filters)


def _columns(
    bank: content_selectors.CourseBank,
    found: ClassMasteries,
    shown: npt.NDArray[np.bool_],
    filters: Filters,
) -> tuple[Column, ...]:
    """Return the concepts that the filters leave, counted over the learners that they leave."""
    columns = []
    for index, pk in enumerate(bank.concept_ids.tolist()):
        has_answers = bool(found.evidence_n[shown, index].any())
        if filters.concept_ids is not None and pk not in filters.concept_ids:
            continue
        if filters.topics == PRACTISED and not has_answers:
            continue
        counts = np.bincount(found.rank[shown, index], minlength=len(BANDS)).tolist()
        columns.append(
            Column(
                index=index,
                pk=pk,
                slug=bank.concept_slugs[index],
                name=bank.concept_names[index],
                counts=dict(zip(BANDS, counts, strict=True)),
                has_answers=has_answers,
            )
        )
    return tuple(columns)


def _cells(found: ClassMasteries, row: int, places: list[int]) -> SafeString:
    """Return a learner's fields as HTML.

    Not by the template: a class of 200 by 100 concepts has twenty thousand of them, and only a few
    hundred different ones.
    """
    ranks, counts = found.rank[row, places].tolist(), found.evidence_n[row, places].tolist()
    stated = found.is_stated[row, places].tolist()
    cells = map(_cell_html, ranks, counts, stated)
    return mark_safe("".join(cells))  # noqa: S308 - made by format_html


@lru_cache(maxsize=4096)
def _cell_html(rank: int, evidence_n: int, is_stated: bool) -> SafeString:  # noqa: FBT001
    band = BANDS[rank]
    said = (
        format_html("<b>{}</b>", evidence_n)
        if evidence_n
        else mark_safe('<span class="hidden">no answers</span>')
    )
    return format_html(
        '<td class="{}"><span class="hidden">{}, </span>{}</td>',
        f"{band.value} stated" if is_stated else band.value,
        f"{band.label} (set by teacher)" if is_stated else band.label,
        said,
    )
