"""Reads of what learners said beside answering."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from tutor.accounts.models import Learner
from tutor.classes.models import Classroom
from tutor.content.models import ItemVersionConcept
from tutor.practice.models import (
    ItemReport,
    Pause,
    PracticeSession,
    SetAside,
    StepAnswer,
    TeacherNote,
)
from tutor.practice.selectors import Presentation
from tutor.scheduling.models import Decision
from tutor.scheduling.plans import RULES

# In one course, by the local calendar: a session begun anew brings none back.
SKIPS_PER_DAY = 2
# After so long a note is on its learner's page alone.
NOTES_FRESH_FOR = dt.timedelta(days=14)


def count_skips_left(*, session: PracticeSession, at: dt.datetime) -> int:
    """Return how many items the learner may still skip in the session's course on this day."""
    today = SetAside.objects.filter(
        learner=session.learner_id,
        session__course=session.course_id,
        kind=SetAside.Kind.SKIP,
        at__gte=_midnight(at),
    )
    return max(SKIPS_PER_DAY - today.count(), 0)


def list_resting_items(*, learner: Learner, course_id: int, at: dt.datetime) -> list[int]:
    """Return the ids of the items that the learner put off so lately that they do not come back.

    An answered item does not either for as long: the rules' cool-down.
    """
    rows = SetAside.objects.filter(
        learner=learner,
        session__course=course_id,
        at__gt=at - dt.timedelta(seconds=RULES.cooldown_s),
    )
    return sorted(set(rows.values_list("decision__item_version__item", flat=True)))


def _midnight(at: dt.datetime) -> dt.datetime:
    return timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)


def get_set_aside(*, decision_id: int) -> SetAside | None:
    """Return how a showing was put off, if it was."""
    return SetAside.objects.filter(decision=decision_id).select_related("session").first()


def map_set_aside(*, decision_ids: list[int]) -> dict[int, SetAside]:
    """Return decision id -> how it was put off, for those that were."""
    return {row.decision_id: row for row in SetAside.objects.filter(decision__in=decision_ids)}


def was_paused(*, decision_id: int) -> bool:
    """Test whether the learner left this showing for a while."""
    return Pause.objects.filter(decision=decision_id).exists()


def list_step_answers(*, shown: Presentation) -> dict[int, list[StepAnswer]]:
    """Return step -> the answers to it, oldest first."""
    found: dict[int, list[StepAnswer]] = {}
    for row in StepAnswer.objects.filter(decision=shown.decision.pk).order_by("pk"):
        found.setdefault(row.step, []).append(row)
    return found


@dataclass(frozen=True, slots=True)
class Remarks:
    """What a learner said in a course beside answering, each newest first."""

    set_aside: tuple[SetAside, ...]
    notes: tuple[TeacherNote, ...]
    reports: tuple[ItemReport, ...]

    @property
    def any(self) -> bool:
        """Whether there is anything."""
        return bool(self.set_aside or self.notes or self.reports)


def list_remarks(*, learner: Learner, course_id: int, most: int = 20) -> Remarks:
    """Return the newest of what a learner said in a course, at most so many of each."""
    item = ("decision__item_version__item",)
    put_off = SetAside.objects.filter(learner=learner, decision__course=course_id)
    notes = TeacherNote.objects.filter(learner=learner, session__course=course_id)
    reports = ItemReport.objects.filter(learner=learner, decision__course=course_id)
    return Remarks(
        set_aside=tuple(put_off.select_related(*item).order_by("-pk")[:most]),
        notes=tuple(notes.order_by("-pk")[:most]),
        reports=tuple(reports.select_related(*item).order_by("-pk")[:most]),
    )


def list_fresh_notes(
    *, classroom: Classroom, at: dt.datetime, most: int = 20
) -> QuerySet[TeacherNote]:
    """Return the class's calls for help of the last `NOTES_FRESH_FOR`, newest first, in one query.

    Each has its learner, and `concept_name`: that of the question the learner had before them,
    None where they had none.
    """
    shown = Decision.objects.filter(
        learner=OuterRef("learner"),
        course=classroom.course_id,
        at__lte=OuterRef("at"),
        item_version__isnull=False,
    ).order_by("-pk")
    concepts = ItemVersionConcept.objects.filter(version=OuterRef("shown_version"))
    return (
        TeacherNote.objects.filter(
            learner__enrolments__classroom=classroom,
            session__course=classroom.course_id,
            at__gt=at - NOTES_FRESH_FOR,
        )
        .select_related("learner__user")
        .annotate(shown_version=Subquery(shown.values("item_version")[:1]))
        .annotate(concept_name=Subquery(concepts.order_by("position").values("concept__name")[:1]))
        .order_by("-pk")[:most]
    )
