"""One concept of a class: who stands where, what goes wrong, and which questions it happens in."""

from collections.abc import Iterable
from dataclasses import dataclass

from tutor.classes.models import Classroom
from tutor.common.errors import NotVisible
from tutor.content import selectors as content_selectors
from tutor.content.models import Item
from tutor.content.rendered import RenderedItem
from tutor.responses import tallies
from tutor.responses.tallies import Scope, Tally
from tutor.teacher import activity, wrong_answers
from tutor.teacher.activity import Week
from tutor.teacher.filters import Filters
from tutor.teacher.overview import BANDS, Cell, Column, Grid, Row
from tutor.teacher.wrong_answers import Mistakes
from tutor.tracing.bands import Band


@dataclass(frozen=True, slots=True)
class Group:
    """The learners in one band, those with the least chance first."""

    band: Band
    members: tuple[tuple[Row, Cell], ...]


@dataclass(frozen=True, slots=True)
class ItemLine:
    """An item of the concept with what the class made of it within the dates."""

    slug: str
    status: str
    tally: Tally


@dataclass(frozen=True, slots=True)
class ConceptView:
    """A concept of a class."""

    column: Column
    groups: tuple[Group, ...]
    whole: Tally
    weeks: tuple[Week, ...]
    items: tuple[ItemLine, ...]
    mistakes: Mistakes


def find_column(grid: Grid, *, slug: str) -> Column:
    """Return the concept of that slug.

    Raises:
        NotVisible: the course has no such concept.
    """
    found = next((column for column in grid.columns if column.slug == slug), None)
    if found is None:
        raise NotVisible("There is no such topic in this course.", concept=slug[:80])
    return found


def view_concept(*, classroom: Classroom, grid: Grid, column: Column) -> ConceptView:
    """Return a concept with its groups, its mistakes and its items."""
    scope = _scope(classroom, grid, column)
    by_day = tallies.sum_by_day(scope)
    return ConceptView(
        column=column,
        groups=group(grid, column),
        whole=by_day.whole(),
        weeks=activity.list_weeks(scope, by_day, filters=grid.filters),
        items=_items(tallies.sum_by_item(scope).by_key()),
        mistakes=wrong_answers.find_mistakes(
            scope, course=classroom.course, with_typed=not grid.are_names_hidden
        ),
    )


def group(grid: Grid, column: Column) -> tuple[Group, ...]:
    """Return the learners of the grid by band, the lowest band first."""
    cells = [(row, grid.cell(row, column)) for row in grid.rows]
    cells.sort(key=lambda pair: pair[1].percent)
    return tuple(
        Group(band, tuple(pair for pair in cells if pair[1].band is band)) for band in BANDS
    )


def _scope(classroom: Classroom, grid: Grid, column: Column) -> Scope:
    ids = [row.learner.pk for row in grid.rows]
    return activity.scope_of(
        classroom=classroom, learner_ids=ids, filters=grid.filters, concept=column.pk
    )


def _items(by_item: dict[int, Tally]) -> tuple[ItemLine, ...]:
    """Return the items that were answered, those with most answers first."""
    items = Item.objects.in_bulk(by_item)
    lines = [
        ItemLine(items[pk].slug, items[pk].get_status_display(), own) for pk, own in by_item.items()
    ]
    return tuple(sorted(lines, key=lambda line: (-line.tally.answers, line.slug)))


@dataclass(frozen=True, slots=True)
class ItemView:
    """An item as the class met it: the question, the sums and its mistakes."""

    item: Item
    shown: RenderedItem
    concepts: tuple[str, ...]
    tally: Tally
    mistakes: Mistakes


def view_item(
    *, classroom: Classroom, learner_ids: Iterable[int], slug: str, filters: Filters
) -> ItemView:
    """Return an item of the class's course as these learners met it.

    Raises:
        NotVisible: the course has no such item.
    """
    course = classroom.course
    items = Item.objects.filter(course=course, current__isnull=False).select_related("current")
    # PostgreSQL does not even compare with NUL.
    item = items.filter(slug=slug.replace("\x00", "\ufffd")).first()
    if item is None or item.current is None:
        raise NotVisible("There is no such question in this course.", item=slug[:80])
    scope = activity.scope_of(
        classroom=classroom, learner_ids=learner_ids, filters=filters, item=item.pk
    )
    bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
    concepts = content_selectors.get_concepts_of_version(version_id=item.current.pk)
    return ItemView(
        item=item,
        shown=content_selectors.get_rendered_item(version_id=item.current.pk, seed=0),
        concepts=tuple(bank.concept_names[bank.index_of_concept[pk]] for pk in concepts),
        tally=tallies.sum_by_item(scope).whole(),
        mistakes=wrong_answers.find_mistakes(
            scope, course=course, most=40, with_typed=not filters.are_names_hidden
        ),
    )
