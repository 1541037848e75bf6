"""What changed, in words."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from tutor.content import selectors as content_selectors
from tutor.content.models import Course
from tutor.practice.models import PracticeSession
from tutor.scheduling import reasons
from tutor.scheduling.models import Decision
from tutor.tracing import selectors as tracing_selectors
from tutor.tracing.bands import Band

# Finishes after which there is more to do.
GOES_ON = ("limit-reached", "stopped", "switched")


@dataclass(frozen=True, slots=True)
class Shift:
    """How an answer or a session moved one concept; probabilities in 0..1."""

    name: str
    before: float
    after: float
    band_before: Band | None
    band_after: Band

    @property
    def before_percent(self) -> int:
        """`before` for a bar."""
        return round(100 * self.before)

    @property
    def after_percent(self) -> int:
        """`after` for a bar."""
        return round(100 * self.after)

    @property
    def word(self) -> str:
        """The direction, in a word."""
        if self.after_percent > self.before_percent:
            return "up"
        return "down" if self.after_percent < self.before_percent else "same"


def describe_shifts(shifts: dict[str, Any], *, course: Course) -> list[Shift]:
    """Return what an answer changed, from what its decision kept."""
    bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
    return [
        Shift(
            name=bank.concept_names[bank.index_of_concept[int(pk)]],
            before=before,
            after=after,
            band_before=Band(band_before),
            band_after=Band(band_after),
        )
        for pk, (before, band_before, after, band_after) in shifts.items()
        if int(pk) in bank.index_of_concept
    ]


def describe_session(session: PracticeSession, *, at: dt.datetime) -> list[Shift]:
    """Return the concepts practised in the session, from where to where they went."""
    bank = content_selectors.get_bank(course_id=session.course_id, revision=session.course.revision)
    masteries = tracing_selectors.get_masteries(
        learner=session.learner, course=session.course, at=session.finished_at or at
    )
    return [
        Shift(
            name=bank.concept_names[bank.index_of_concept[pk]],
            before=session.mastery_at_start.get(str(pk), masteries[pk].prob),
            after=masteries[pk].prob,
            band_before=None,
            band_after=masteries[pk].band,
        )
        for pk in practised_concepts(session)
        if pk in masteries
    ]


def practised_concepts(session: PracticeSession) -> list[int]:
    """Return the concepts of the items that the session showed and got answered."""
    shown = Decision.objects.filter(
        learner=session.learner, course=session.course, at__gte=session.started_at
    ).exclude(shifts={})
    if session.finished_at is not None:
        shown = shown.filter(at__lte=session.finished_at)
    found = (
        int(pk) for shifts in shown.order_by("pk").values_list("shifts", flat=True) for pk in shifts
    )
    return list(dict.fromkeys(found))


def finish_sentence(session: PracticeSession) -> str:
    """Return why the session ended."""
    return reasons.FINISHES.get(session.finish_reason, "This session is over.")


def may_go_on(session: PracticeSession, *, at: dt.datetime) -> bool:
    """Test whether starting the same again would bring another question."""
    due_at = session.assignment.due_at if session.assignment else None
    return session.finish_reason in GOES_ON and (due_at is None or due_at > at)
