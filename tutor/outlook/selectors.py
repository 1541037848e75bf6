"""Reads of forecasts. Whoever asks has been let into the class before (`access_class`)."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet

from tutor.accounts.models import Learner
from tutor.classes import terms
from tutor.classes.models import Assignment, Classroom
from tutor.content.models import Course
from tutor.outlook import engine, goals, wording
from tutor.outlook.models import Forecast
from tutor.tracing import selectors as tracing_selectors
from tutor.tracing.engine import CourseTracer
from tutor.tracing.errors import NoTracer
from tutor.tracing.models import LearnerState

# Older forecasts say nothing of now: nobody has forecast since.
MOST_DAYS_OLD = 7
# A date that lies further off than this, in days, from the one that was forecast is another one.
SAME_DATE = 0.02


@dataclass(frozen=True, slots=True)
class ForecastRow:
    """What is forecast of a learner and an assignment.

    Attributes:
        learner: who.
        assignment: the goal: all of its concepts, by its date.
        made_at: when it was forecast.
        is_at_risk: named as at risk of missing the date.
        chance: of reaching it by the date, 0..1; None by the rule of thumb.
        low, high: its 90 % interval.
        median_at: when it is as likely as not to be reached; None: not within eight weeks.
        drivers: what speaks for and against it, in words, the most telling first.
        change: the smallest change with which it would not be at risk, in words; may be empty.
        by_model: whether a model said so, or the rule of thumb.
        source: what it is by, and how often naming was right.
        record: how such forecasts did on learners kept apart; may be empty.
        left, wanted: topics still to be mastered, and in the assignment.
        behind: share of the time that is over less the share of the goal reached.
        due_at: the learner's own date, which may be later than the assignment's.
    """

    learner: Learner
    assignment: Assignment
    made_at: dt.datetime
    is_at_risk: bool
    chance: float | None
    low: float | None
    high: float | None
    median_at: dt.datetime | None
    drivers: tuple[str, ...]
    change: str
    by_model: bool
    source: str
    record: str
    left: int
    wanted: int
    behind: float
    due_at: dt.datetime | None = None

    @property
    def is_late(self) -> bool:
        """Whether it is as likely as not reached only after the date, or not within sight."""
        return self.median_at is None or (self.due_at is not None and self.median_at > self.due_at)


def list_at_risk(*, classroom: Classroom, at: dt.datetime) -> list[ForecastRow]:
    """Return who is at risk of missing a running assignment's date, the likeliest to miss first.

    Whoever has reached the goal since the night is not listed any more, and nobody is before an
    assignment whose date or topics have been changed since: the next night tells of these.
    """
    return list_at_risk_in(classrooms=[classroom], at=at)


def list_at_risk_in(*, classrooms: Sequence[Classroom], at: dt.datetime) -> list[ForecastRow]:
    """Return the same of some classes of one course, with as many queries as for one class."""
    if not classrooms:
        return []
    rows = _list_newest(classrooms=classrooms, at=at).filter(is_at_risk=True)
    found = _rows(rows, course=classrooms[0].course)
    return sorted(found, key=_urgency)


def list_forecasts_of(
    *, learner: Learner, classroom: Classroom, at: dt.datetime
) -> list[ForecastRow]:
    """Return the newest forecasts of a learner of the class, the nearest date first."""
    rows = _list_newest(classrooms=[classroom], at=at, learner_ids=[learner.pk])
    return _rows(rows.order_by("assignment__due_at", "pk"), course=classroom.course)


def _list_newest(
    *,
    classrooms: Sequence[Classroom],
    at: dt.datetime,
    learner_ids: Collection[int] | None = None,
) -> QuerySet[Forecast]:
    """Return the newest forecast of each learner and assignment that runs, if it is new enough."""
    rows = Forecast.objects.filter(
        assignment__classroom__in=classrooms,
        assignment__opens_at__lte=at,
        # Who has left the class is nobody's concern here.
        learner__enrolments__classroom=F("assignment__classroom"),
        at__lte=at,
        at__gt=at - dt.timedelta(days=MOST_DAYS_OLD),
    )
    longer = terms.list_in_force().filter(
        Q(learner=OuterRef("learner")) | Q(learner=None),
        assignment=OuterRef("assignment"),
        until__gt=at,
    )
    rows = rows.filter(Q(assignment__due_at__gt=at) | Exists(longer))
    if learner_ids is not None:
        rows = rows.filter(learner__in=learner_ids)
    newest = rows.order_by().values("learner", "assignment").annotate(newest=Max("pk"))
    return Forecast.objects.filter(pk__in=newest.values("newest")).select_related(
        "learner__user", "assignment", "version"
    )


def _rows(rows: QuerySet[Forecast], *, course: Course) -> list[ForecastRow]:
    own = {
        one.pk: terms.find(
            assignment=one.assignment,
            learner_id=one.learner_id,
            course_id=course.pk,
            revision=course.revision,
        )
        for one in rows
    }
    found = [one for one in rows if _is_of_this_date(one, own[one.pk].due_at)]
    outdated = _list_outdated(found, course=course)
    return [_row(one, own[one.pk].due_at) for one in found if one.pk not in outdated]


def _is_of_this_date(row: Forecast, due_at: dt.datetime | None) -> bool:
    """Test whether the learner's date is still the one that was forecast."""
    if due_at is None:
        return False
    days_left = (due_at - row.at) / dt.timedelta(days=1)
    return abs(days_left - float(row.facts["days_left"])) <= SAME_DATE


def _list_outdated(rows: list[Forecast], *, course: Course) -> set[int]:
    """Return the forecasts whose goals have been reached or are other ones meanwhile."""
    try:
        tracer = tracing_selectors.get_tracer(course_id=course.pk, revision=course.revision)
    except NoTracer:
        return set()
    asked = {row.pk: _concepts_of(row, tracer, revision=course.revision) for row in rows}
    states = LearnerState.objects.filter(
        tracer=tracer.tracer_id, learner__in={row.learner_id for row in rows}
    )
    mastered = {
        pk: set(tracing_selectors.read_state(raw, floors).mastered.tolist())
        for pk, raw, floors in states.values_list("learner", "state", "floors")
    }
    return {
        row.pk
        for row in rows
        if row.facts.get("goal") != engine.name_goal(asked[row.pk])
        or asked[row.pk] <= mastered.get(row.learner_id, set())
    }


def _concepts_of(row: Forecast, tracer: CourseTracer, *, revision: int) -> frozenset[int]:
    """Return what is asked of the learner and can be practised; nothing of who is excused."""
    goal = goals.find(
        assignment=row.assignment, learner_id=row.learner_id, tracer=tracer, revision=revision
    )
    return frozenset(() if goal is None else goal.concept_ids)


def _row(row: Forecast, due_at: dt.datetime | None) -> ForecastRow:
    evidence = None if row.version is None else row.version.evidence
    record = ""
    if evidence is not None and row.chance is not None:
        record = wording.say_record(evidence["calibration"], row.chance)
    return ForecastRow(
        learner=row.learner,
        assignment=row.assignment,
        made_at=row.at,
        is_at_risk=row.is_at_risk,
        chance=row.chance,
        low=row.low,
        high=row.high,
        median_at=row.median_at,
        drivers=wording.say_drivers(row.drivers, row.facts),
        change=wording.say_change(row.change),
        by_model=row.version is not None,
        source=wording.say_source(evidence),
        record=record,
        left=row.facts["left"],
        wanted=row.facts["wanted"],
        behind=row.facts["behind"],
        due_at=due_at,
    )


def _urgency(row: ForecastRow) -> tuple[float, float, int]:
    """Order by the chance, else by how far behind."""
    chance = 1.0 if row.chance is None else row.chance
    return chance, -row.behind, row.learner.pk
