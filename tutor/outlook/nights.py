"""The night's forecasts: every course, one worker at a time, everybody's before their goals."""

import datetime as dt
import logging
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from django.db import OperationalError
from django.db.models import Exists, OuterRef, Q, QuerySet

from tutor.classes import selectors as class_selectors
from tutor.classes import terms
from tutor.classes.models import Assignment
from tutor.common.alone import alone
from tutor.content.models import Course
from tutor.outlook import engine, goals, learning, services
from tutor.outlook.models import OutlookVersion
from tutor.responses import columns
from tutor.tracing import selectors as tracing_selectors
from tutor.tracing.engine import CourseTracer
from tutor.tracing.errors import NoTracer

logger = logging.getLogger(__name__)

LOCK = "forecast-goals"
# The hour that a night's forecasts are of, UTC: the beat sends for them some minutes later.
NIGHT = dt.timedelta(hours=4)
# Learners whose forecasts are made and stored together, at most.
PIECE_LEARNERS = 1_000
Progress = Callable[[int], object]
Goals = Sequence[tuple[Assignment, engine.Goal]]


def night_of(now: dt.datetime) -> dt.datetime:
    """Return the moment that the newest night's forecasts are of, at most a day before `now`.

    The same however often the night is tried again, so that no learner gets two rows of one night.
    """
    day = (now.astimezone(dt.UTC) - NIGHT).date()
    return dt.datetime.combine(day, dt.time(), dt.UTC) + NIGHT


def forecast_all(*, at: dt.datetime) -> int:
    """Forecast in every course with a running assignment; return how many forecasts were made.

    A course that fails is told of and does not hold up the others.

    Raises:
        OperationalError: the database failed in one of them; to be tried again at the same `at`.
    """
    made = 0
    failed: OperationalError | None = None
    with alone(LOCK) as is_alone:
        if not is_alone:
            return 0
        for course in list_courses(at=at):
            try:
                made += forecast_course(course=course, at=at)
            except Exception as reason:
                logger.exception("Goals of course %s could not be forecast.", course.slug)
                if isinstance(reason, OperationalError):
                    failed = reason
    if failed is not None:
        raise failed
    return made


def list_courses(*, at: dt.datetime) -> list[Course]:
    """Return the courses in which an assignment with a date runs."""
    running = _running(at).filter(classroom__course=OuterRef("pk"))
    return list(Course.objects.filter(Exists(running)).order_by("pk"))


def forecast_course(*, course: Course, at: dt.datetime, progress: Progress = lambda _: None) -> int:
    """Fit anew if that is due, then forecast everybody before every running assignment.

    All learners of the course's running classes are read and traced once, whatever the number of
    assignments, some at a time. Returns how many forecasts were made.
    """
    try:
        tracer = tracing_selectors.get_tracer(course_id=course.pk, revision=course.revision)
    except NoTracer:
        return 0
    version = find_version(course=course, tracer=tracer, at=at, progress=progress)
    fitted = None if version is None else engine.Fitted.from_body(version.body)
    running = list(_running(at).filter(classroom__course=course).order_by("pk"))
    members: dict[int, set[int]] = {}
    for learner_id, class_id in class_selectors.list_members_of(
        class_ids={row.classroom_id for row in running}
    ):
        members.setdefault(learner_id, set()).add(class_id)
    answers = columns.count_standing(course_id=course.pk)
    made = 0
    for piece in columns.in_pieces(
        sizes={pk: answers.get(pk, 0) for pk in members},
        answers=columns.PIECE_ANSWERS,
        learners=PIECE_LEARNERS,
    ):
        before = {
            pk: _goals_of(
                pk, [row for row in running if row.classroom_id in members[pk]], tracer, at
            )
            for pk in piece
        }
        told = _tell(tracer, before, fitted, at)
        made += sum(
            services.store_forecasts(
                assignment=row, told=told.get(row.pk, {}), version=version, at=at
            )
            for row in running
        )
    return made


def find_version(
    *, course: Course, tracer: CourseTracer, at: dt.datetime, progress: Progress = lambda _: None
) -> OutlookVersion | None:
    """Return the version to forecast by, fitted now if that is due; None for the rule of thumb."""
    answers = sum(columns.count_standing(course_id=course.pk).values())
    if learning.is_due(course=course, tracer=tracer, answers=answers):
        try:
            services.store_version(
                learning.learn(course=course, tracer=tracer, at=at, progress=progress)
            )
        except learning.TooFewLooks as reason:
            logger.info("Forecasts in %s are by the rule of thumb: %s", course.slug, reason)
            services.store_version(
                learning.refused(
                    course=course, tracer=tracer, at=at, answers=answers, reason=str(reason)
                )
            )
    newest = OutlookVersion.objects.filter(course=course).order_by("-pk").first()
    # Another tracer's logits are not those that its weights are for.
    if newest is None or not newest.counts or newest.tracer_id != tracer.tracer_id:
        return None
    return newest if learning.is_readable(newest) else None


def _tell(
    tracer: CourseTracer,
    before: Mapping[int, Goals],
    fitted: engine.Fitted | None,
    at: dt.datetime,
) -> dict[int, dict[int, engine.Told]]:
    """Return assignment id -> learner id -> forecast, of those with something left to reach.

    `before`: the goals by learner.
    """
    tracing, moment = engine.tracing_of(tracer), at.timestamp()
    histories = engine.read_histories(tracer=tracer, learner_ids=sorted(before))
    whose: list[tuple[int, int]] = []
    standings, features = [], []
    for learner_id, own in before.items():
        seen = engine.look_now(
            histories.get(learner_id, []), tracing, [goal for _, goal in own], at=moment
        )
        for place, standing in enumerate(seen.standings):
            if standing.left:
                whose.append((own[place][0].pk, learner_id))
                standings.append(standing)
                features.append(seen.features[place])
    found: dict[int, dict[int, engine.Told]] = {}
    told = engine.tell(standings, np.array(features), fitted)
    for (assignment_id, learner_id), one in zip(whose, told, strict=True):
        found.setdefault(assignment_id, {})[learner_id] = one
    return found


def _running(at: dt.datetime) -> QuerySet[Assignment]:
    """Return the assignments that run for the class, or have been given more time for somebody."""
    longer = terms.list_in_force().filter(assignment=OuterRef("pk"), until__gt=at)
    return Assignment.objects.filter(Q(due_at__gt=at) | Exists(longer), opens_at__lte=at)


def _goals_of(
    learner_id: int, rows: Sequence[Assignment], tracer: CourseTracer, at: dt.datetime
) -> Goals:
    """Return the goals that a learner has before them, by their own dates."""
    found = []
    for row in rows:
        own = goals.find(
            assignment=row, learner_id=learner_id, tracer=tracer, revision=tracer.bank.revision
        )
        if own is not None and own.opens_at <= at.timestamp() < own.due_at:
            found.append((row, own))
    return found
