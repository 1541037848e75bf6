"""One learner as their teachers see them: concepts over time, what they did, what was done."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q

from tutor.accounts.models import Learner, User
from tutor.classes.models import Classroom, Enrolment, Teaching
from tutor.content import selectors as content_selectors
from tutor.practice import progress_lines
from tutor.practice.progress_lines import Line
from tutor.responses import tallies
from tutor.responses.tallies import Tally
from tutor.scheduling.models import SteeringRule, StuckRelease
from tutor.teacher import activity, overrides, rules
from tutor.teacher.activity import Week
from tutor.teacher.events import Event
from tutor.teacher.filters import Filters
from tutor.tracing import selectors as tracing_selectors


@dataclass(frozen=True, slots=True)
class LearnerView:
    """A learner in a class.

    Attributes:
        lines: all concepts in teaching order.
        whole, days, weeks: what they did within the dates.
        by_concept: concept slug -> the same, for those with answers.
    """

    lines: tuple[Line, ...]
    whole: Tally
    days: int
    weeks: tuple[Week, ...]
    by_concept: dict[str, Tally]

    @property
    def practised(self) -> list[tuple[Line, Tally]]:
        """The concepts with answers, each with the sums within the dates."""
        return [
            (line, self.by_concept.get(line.slug, tallies.NOTHING))
            for line in self.lines
            if line.points or line.mastery.evidence_n
        ]

    @property
    def others(self) -> list[Line]:
        """The concepts without an answer."""
        return [line for line in self.lines if not line.points and not line.mastery.evidence_n]


def view_learner(
    *, learner: Learner, classroom: Classroom, filters: Filters, at: dt.datetime
) -> LearnerView:
    """Return what is known of a learner in the class's course."""
    course = classroom.course
    scope = activity.scope_of(classroom=classroom, learner_ids=[learner.pk], filters=filters)
    bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
    by_concept, by_day = tallies.sum_by_concept(scope).by_key(), tallies.sum_by_day(scope)
    return LearnerView(
        lines=tuple(
            progress_lines.list_lines(learner=learner, course=course, at=at, with_untouched=True)
        ),
        whole=by_day.whole(),
        days=len(by_day.keys),
        weeks=activity.list_weeks(scope, by_day, filters=filters),
        by_concept={
            bank.concept_slugs[bank.index_of_concept[pk]]: own
            for pk, own in by_concept.items()
            if pk in bank.index_of_concept
        },
    )


def list_history(*, learner: Learner, classroom: Classroom, most: int = 50) -> list[Event]:
    """Return what changed for a learner in a class, newest first.

    Enrolment, rules that name them, what they were let go on from, awards, and what was decided of
    their assignments. Rules for everybody are on the rules' own page.
    """
    events = [
        *_enrolments(learner, classroom),
        *_rules(learner, classroom, most),
        *_releases(learner, classroom, most),
        *_awards(learner, classroom),
        *overrides.list_events(learner=learner, classroom=classroom, most=most),
    ]
    return sorted(events, key=lambda event: event.at, reverse=True)[:most]


def _enrolments(learner: Learner, classroom: Classroom) -> list[Event]:
    rows = Enrolment.objects.filter(learner=learner, classroom=classroom)
    return [Event(at, "Came into the class") for at in rows.values_list("created_at", flat=True)]


def _rules(learner: Learner, classroom: Classroom, most: int) -> list[Event]:
    rows = list(
        SteeringRule.objects.filter(classroom=classroom, learners=learner)
        .select_related("set_by", "item", "concept", "reverted_by__set_by")
        .order_by("-pk")[:most]
    )
    events = []
    for row, said in zip(rows, rules.describe_each(rows), strict=True):
        events.append(Event(row.at, f"Rule set: {said}", _name(row.set_by), row.reason))
        undone = getattr(row, "reverted_by", None)
        if undone is not None:
            told = f"Rule taken back: {said}"
            events.append(Event(undone.at, told, _name(undone.set_by), undone.reason))
    return events


def _releases(learner: Learner, classroom: Classroom, most: int) -> list[Event]:
    own_teachers = Teaching.objects.filter(classroom=classroom).values("teacher")
    rows = StuckRelease.objects.filter(
        # What another class's teacher did is not for this one's.
        Q(released_by__in=own_teachers) | Q(released_by__role=User.Role.ADMINISTRATOR),
        learner=learner,
        concept__course=classroom.course_id,
    )
    # A release names no class: what may have been written in another one stays there.
    elsewhere = Enrolment.objects.filter(
        learner=learner, classroom__course=classroom.course_id
    ).exclude(classroom=classroom)
    others = list(elsewhere.values_list("classroom", flat=True))
    teach_others = set(
        Teaching.objects.filter(classroom__in=others).values_list("teacher", flat=True)
    )

    def is_of_this_class(row: StuckRelease) -> bool:
        if row.released_by.role == User.Role.ADMINISTRATOR:
            return not others
        return row.released_by_id not in teach_others

    return [
        Event(
            row.at,
            f"Let go on with “{row.concept.name}” after {row.evidence_n} answers",
            _name(row.released_by),
            row.note if is_of_this_class(row) else "",
        )
        for row in rows.select_related("concept", "released_by").order_by("-pk")[:most]
    ]


def _awards(learner: Learner, classroom: Classroom) -> list[Event]:
    course = classroom.course
    bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
    awards = tracing_selectors.list_awards(learner=learner, course=course)
    return [
        Event(at, f"Awarded: “{bank.concept_names[bank.index_of_concept[pk]]}”")
        for pk, at in awards.items()
        if pk in bank.index_of_concept
    ]


def _name(user: object) -> str:
    return getattr(user, "display_name", "")
