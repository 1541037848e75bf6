"""Demotes the deep tracer where it does worse than the filter alone, and lets it come back.

By class, and for whoever no class speaks for in the course as a whole; there for all concepts or
one. While it is demoted it goes on predicting in the shadow: what it would have said is scored, and
where it has shown to do no harm it counts again. Every verdict is on answers since the one before:
what took it out cannot take it out twice.
"""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from django.db import transaction

from tutor.classes import selectors as class_selectors
from tutor.classes.models import Classroom
from tutor.content import services as content_services
from tutor.content.models import Course
from tutor.scheduling import evidence, trust
from tutor.scheduling.trust import Outcomes, Score
from tutor.tracing import distrust, engine
from tutor.tracing import selectors as tracing_selectors
from tutor.tracing.models import DeepStanding


@dataclass(frozen=True, slots=True)
class _Past:
    """When a standing last changed, and how often the network came back there."""

    changed_at: dt.datetime
    returns: int


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """A class, or the course as a whole, as it is judged.

    Attributes:
        classroom: the class; None for the course.
        outcomes: answers of late to items of which chances were stated.
        past: by concept, None for all of them, what became of its standings so far.
        words: what they are, as `distrust.list_words` has them.
    """

    classroom: Classroom | None
    outcomes: Outcomes
    past: Mapping[int | None, _Past]
    words: distrust.Words


Scores = Mapping[int | None, Score | None]


def judge_all(*, at: dt.datetime) -> int:
    """Judge the network of every course; return how many standings changed."""
    return sum(judge_course(course=course, at=at) for course in Course.objects.order_by("pk"))


def judge_course(*, course: Course, at: dt.datetime) -> int:
    """Judge a course's network as a whole and by class; return how many standings changed."""
    if not tracing_selectors.has_network(course_id=course.pk):
        return 0
    tracer = tracing_selectors.get_tracer(course_id=course.pk, revision=course.revision)
    found = _judge(course, tracer, at)
    if found:
        with transaction.atomic():
            DeepStanding.objects.bulk_create(found)
            # So that every process knows of it with the next answer.
            content_services.raise_revision(course=course)
    return len(found)


def _judge(course: Course, tracer: engine.CourseTracer, at: dt.datetime) -> list[DeepStanding]:
    tracers = distrust.list_same_network(tracer=tracer)
    words, past = distrust.list_words(tracer=tracer), _list_past(course, tracers)
    outcomes = trust.read_outcomes(
        course_id=course.pk, since=at - trust.LOOKS_BACK, tracer_ids=tracers
    )
    classes = []
    silent, standing, everybody = np.ones((3, len(outcomes)), dtype=bool)
    for classroom in Classroom.objects.filter(course=course).order_by("pk"):
        pk = classroom.pk
        learners = class_selectors.list_learners_of(classroom=classroom)
        own = np.isin(outcomes.learner_id, list(learners.values_list("pk", flat=True)))
        place = _Place(classroom, outcomes.only(own), past.get(pk, {}), words.get(pk, {}))
        scores = _score_place(place)
        classes.append((place, scores))
        silent &= ~(own & _tells(place.outcomes))
        standing &= ~(own & _is_out(place, scores))
    # For whom no class speaks; else whoever is in none that is out; else everybody.
    chosen = next((some for some in (silent, standing) if _tells(outcomes.only(some))), everybody)
    whole = _Place(None, outcomes.only(chosen), past.get(None, {}), words.get(None, {}))
    of_course = _decide(whole, _score_place(whole), held=whole.words)
    # A class that it is taken out of with the course may speak for it at once.
    now = {**words, None: {**whole.words, **{pk: told[0] for pk, told in of_course.items()}}}
    changes = [(whole, of_course)]
    for place, scores in classes:
        held = distrust.holding_in(now, place.classroom and place.classroom.pk)
        changes.append((place, _decide(place, scores, held=held)))
    return [
        DeepStanding(
            course=course,
            classroom=place.classroom,
            concept_id=concept,
            counts=counts,
            tracer_id=tracer.tracer_id,
            at=at,
            evidence=dataclasses.asdict(found),
        )
        for place, changed in changes
        for concept, (counts, found) in changed.items()
    ]


def _score_place(place: _Place) -> Scores:
    """Return the scores since the last verdicts: of each concept, and of all of them (None).

    Of all without those that are out by themselves: one bad concept must not take the others along.
    """
    fresh = {
        concept: place.outcomes.only(place.outcomes.at > past.changed_at.timestamp())
        for concept, past in place.past.items()
    }
    scores: dict[int | None, Score | None] = {}
    for pk in np.unique(place.outcomes.concept_id).tolist():
        own = fresh.get(pk, place.outcomes)
        scores[pk] = trust.score(own.only(own.concept_id == pk))
    together = fresh.get(None, place.outcomes)
    rest = together.only(~np.isin(together.concept_id, sorted(_list_out(place, scores))))
    # Only where too little is left to tell by do those count as well.
    scores[None] = trust.score(rest if _tells(rest) else together)
    return scores


def _tells(outcomes: Outcomes) -> bool:
    found = trust.score(outcomes)
    return found is not None and evidence.is_telling(found)


def _list_out(place: _Place, scores: Scores) -> set[int]:
    """Return the concepts that are out by themselves, or will be."""
    found = {pk for pk, counts in place.words.items() if not counts}
    found |= {pk for pk, own in scores.items() if own is not None and _does_harm(own)}
    return {pk for pk in found if pk is not None}


def _does_harm(found: Score) -> bool:
    return evidence.decide(found, counted=True) is False


def _is_out(place: _Place, scores: Scores) -> bool:
    """Test whether the network is out of a place as a whole, or will be."""
    found = scores[None]
    return not place.words.get(None, True) or (found is not None and _does_harm(found))


def _decide(
    place: _Place, scores: Scores, *, held: distrust.Words
) -> dict[int | None, tuple[bool, Score]]:
    """Return by concept whether the network counts from now on, where that is news, and why.

    `held`: what holds there until now. Where a whole course's verdict has taken it out, a class may
    say the same by itself: then the course's return does not bring it back there.
    """
    found = {}
    for concept, own in scores.items():
        if own is None:
            continue
        returns = place.past[concept].returns if concept in place.past else 0
        if place.words.get(concept, True) and _does_harm(own):
            found[concept] = (False, own)
        elif evidence.decide(own, counted=held.get(concept, True), returns=returns):
            found[concept] = (True, own)
    return found


def _list_past(course: Course, tracers: list[int]) -> dict[int | None, dict[int | None, _Past]]:
    """Return what became of each standing: class id, None for the course -> concept -> that."""
    rows = DeepStanding.objects.filter(course=course, tracer__in=tracers).order_by("pk")
    found: dict[int | None, dict[int | None, _Past]] = {}
    for place, concept, at, counts in rows.values_list("classroom", "concept", "at", "counts"):
        own = found.setdefault(place, {})
        before = own[concept].returns if concept in own else 0
        own[concept] = _Past(changed_at=at, returns=before + counts)
    return found
