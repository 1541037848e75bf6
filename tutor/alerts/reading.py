"""What alerts are noticed in: the recent log of a course's learners, read in a few queries.

As many queries for any number of learners and of classes of the course, and none that reads more
of the log than its last days: by the index of a learner's history.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, F, Max, Min, OuterRef, Subquery, Window
from django.db.models.functions import RowNumber

from tutor.accounts.models import Learner
from tutor.classes import terms
from tutor.classes.models import Assignment, Classroom, Enrolment
from tutor.content import selectors as content_selectors
from tutor.content.models import Course, ItemVersionConcept
from tutor.content.selectors import CourseBank
from tutor.outlook import engine as outlook_engine
from tutor.outlook import selectors as outlook
from tutor.outlook.selectors import ForecastRow
from tutor.practice import remarks
from tutor.practice.models import SetAside, TeacherNote
from tutor.responses import tallies
from tutor.responses.models import HintRequest, Response
from tutor.responses.tallies import Scope
from tutor.scheduling import stuck
from tutor.scheduling.stuck import Waiting
from tutor.tracing import awards as tracing_awards
from tutor.tracing import class_masteries
from tutor.tracing import selectors as tracing_selectors
from tutor.tracing.class_masteries import ClassMasteries

# Answers older than this, or further back than so many, say nothing of how somebody works now.
RECENT_FOR = dt.timedelta(days=7)
RECENT = 20
# Nobody reads a hint faster than this.
READS_HINT_FOR = dt.timedelta(seconds=4)
# "I have not learnt this yet" is taken up in the next lessons, or not at all.
UNTAUGHT_FOR = dt.timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Answer:
    """A first answer that counts, as far as it tells how somebody works.

    Attributes:
        at: when it was given.
        concept_id: the main concept of its item; None of an item without one.
        is_right: right, with or without help.
        is_alone: without a hint.
        elapsed_ms: from question to answer; None where it is not known.
        misconception: slug, or "".
        presentation: the showing, by which its receipt is found; None of an imported log.
        skimmed: whether it came after two hints or more, each opened within `READS_HINT_FOR`.
    """

    at: dt.datetime
    concept_id: int | None
    is_right: bool
    is_alone: bool
    elapsed_ms: int | None
    misconception: str
    presentation: uuid.UUID | None
    skimmed: bool


@dataclass(frozen=True, slots=True)
class Looked:
    """What is known of some learners of a course at a moment.

    Attributes:
        ideas: misconception slug -> its name and what learners are told.
        members: class id -> learner id -> since when they are in the class.
        learners: by id, with their users.
        recent: learner id -> their newest first answers, the newest first, at most `RECENT`.
        last_at: learner id -> their newest answer; None for whoever has none.
        notes: class id -> calls for help, newest first, as `remarks.list_fresh_notes` has them.
        waiting: who is stuck on what.
        forecasts: who is named at risk of missing a date.
        running: class id -> assignments that may run for somebody, the nearest date first.
        practicable: ids of the concepts that some item can be practised on.
        masteries: of all of them.
        awarded: learner id -> concept ids.
        untaught: (learner id, concept id, when) of what they said they have not learnt.
    """

    course: Course
    bank: CourseBank
    ideas: Mapping[str, tuple[str, str]]
    at: dt.datetime
    members: Mapping[int, Mapping[int, dt.datetime]]
    learners: Mapping[int, Learner]
    recent: Mapping[int, Sequence[Answer]]
    last_at: Mapping[int, dt.datetime | None]
    notes: Mapping[int, Sequence[TeacherNote]]
    waiting: Sequence[Waiting]
    forecasts: Sequence[ForecastRow]
    running: Mapping[int, Sequence[Assignment]]
    practicable: frozenset[int]
    masteries: ClassMasteries
    awarded: Mapping[int, frozenset[int]]
    untaught: Sequence[tuple[int, int, dt.datetime]]


def look(*, classrooms: Sequence[Classroom], at: dt.datetime) -> Looked:
    """Return what is known of the learners of some classes of one course."""
    course = classrooms[0].course
    members, learners = _read_members(classrooms)
    ids = list(learners)
    return Looked(
        course=course,
        bank=content_selectors.get_bank(course_id=course.pk, revision=course.revision),
        ideas=content_selectors.get_misconceptions(course_id=course.pk, revision=course.revision),
        at=at,
        members=members,
        learners=learners,
        recent=list_recent(course_id=course.pk, learner_ids=ids, at=at),
        last_at=_read_last(course.pk, ids),
        notes={
            one.pk: list(remarks.list_fresh_notes(classroom=one, at=at, most=len(ids) + 20))
            for one in classrooms
        },
        waiting=stuck.list_waiting(course_id=course.pk, learner_ids=ids),
        forecasts=outlook.list_at_risk_in(classrooms=classrooms, at=at),
        running=_read_running(classrooms, at),
        practicable=outlook_engine.practicable(
            tracing_selectors.get_tracer(course_id=course.pk, revision=course.revision)
        ),
        masteries=class_masteries.read_class(learner_ids=ids, course=course, at=at),
        awarded=_read_awarded(course.pk, ids),
        untaught=_read_untaught(course.pk, ids, at),
    )


def _read_members(
    classrooms: Sequence[Classroom],
) -> tuple[dict[int, dict[int, dt.datetime]], dict[int, Learner]]:
    members: dict[int, dict[int, dt.datetime]] = {one.pk: {} for one in classrooms}
    learners = {}
    rows = Enrolment.objects.filter(classroom__in=classrooms).select_related("learner__user")
    for row in rows.order_by("learner__user__first_name", "learner__user__last_name", "learner"):
        members[row.classroom_id][row.learner_id] = row.created_at
        learners[row.learner_id] = row.learner
    return members, learners


def list_recent(
    *, course_id: int, learner_ids: Sequence[int], at: dt.datetime
) -> dict[int, list[Answer]]:
    """Return learner id -> their newest first answers that count, for those who have any."""
    scope = Scope(course_id, tuple(learner_ids), since=at - RECENT_FOR)
    place = Window(
        RowNumber(),
        partition_by=[F("learner")],
        order_by=[F("answered_at").desc(), F("pk").desc()],
    )
    rows = (
        tallies.list_standing_in(scope)
        .filter(attempt=1, is_pilot=False, answered_at__lte=at)
        .annotate(place=place)
        .filter(place__lte=RECENT)
        .order_by("learner", "place")
        .values_list(
            "learner",
            "answered_at",
            "item_version",
            "is_correct",
            "hints_seen",
            "elapsed_ms",
            "misconception",
            "presentation",
            "place",
        )
    )
    found = list(rows)
    concepts = _main_concepts({row[2] for row in found})
    skimmed = _list_skimmed([row[7] for row in found if row[4] > 1 and row[7] is not None])
    recent: dict[int, list[Answer]] = {}
    for learner, moment, version, right, hints, elapsed, idea, shown, _ in found:
        answer = Answer(
            at=moment,
            concept_id=concepts.get(version),
            is_right=right,
            is_alone=not hints,
            elapsed_ms=elapsed,
            misconception=idea,
            presentation=shown,
            skimmed=shown in skimmed,
        )
        recent.setdefault(learner, []).append(answer)
    return recent


def _main_concepts(versions: Collection[int]) -> dict[int, int]:
    rows = ItemVersionConcept.objects.filter(version__in=versions).order_by("version", "-position")
    # The one of the lowest position comes last, and stays.
    return dict(rows.values_list("version", "concept"))


def _list_skimmed(presentations: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Return the showings whose hints were opened faster than anybody reads them."""
    rows = (
        HintRequest.objects.filter(presentation__in=presentations)
        .order_by()
        .values("presentation")
        .annotate(n=Count("pk"), first=Min("at"), last=Max("at"))
        .filter(n__gt=1)
        .values_list("presentation", "n", "first", "last")
    )
    return {shown for shown, n, first, last in rows if last - first < (n - 1) * READS_HINT_FOR}


def _read_last(course_id: int, ids: Sequence[int]) -> dict[int, dt.datetime | None]:
    """Return learner id -> when they last answered: one entry of the index for each."""
    newest = Response.objects.filter(learner=OuterRef("pk"), course=course_id)
    newest = newest.order_by("-answered_at", "-pk").values("answered_at")[:1]
    rows = Learner.objects.filter(pk__in=ids).annotate(last_at=Subquery(newest))
    return dict(rows.values_list("pk", "last_at"))


def _read_running(classrooms: Sequence[Classroom], at: dt.datetime) -> dict[int, list[Assignment]]:
    """Return class id -> the assignments that may run for somebody, the nearest date first.

    Also those that are over, where somebody has another date.
    """
    course = classrooms[0].course
    decided = terms.read(course_id=course.pk, revision=course.revision)
    opened = Assignment.objects.filter(classroom__in=classrooms, opens_at__lte=at)
    found: dict[int, list[Assignment]] = {one.pk: [] for one in classrooms}
    for row in opened.order_by(F("due_at").asc(nulls_last=True), "pk"):
        if row.due_at is None or row.due_at > at or row.pk in decided:
            found[row.classroom_id].append(row)
    return found


def _read_awarded(course_id: int, ids: Sequence[int]) -> dict[int, frozenset[int]]:
    found: dict[int, set[int]] = {}
    rows = tracing_awards.list_award_days(course_id=course_id, learner_ids=ids)
    for learner, concept, _ in rows:
        found.setdefault(learner, set()).add(concept)
    return {learner: frozenset(own) for learner, own in found.items()}


def _read_untaught(
    course_id: int, ids: Sequence[int], at: dt.datetime
) -> list[tuple[int, int, dt.datetime]]:
    rows = SetAside.objects.filter(
        learner__in=ids,
        session__course=course_id,
        kind=SetAside.Kind.UNLEARNT,
        at__gt=at - UNTAUGHT_FOR,
        at__lte=at,
    )
    found = list(rows.order_by("pk").values_list("learner", "decision__item_version", "at"))
    concepts = _main_concepts({version for _, version, _ in found if version is not None})
    return [
        (learner, concepts[version], moment)
        for learner, version, moment in found
        if version in concepts
    ]
