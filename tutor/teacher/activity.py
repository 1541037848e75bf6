"""What a class did: answers, time on task and growth, by week, by learner and by concept."""

import bisect
import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils import timezone

from tutor.classes.models import Classroom
from tutor.responses import tallies
from tutor.responses.tallies import NOTHING, Scope, Sums, Tally
from tutor.teacher.filters import Filters
from tutor.teacher.overview import Grid, Row
from tutor.tracing import awards as tracing_awards


@dataclass(frozen=True, slots=True)
class Week:
    """A week that begins on `begins`, a Monday.

    Attributes:
        answers, right: first tries, and those right without help.
        minutes: time on task.
        learners: how many answered.
        awards: given until the end of the week or of the dates, of all time.
    """

    begins: dt.date
    answers: int
    right: int
    minutes: int
    learners: int
    awards: int

    @property
    def share_right(self) -> float | None:
        """Share of the first tries that were right without help; None without any."""
        return self.right / self.answers if self.answers else None


@dataclass(frozen=True, slots=True)
class LearnerLine:
    """A learner of the class with what they did within the dates."""

    row: Row
    tally: Tally
    days: int


@dataclass(frozen=True, slots=True)
class Activity:
    """A class within some dates: `whole`, by week and by learner in the grid's order."""

    whole: Tally
    weeks: tuple[Week, ...]
    learners: tuple[LearnerLine, ...]
    concepts: tuple[tuple[str, str, Tally], ...]

    @property
    def idle(self) -> int:
        """How many learners gave no answer within the dates."""
        return sum(not line.tally.answers for line in self.learners)


def scope_of(
    *,
    classroom: Classroom,
    learner_ids: Iterable[int],
    filters: Filters,
    concept: int | None = None,
    item: int | None = None,
    concepts: frozenset[int] | None = None,
) -> Scope:
    """Return whose answers the filters mean; on which concepts is for the page to say."""
    return Scope(
        course_id=classroom.course_id,
        learner_ids=tuple(learner_ids),
        since=filters.begins,
        until=filters.ends,
        concept_id=concept,
        item_id=item,
        concept_ids=concepts,
    )


def find_activity(*, classroom: Classroom, grid: Grid) -> Activity:
    """Return what the learners of the grid did within its dates, in a fixed number of queries."""
    ids = [row.learner.pk for row in grid.rows]
    scope = scope_of(
        classroom=classroom,
        learner_ids=ids,
        filters=grid.filters,
        concepts=grid.filters.concept_ids,
    )
    by_day = tallies.sum_by_day(scope)
    by_learner, days = by_day.by_learner(), by_day.count_keys()
    by_concept = tallies.sum_by_concept(scope).by_key()
    return Activity(
        whole=by_day.whole(),
        weeks=list_weeks(scope, by_day, filters=grid.filters),
        learners=tuple(
            LearnerLine(row, by_learner.get(row.learner.pk, NOTHING), days.get(row.learner.pk, 0))
            for row in grid.rows
        ),
        concepts=tuple(
            (column.slug, column.name, by_concept[column.pk])
            for column in grid.columns
            if column.pk in by_concept
        ),
    )


def list_weeks(scope: Scope, by_day: Sums[dt.date], *, filters: Filters) -> tuple[Week, ...]:
    """Return the weeks within the dates, the oldest first, those without answers too."""
    by_week = by_day.under(_monday).by_key()
    awarded = sorted(
        timezone.localdate(at)
        for _, concept, at in tracing_awards.list_award_days(
            course_id=scope.course_id, learner_ids=scope.learner_ids
        )
        if scope.concept_id in {None, concept}
        and (scope.concept_ids is None or concept in scope.concept_ids)
    )
    following = filters.last_day + dt.timedelta(days=1)
    first = _monday(filters.first_day)
    count = (filters.last_day - first).days // 7 + 1
    begins = [first + dt.timedelta(weeks=number) for number in range(count)]
    return tuple(
        Week(
            begins=begin,
            answers=own.answers,
            right=own.right,
            minutes=own.minutes,
            learners=own.learners,
            awards=bisect.bisect_left(awarded, min(begin + dt.timedelta(weeks=1), following)),
        )
        for begin, own in ((begin, by_week.get(begin, NOTHING)) for begin in begins)
    )


def _monday(day: dt.date) -> dt.date:
    return day - dt.timedelta(days=day.weekday())
