"""What the page on trust shows: stated chances beside what came, and who has had a say."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
from django.db.models import Q

from tutor.classes import selectors as class_selectors
from tutor.classes.models import Classroom
from tutor.content.models import Concept
from tutor.scheduling import calibrating, scoring, trust
from tutor.scheduling.calibrating import Bin
from tutor.scheduling.scoring import PersonalScore, Score
from tutor.teacher.trust_topics import Topics, list_topics
from tutor.tracing import distrust, due
from tutor.tracing import selectors as tracing_selectors
from tutor.tracing.deep import Rung
from tutor.tracing.models import DeepStanding, FilterStanding, Standing

SIZE, MARGIN = 240, 28
CHANGES_SHOWN = 20
SMALLEST_DOT, LARGEST_DOT = 3.0, 11.0

RUNGS = {
    Rung.DEEP: "quick and deep estimate together",
    Rung.STALE: "together, the deep one behind",
    Rung.LIVE: "quick estimate alone",
    Rung.DIFFICULTY: "difficulty alone: nothing known of the learner yet, or no better",
    Rung.ORDER: "your order: choosing failed",
}


@dataclass(frozen=True, slots=True)
class Dot:
    """A bin in the drawing; `title` says it in words."""

    x: str
    y: str
    radius: str
    title: str


@dataclass(frozen=True, slots=True)
class ConceptRow:
    """A topic's answers, how estimates did on them, and whether the deep one counts there."""

    concept: Concept
    score: Score
    counts: bool


@dataclass(frozen=True, slots=True)
class RungRow:
    """What some of the items were chosen from.

    Attributes:
        words: which estimate.
        count: items chosen so.
        age: how old the deep predictions were, the median in words; empty where there were none.
        lag: how many answers they had not seen, the median; None likewise.
    """

    words: str
    count: int
    age: str
    lag: float | None


@dataclass(frozen=True, slots=True)
class TrustCard:
    """A class's last thirty days.

    Attributes:
        answers: first answers without help to items with a stated chance.
        bins: by stated chance; `dots` draws them.
        topics: the same by topic.
        score: how the estimates did where both had a say, under the network in use; None where the
            deep one never had.
        counts: whether the deep estimate counts in this class at all.
        speaks: whether that is by this class's own answers; else by those of the whole course.
        personal: how the estimate that counts did beside the items' difficulty alone; None where
            nobody had said anything yet.
        by_difficulty: whether items are chosen by difficulty alone: of all topics; else `topics_so`
            are the topics of which they are.
        concepts: by topic, those with most answers first.
        rungs: what items were chosen from, best first.
        changes: when either was demoted or came back, here or in the whole course, newest first.
        backlog: what waits for a worker, of the whole course.
    """

    answers: int
    bins: tuple[Bin, ...]
    dots: tuple[Dot, ...]
    topics: Topics
    score: Score | None
    has_network: bool
    counts: bool
    speaks: bool
    personal: PersonalScore | None
    by_difficulty: bool
    topics_so: tuple[str, ...]
    concepts: tuple[ConceptRow, ...]
    rungs: tuple[RungRow, ...]
    changes: tuple[Standing, ...]
    backlog: due.Backlog


def make_card(*, classroom: Classroom, at: dt.datetime) -> TrustCard:
    """Return what is known of a class's estimates."""
    learners = class_selectors.list_learners_of(classroom=classroom).values_list("pk", flat=True)
    since = at - trust.LOOKS_BACK
    outcomes = trust.read_outcomes(
        learner_ids=list(learners), course_id=classroom.course_id, since=since
    )
    course = classroom.course
    tracer = tracing_selectors.get_tracer(course_id=course.pk, revision=course.revision)
    words = distrust.list_words(tracer=tracer)
    distrusted = distrust.distrusted_in(words, classroom.pk)
    bins = tuple(calibrating.calibrate(outcomes))
    # Of an earlier network nothing is to be said of the one in use.
    tracers = distrust.list_same_network(tracer=tracer)
    own = outcomes.only(np.isin(outcomes.tracer_id, tracers))
    filters = distrust.list_same_filter(tracer=tracer)
    known = outcomes.only(np.isin(outcomes.tracer_id, filters))
    simple = distrust.distrusted_in(distrust.list_filter_words(tracer=tracer), classroom.pk)
    topics_so = Concept.objects.filter(pk__in=simple - {None}).order_by("position")
    return TrustCard(
        answers=len(outcomes),
        bins=bins,
        dots=_draw(bins),
        topics=list_topics(outcomes),
        score=scoring.score(own),
        has_network=tracer.deep is not None,
        counts=None not in distrusted,
        speaks=None in words.get(classroom.pk, {}),
        personal=scoring.score_personal(scoring.tally_personal(known), distrusted=distrusted),
        by_difficulty=None in simple,
        topics_so=tuple(topics_so.values_list("name", flat=True)),
        concepts=_concepts(own, distrusted),
        rungs=_rungs(classroom, since),
        changes=_changes(classroom),
        backlog=due.measure(course_id=course.pk),
    )


def _changes(classroom: Classroom) -> tuple[Standing, ...]:
    here = Q(classroom=classroom) | Q(classroom=None)
    found: list[Standing] = []
    for standings in (DeepStanding, FilterStanding):
        rows = standings.objects.filter(here, course=classroom.course_id)
        found += rows.select_related("concept").order_by("-pk")[:CHANGES_SHOWN]
    return tuple(sorted(found, key=lambda row: row.at, reverse=True)[:CHANGES_SHOWN])


def _rungs(classroom: Classroom, since: dt.datetime) -> tuple[RungRow, ...]:
    counted = trust.count_rungs(classroom=classroom, since=since)
    fresh = trust.measure_freshness(classroom=classroom, since=since)
    return tuple(
        RungRow(
            words,
            counted[rung],
            age=say_span(fresh[rung].age_s) if rung in fresh else "",
            lag=fresh[rung].lag if rung in fresh else None,
        )
        for rung, words in RUNGS.items()
        if counted[rung]
    )


def say_span(seconds: float) -> str:
    """Return a span of time in its largest fitting unit: 40 s, 12 min, 5 h, 3 days."""
    for unit, size, until in (("s", 1, 90), ("min", 60, 90), ("h", 3600, 48)):
        count = round(seconds / size)
        if count < until:
            return f"{count}\N{NO-BREAK SPACE}{unit}"
    return f"{round(seconds / 86400)}\N{NO-BREAK SPACE}days"


def _concepts(
    outcomes: trust.Outcomes, distrusted: frozenset[int | None]
) -> tuple[ConceptRow, ...]:
    scores = scoring.score_by_concept(outcomes)
    named = Concept.objects.in_bulk(list(scores))
    rows = [
        ConceptRow(named[pk], own, counts=not distrusted & {pk, None}) for pk, own in scores.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.score.n, row.concept.position)))


def _draw(bins: tuple[Bin, ...]) -> tuple[Dot, ...]:
    most = max((one.n for one in bins), default=1)
    span = SIZE - 2 * MARGIN
    return tuple(
        Dot(
            x=f"{MARGIN + one.expected * span:.1f}",
            y=f"{SIZE - MARGIN - one.right * span:.1f}",
            # Areas go with the number of answers.
            radius=f"{max(SMALLEST_DOT, LARGEST_DOT * (one.n / most) ** 0.5):.1f}",
            title=f"said {one.expected:.0%}, {one.right:.0%} right, {one.n} answers",
        )
        for one in bins
    )
