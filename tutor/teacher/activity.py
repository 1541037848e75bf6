"""What a class did: answers, time on task and growth, by week, by learner and by concept."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils import timezone

from tutor.classes.models import Classroom
from tutor.responses import tallies
from tutor.responses.tallies import NOTHING, Scope, Tally
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
        awards: given until the end of the week, of all time.
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
) -> Scope:
    """Return whose answers the filters mean."""
    return Scope(
        course_id=classroom.course_id,
        learner_ids=tuple(learner_ids),
        since=filters.begins,
        until=filters.ends,
        concept_id=concept,
        item_id=item,
    )


def find_activity(*, classroom: Classroom, grid: Grid) -> Activity:
    """Return what the learners of the grid did within its dates, in a fixed number of queries."""
    ids = [row.learner.pk for row in grid.rows]
    scope = scope_of(classroom=classroom, learner_ids=ids, filters=grid.filters)
    by_learner, days = tallies.tally_by_learner(scope), tallies.count_days(scope)
    by_concept = tallies.tally_by_concept(scope)
    return Activity(
        whole=add_up(by_learner.values()),
        weeks=list_weeks(scope, filters=grid.filters),
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


def add_up(parts: Iterable[Tally]) -> Tally:
    """Return the sums of sums, without `learners`: one may be in several parts."""
    every = list(parts)
    return Tally(
        answers=sum(one.answers for one in every),
        right=sum(one.right for one in every),
        helped=sum(one.helped for one in every),
        hints=sum(one.hints for one in every),
        spent_ms=sum(one.spent_ms for one in every),
        timed=sum(one.timed for one in every),
        last_at=max((one.last_at for one in every if one.last_at), default=None),
    )


def list_weeks(scope: Scope, *, filters: Filters) -> tuple[Week, ...]:
    """Return the weeks within the dates, the oldest first, those without answers too."""
    by_day = tallies.tally_by_day(scope)
    active: dict[dt.date, set[int]] = {}
    for day, learner in tallies.list_active_by_day(scope):
        active.setdefault(_monday(day), set()).add(learner)
    awarded = [
        timezone.localdate(at)
        for _, concept, at in tracing_awards.list_award_days(
            course_id=scope.course_id, learner_ids=scope.learner_ids
        )
        if scope.concept_id in {None, concept}
    ]
    weeks = []
    begins = _monday(filters.first_day)
    while begins <= filters.last_day:
        after = begins + dt.timedelta(weeks=1)
        own = _within(by_day, begins, after)
        weeks.append(
            Week(
                begins=begins,
                answers=sum(one.answers for one in own),
                right=sum(one.right for one in own),
                minutes=round(sum(one.spent_ms for one in own) / 60_000),
                learners=len(active.get(begins, ())),
                awards=sum(day < after for day in awarded),
            )
        )
        begins = after
    return tuple(weeks)


def _within(by_day: Mapping[dt.date, Tally], first: dt.date, before: dt.date) -> list[Tally]:
    days = (first + dt.timedelta(days=number) for number in range((before - first).days))
    return [by_day[day] for day in days if day in by_day]


def _monday(day: dt.date) -> dt.date:
    return day - dt.timedelta(days=day.weekday())
