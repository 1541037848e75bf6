"""What is held against what in a course: network against filter, and both against difficulty.

Answers of the last thirty days are read in pieces and kept as sums by learner and concept, so that
a course of any size is judged in the memory that its learners take. Bounds for all looks
together (`evidence`) assume that answers only become more: as the window slides, they are a guide.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from tutor.content.models import Course
from tutor.scheduling import scoring, tallies, trust
from tutor.scheduling.scoring import PersonalScore, Score
from tutor.scheduling.tallies import Tally
from tutor.scheduling.trust import Outcomes
from tutor.tracing import distrust, engine
from tutor.tracing.models import DeepStanding, FilterStanding, Standing

Found = Score | PersonalScore


@dataclass(frozen=True, slots=True)
class Past:
    """When a standing last changed, and how often the estimate came back there."""

    changed_at: dt.datetime
    returns: int


Pasts = Mapping[int | None, Mapping[int | None, Past]]


@dataclass(frozen=True, slots=True, eq=False)
class Contest:
    """Two estimates of a course's answers.

    Attributes:
        standings: where verdicts are kept.
        tracer_id: the live version.
        words: class id, None for the course -> concept -> whether the judged one counts.
        past: what became of each standing: class id, None for the course -> concept -> that.
        cells: the answers.
        score: gives the score of some cells where the network does not count on some concepts, None
            among them for all.
    """

    standings: type[Standing]
    tracer_id: int
    words: Mapping[int | None, distrust.Words]
    past: Pasts
    cells: Tally
    score: Callable[[Tally, frozenset[int | None]], Found | None]


@dataclass(frozen=True, slots=True, eq=False)
class _Kind:
    """What is held against what, before any answer is read."""

    standings: type[Standing]
    tracer_ids: list[int]
    words: Mapping[int | None, distrust.Words]
    past: Pasts
    tally: Callable[..., Tally]
    score: Callable[[Tally, frozenset[int | None]], Found | None]
    sum: tallies.Adding

    def take(self, piece: Outcomes) -> None:
        """Add up the answers that were foretold by what is judged."""
        moments = {one.changed_at.timestamp() for own in self.past.values() for one in own.values()}
        own = piece.only(np.isin(piece.tracer_id, self.tracer_ids))
        self.sum.add(self.tally(own, moments=moments))


def list_contests(*, course: Course, tracer: engine.CourseTracer, at: dt.datetime) -> list[Contest]:
    """Return what is to be judged in a course at `at`, in that order; the answers are read once."""
    kinds = _list_kinds(course, tracer)
    pieces = trust.iterate_outcomes(
        course_id=course.pk,
        since=at - trust.LOOKS_BACK,
        # A verdict given now counts all up to now as looked at, and nothing of later.
        until=at,
        tracer_ids=sorted({pk for kind in kinds for pk in kind.tracer_ids}),
    )
    for piece in pieces:
        for kind in kinds:
            kind.take(piece)
    return [
        Contest(
            standings=kind.standings,
            tracer_id=tracer.tracer_id,
            words=kind.words,
            past=kind.past,
            cells=kind.sum.total(),
            score=kind.score,
        )
        for kind in kinds
    ]


def _list_kinds(course: Course, tracer: engine.CourseTracer) -> list[_Kind]:
    of_filter = distrust.list_same_filter(tracer=tracer)
    personal = _Kind(
        FilterStanding,
        of_filter,
        words=distrust.list_filter_words(tracer=tracer),
        past=_list_past(FilterStanding, course, of_filter),
        tally=scoring.tally_personal,
        score=lambda cells, distrusted: scoring.score_personal(cells, distrusted=distrusted),
        sum=tallies.Adding(),
    )
    if tracer.deep is None:
        return [personal]
    of_network = distrust.list_same_network(tracer=tracer)
    network = _Kind(
        DeepStanding,
        of_network,
        words=distrust.list_words(tracer=tracer),
        past=_list_past(DeepStanding, course, of_network),
        tally=scoring.tally_network,
        score=lambda cells, _: scoring.score_network(cells),
        sum=tallies.Adding(),
    )
    return [network, personal]


def _list_past(standings: type[Standing], course: Course, tracer_ids: list[int]) -> Pasts:
    rows = standings.objects.filter(  # type: ignore[attr-defined]
        course=course, tracer__in=tracer_ids
    ).order_by("pk")
    found: dict[int | None, dict[int | None, Past]] = {}
    for place, concept, at, counts in rows.values_list("classroom", "concept", "at", "counts"):
        own = found.setdefault(place, {})
        before = own[concept].returns if concept in own else 0
        own[concept] = Past(changed_at=at, returns=before + counts)
    return found
