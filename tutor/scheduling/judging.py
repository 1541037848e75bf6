"""Demotes the deep tracer where it does worse than the filter alone, and lets it come back.

By class, and there for all concepts or one. While it is demoted it goes on predicting in the
shadow: what it would have said is scored, and where it has shown to do no harm it counts again.
Every verdict is on answers since the one before: what took it out cannot take it out twice.
"""

import dataclasses
import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from django.db import transaction

from tutor.classes import selectors as class_selectors
from tutor.classes.models import Classroom
from tutor.content import services as content_services
from tutor.content.models import Course
from tutor.scheduling import evidence, trust
from tutor.scheduling.trust import Score
from tutor.tracing import engine
from tutor.tracing import selectors as tracing_selectors
from tutor.tracing.models import DeepStanding


@dataclass(frozen=True, slots=True)
class _Past:
    """When a standing last changed, and how often the network came back there."""

    changed_at: dt.datetime
    returns: int


def judge_all(*, at: dt.datetime) -> int:
    """Judge the network of every course; return how many standings changed."""
    return sum(judge_course(course=course, at=at) for course in Course.objects.order_by("pk"))


def judge_course(*, course: Course, at: dt.datetime) -> int:
    """Judge a course's network class by class; return how many standings changed."""
    if not tracing_selectors.has_network(course_id=course.pk):
        return 0
    tracer = tracing_selectors.get_tracer(course_id=course.pk, revision=course.revision)
    found = [
        row
        for classroom in Classroom.objects.filter(course=course).order_by("pk")
        for row in _judge_class(classroom, tracer, at)
    ]
    if found:
        with transaction.atomic():
            DeepStanding.objects.bulk_create(found)
            # So that every process knows of it with the next answer.
            content_services.raise_revision(course=course)
    return len(found)


def _judge_class(
    classroom: Classroom, tracer: engine.CourseTracer, at: dt.datetime
) -> list[DeepStanding]:
    learners = list(
        class_selectors.list_learners_of(classroom=classroom).values_list("pk", flat=True)
    )
    tracers = tracing_selectors.list_same_network(tracer=tracer)
    distrusted = tracing_selectors.list_distrusted(tracer=tracer).get(classroom.pk, frozenset())
    outcomes = trust.read_outcomes(
        learner_ids=learners,
        course_id=tracer.bank.course_id,
        since=at - trust.LOOKS_BACK,
        tracer_ids=tracers,
    )
    history = _history(classroom, tracers)
    scores: dict[int | None, Score | None] = {**trust.score_by_concept(outcomes)}
    for concept, past in history.items():
        fresh = outcomes.only(outcomes.at > past.changed_at.timestamp())
        scores[concept] = trust.score(fresh.only(fresh.concept_id == (concept or 0)))
    alone = {pk for pk in distrusted if pk is not None}
    alone |= {
        pk
        for pk, own in scores.items()
        if own is not None and evidence.decide(own, counted=True) is False
    }
    since = history[None].changed_at if None in history else None
    scores[None] = _score_rest(
        outcomes if since is None else outcomes.only(outcomes.at > since.timestamp()), alone
    )
    return [
        DeepStanding(
            classroom=classroom,
            concept_id=concept,
            counts=counts,
            tracer_id=tracer.tracer_id,
            at=at,
            evidence=dataclasses.asdict(own),
        )
        for concept, own in scores.items()
        if own is not None
        and (
            counts := evidence.decide(
                own,
                counted=concept not in distrusted,
                returns=history[concept].returns if concept in history else 0,
            )
        )
        is not None
    ]


def _score_rest(outcomes: trust.Outcomes, alone: Collection[int]) -> Score | None:
    """Return the score of a whole class, without the concepts that are judged by themselves.

    One bad concept must not take the others along; only where too little is left to tell by does
    it count as well.
    """
    rest = trust.score(outcomes.only(~np.isin(outcomes.concept_id, sorted(alone))))
    return rest if rest is not None and evidence.is_telling(rest) else trust.score(outcomes)


def _history(classroom: Classroom, tracers: list[int]) -> Mapping[int | None, _Past]:
    """Return what became of each standing so far, by concept id; None: of all concepts."""
    rows = DeepStanding.objects.filter(classroom=classroom, tracer__in=tracers).order_by("pk")
    found: dict[int | None, _Past] = {}
    for concept, at, counts in rows.values_list("concept", "at", "counts"):
        before = found.get(concept)
        found[concept] = _Past(changed_at=at, returns=counts + (before.returns if before else 0))
    return found
