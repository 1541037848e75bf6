"""How mastery went over time: the learner's own history folded once more, day by day."""

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

from tutor.accounts.models import Learner
from tutor.common.cache import new_cache
from tutor.content import selectors as content_selectors
from tutor.content.models import Course
from tutor.responses import selectors as response_selectors
from tutor.responses.selectors import FoldRow
from tutor.tracing import engine, selectors

# Half the width of the interval that 90 % of the filter's belief lies in, in standard deviations.
HALF_WIDTH = 1.6448536269514722

_folded = new_cache(capacity=64)
ToDay = Callable[[dt.datetime], dt.date]


@dataclass(frozen=True, slots=True)
class Point:
    """A concept at the end of a day on which it was practised; probabilities 0..1.

    `lower` and `upper` hold 90 % of the filter's belief. `right` of `answers` first tries of that
    day were right without help.
    """

    day: dt.date
    prob: float
    lower: float
    upper: float
    answers: int
    right: int


def list_trajectories(
    *, learner: Learner, course: Course, to_day: ToDay
) -> dict[int, tuple[Point, ...]]:
    """Return concept id -> its points, oldest first, for the concepts that have answers.

    By the filter: what a network said on a past day is not kept for pages. Some 50 µs an answer,
    once per answer of the learner and process.

    Args:
        learner: who.
        course: of the concepts.
        to_day: the day of a moment, where the learner is.
    """
    tracer = selectors.get_tracer(course_id=course.pk, revision=course.revision)
    newest = response_selectors.list_newest_ids(course_id=course.pk, learner_ids=[learner.pk])
    key = (learner.pk, tracer.tracer_id, course.revision, newest.get(learner.pk))
    return _folded.get(key, lambda: _fold(learner, course, tracer, to_day))


def _fold(
    learner: Learner, course: Course, tracer: engine.CourseTracer, to_day: ToDay
) -> dict[int, tuple[Point, ...]]:
    rows = response_selectors.iterate_fold_rows(course_id=course.pk, learner_ids=[learner.pk])
    found: dict[int, list[Point]] = {}
    state = engine.start(tracer)
    for day, own in groupby(rows, key=lambda row: to_day(row.answered_at)):
        practised: dict[int, list[FoldRow]] = {}
        last = None
        for row in own:
            concepts = content_selectors.get_concepts_of_version(version_id=row.version_id)
            state = engine.fold_one(tracer, state, row=row, concept_ids=concepts)
            last = row.answered_at
            for pk in concepts:
                practised.setdefault(pk, []).append(row)
        for pk, answered in practised.items():
            if last is not None and pk in tracer.bank.index_of_concept:
                found.setdefault(pk, []).append(_point(tracer, state, pk, day, last, answered))
    return {pk: tuple(points) for pk, points in found.items()}


def _point(
    tracer: engine.CourseTracer,
    state: engine.TracedLearner,
    concept_id: int,
    day: dt.date,
    at: dt.datetime,
    answered: list[FoldRow],
) -> Point:
    told = engine.estimate_concept(tracer, state, concept_id=concept_id, at=at.timestamp())
    spread = HALF_WIDTH * math.sqrt(told.logit_var)
    first = [row for row in answered if row.attempt == 1]
    return Point(
        day=day,
        prob=told.prob,
        lower=told.lower_prob,
        upper=1.0 / (1.0 + math.exp(-(told.logit_mean + spread))),
        answers=len(first),
        right=sum(row.credit >= 1.0 and row.hints_seen == 0 for row in first),
    )
