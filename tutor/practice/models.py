"""A sitting of one learner."""

import datetime as dt
import uuid

from django.db import models

from tutor.accounts.models import Learner
from tutor.classes.models import Assignment
from tutor.content.models import Course
from tutor.scheduling.models import Decision


class PracticeSession(models.Model):
    """A learner works on an assignment (or a whole course) from start to finish."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="sessions")
    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="+")
    assignment = models.ForeignKey(
        Assignment, on_delete=models.PROTECT, null=True, related_name="+"
    )
    planned_items = models.PositiveSmallIntegerField()
    # Where it is planned in minutes; `planned_items` then is what is expected to fit.
    planned_minutes = models.PositiveSmallIntegerField(null=True)
    n_answered = models.PositiveIntegerField(default=0)
    n_correct = models.PositiveIntegerField(default=0)
    # The item that waits for an answer, or the finish.
    current = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="+")
    # Mastery of every concept at the start: concept id -> probability, for the summary at the end.
    mastery_at_start = models.JSONField(default=dict)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    finish_reason = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["learner", "course"],
                condition=models.Q(finished_at__isnull=True),
                name="one_open_session",
            )
        ]

    def __str__(self) -> str:
        return f"{self.learner_id} since {self.started_at:%Y-%m-%d %H:%M}"

    def minutes_left(self, at: dt.datetime) -> float | None:
        """Return what is left of a session planned in minutes, below 0 once they are over."""
        if self.planned_minutes is None:
            return None
        return self.planned_minutes - (at - self.started_at) / dt.timedelta(minutes=1)
