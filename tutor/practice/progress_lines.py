"""A learner's concepts, each with what is thought of it now and how it came there.

The student's progress and the teacher's page of a learner are both made from this.
"""

import datetime as dt
from dataclasses import dataclass

from django.utils import timezone

from tutor.accounts.models import Learner
from tutor.content import selectors as content_selectors
from tutor.content.models import Course
from tutor.practice import charts
from tutor.tracing import selectors as tracing_selectors
from tutor.tracing import trajectories
from tutor.tracing.bands import Mastery


@dataclass(frozen=True, slots=True)
class Line:
    """A concept with what is thought of it now, and how it came there; no points: no answers."""

    slug: str
    name: str
    mastery: Mastery
    awarded_at: dt.datetime | None
    points: tuple[trajectories.Point, ...]
    spark: str

    @property
    def last_day(self) -> dt.date | None:
        """When it was practised last."""
        return self.points[-1].day if self.points else None


def list_lines(
    *, learner: Learner, course: Course, at: dt.datetime, with_untouched: bool = False
) -> list[Line]:
    """Return the concepts with answers in teaching order; `with_untouched`: all of the course."""
    bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
    masteries = tracing_selectors.get_masteries(learner=learner, course=course, at=at)
    awards = tracing_selectors.list_awards(learner=learner, course=course)
    points = trajectories.list_trajectories(
        learner=learner, course=course, to_day=timezone.localdate
    )
    return [
        Line(
            slug=bank.concept_slugs[index],
            name=bank.concept_names[index],
            mastery=masteries[pk],
            awarded_at=awards.get(pk),
            points=points.get(pk, ()),
            spark=charts.spark([point.prob for point in points[pk]] + [masteries[pk].prob])
            if pk in points
            else "",
        )
        for index, pk in enumerate(bank.concept_ids.tolist())
        if with_untouched or pk in points
    ]
