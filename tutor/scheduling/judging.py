"""Demotes an estimate where it does worse than the next rung, and lets it come back.

By class, and for whoever no class speaks for in the course as a whole; there for all concepts or
one. The network is held against the filter alone; what is known of a learner, against the item's
difficulty alone. While one is demoted it goes on predicting in the shadow: what it would have said
is scored, and where it has shown to do no harm it counts again. Every verdict is on answers since
the one before: what took it out cannot take it out twice.
"""

import dataclasses
import datetime as dt
import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from django.db import transaction
from django.db.models import Max

from tutor.classes import selectors as class_selectors
from tutor.classes.models import Classroom
from tutor.content import services as content_services
from tutor.content.models import Course
from tutor.registry import selectors as registry_selectors
from tutor.scheduling import contests, evidence
from tutor.scheduling.contests import Contest, Found
from tutor.scheduling.tallies import Tally
from tutor.tracing import distrust
from tutor.tracing import selectors as tracing_selectors
from tutor.tracing.models import DeepStanding, FilterStanding, Standing

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """A class, or the course as a whole, as it is judged.

    Attributes:
        classroom: the class; None for the course.
        cells: answers of late to items of which chances were stated.
        past: by concept, None for all of them, what became of its standings so far.
        words: what they are, as `distrust.list_words` has them.
    """

    classroom: Classroom | None
    cells: Tally
    past: Mapping[int | None, contests.Past]
    words: distrust.Words

    @property
    def class_id(self) -> int | None:
        return self.classroom and self.classroom.pk


Scores = Mapping[int | None, Found | None]


@dataclass(frozen=True, slots=True, eq=False)
class _Court:
    """A contest, and where the network counts meanwhile: `distrust.list_words` with what is new."""

    contest: Contest
    network: Mapping[int | None, distrust.Words]

    def score(self, cells: Tally, class_id: int | None) -> Found | None:
        return self.contest.score(cells, distrust.distrusted_in(self.network, class_id))

    def tells(self, cells: Tally, class_id: int | None) -> bool:
        found = self.score(cells, class_id)
        return found is not None and evidence.is_telling(found)


def judge_all(*, at: dt.datetime) -> int:
    """Judge the estimates of every course; return how many standings changed.

    A course that cannot be judged holds up no other: what it raised is raised at the end.
    """
    count, failed = 0, []
    for course in Course.objects.order_by("pk"):
        try:
            count += judge_course(course=course, at=at)
        except Exception as error:
            logger.exception("The estimates of course %s cannot be judged.", course.pk)
            failed.append(error)
    for error in failed:
        raise error
    return count


def judge_course(*, course: Course, at: dt.datetime) -> int:
    """Judge a course's estimates as a whole and by class; return how many standings changed.

    Of two who judge it at once, one is heard.
    """
    if registry_selectors.get_live_tracer(course_id=course.pk) is None:
        return 0
    # Before anything of them is read: what is said from now on has not been considered.
    known = _find_newest(course)
    course.refresh_from_db(fields=["revision"])
    tracer = tracing_selectors.get_tracer(course_id=course.pk, revision=course.revision)
    found: list[Standing] = []
    network = distrust.list_words(tracer=tracer)
    for contest in contests.list_contests(course=course, tracer=tracer, at=at):
        changed = _judge(_Court(contest, network), course, at)
        if contest.standings is DeepStanding:
            # The filter is not to blame for a network that has just been taken out.
            network = _with_news(network, changed)
        found += changed
    if found:
        with transaction.atomic():
            content_services.lock_course(course=course)
            if _find_newest(course) != known:
                return 0
            for row in found:
                row.save()
            # So that every process knows of it with the next answer.
            content_services.raise_revision(course=course)
    return len(found)


def _find_newest(course: Course) -> list[int | None]:
    """Return the id of the course's newest verdict on the network, and of that on the filter."""
    return [
        standings.objects.filter(course=course).aggregate(newest=Max("pk"))["newest"]
        for standings in (DeepStanding, FilterStanding)
    ]


def _with_news(
    words: Mapping[int | None, distrust.Words], changed: list[Standing]
) -> Mapping[int | None, distrust.Words]:
    found = {place: dict(said) for place, said in words.items()}
    for row in changed:
        found.setdefault(row.classroom_id, {})[row.concept_id] = row.counts
    return found


def _judge(court: _Court, course: Course, at: dt.datetime) -> list[Standing]:
    contest = court.contest
    everything = contest.cells
    classes = []
    silent, standing, everybody = np.ones((3, len(everything)), dtype=bool)
    for classroom, learner_ids in class_selectors.list_classes_with_learners(course=course):
        pk = classroom.pk
        own = everything.of_learners(learner_ids)
        place = _Place(
            classroom, everything.only(own), contest.past.get(pk, {}), contest.words.get(pk, {})
        )
        scores = _score_place(court, place)
        classes.append((place, scores))
        if court.tells(place.cells, pk):
            silent[own] = False
        if _is_out(place, scores):
            standing[own] = False
    # For whom no class speaks; else whoever is in none that is out; else everybody.
    chosen = next(
        (some for some in (silent, standing) if court.tells(everything.only(some), None)),
        everybody,
    )
    whole = _Place(
        None, everything.only(chosen), contest.past.get(None, {}), contest.words.get(None, {})
    )
    of_course = _decide(whole, _score_place(court, whole), held=whole.words)
    # A class that it is taken out of with the course may speak for it at once.
    news = {pk: told[0] for pk, told in of_course.items()}
    now = {**contest.words, None: {**whole.words, **news}}
    changes = [(whole, of_course)]
    for place, scores in classes:
        held = distrust.holding_in(now, place.class_id)
        changes.append((place, _decide(place, scores, held=held)))
    return [
        contest.standings(
            course=course,
            classroom=place.classroom,
            concept_id=concept,
            counts=counts,
            tracer_id=contest.tracer_id,
            at=at,
            evidence=dataclasses.asdict(found),
        )
        for place, changed in changes
        for concept, (counts, found) in changed.items()
    ]


def _score_place(court: _Court, place: _Place) -> Scores:
    """Return the scores since the last verdicts: of each concept, and of all of them (None).

    Of all without those that are out by themselves: one bad concept must not take the others along.
    """
    cells, class_id = place.cells, place.class_id
    fresh = {
        concept: cells.only(cells.since(past.changed_at.timestamp()))
        for concept, past in place.past.items()
    }
    scores: dict[int | None, Found | None] = {}
    for pk in np.unique(cells.concept_id).tolist():
        own = fresh.get(pk, cells)
        scores[pk] = court.score(own.only(own.concept_id == pk), class_id)
    together = fresh.get(None, cells)
    rest = together.only(~np.isin(together.concept_id, sorted(_list_out(place, scores))))
    # Only where too little is left to tell by do those count as well.
    chosen = rest if court.tells(rest, class_id) else together
    scores[None] = court.score(chosen, class_id)
    return scores


def _list_out(place: _Place, scores: Scores) -> set[int]:
    """Return the concepts that are out by themselves, or will be."""
    found = {pk for pk, counts in place.words.items() if not counts}
    found |= {pk for pk, own in scores.items() if own is not None and _does_harm(own)}
    return {pk for pk in found if pk is not None}


def _does_harm(found: Found) -> bool:
    return evidence.decide(found, counted=True) is False


def _is_out(place: _Place, scores: Scores) -> bool:
    """Test whether the estimate is out of a place as a whole, or will be."""
    found = scores[None]
    return not place.words.get(None, True) or (found is not None and _does_harm(found))


def _decide(
    place: _Place, scores: Scores, *, held: distrust.Words
) -> dict[int | None, tuple[bool, Found]]:
    """Return by concept whether the estimate counts from now on, where that is news, and why.

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
