"""Fitted forecasts of a course, and what was forecast of whom."""

from django.db import models

from tutor.accounts.models import Learner
from tutor.classes.models import Assignment
from tutor.common.append_only import AppendOnlyModel
from tutor.content.models import Course
from tutor.registry.models import TracerVersion


class OutlookVersion(AppendOnlyModel):
    """A hazard fitted on a course's own log, with its figures on learners it had not met.

    The newest of a course holds. Forecasts are by it if it counts, else by the rule of thumb.
    """

    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="+")
    # The tracer that told what learners knew.
    tracer = models.ForeignKey(TracerVersion, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    # Hazard, working point, ranges and associations: `curriculum.outlook`, as JSON values; empty
    # where the log was too thin.
    body = models.JSONField()
    # Figures of the hazard and of the rules of thumb on held-out learners, with intervals.
    evidence = models.JSONField()
    # Answers, learners, looks and seed that it was fitted on, or why it was not.
    provenance = models.JSONField()
    # Whether it did better than the rules of thumb.
    counts = models.BooleanField()

    def __str__(self) -> str:
        return f"{self.course_id} of {self.at}"


class Forecast(AppendOnlyModel):
    """What was said on one night of a learner and an assignment that runs; the newest holds."""

    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="forecasts")
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="forecasts")
    # Null: by the rule of thumb.
    version = models.ForeignKey(
        OutlookVersion, on_delete=models.PROTECT, null=True, related_name="forecasts"
    )
    at = models.DateTimeField()
    # Of mastering all of it by the date, 0..1, with its 90 % interval; null by the rule of thumb.
    chance = models.FloatField(null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    # When it is as likely as not to be reached; null: not within eight weeks, or not told.
    median_at = models.DateTimeField(null=True)
    is_at_risk = models.BooleanField()
    # What it was made from, in numbers, and a short name of the set of concepts.
    facts = models.JSONField()
    # [name, part of the log odds], the largest first.
    drivers = models.JSONField(default=list)
    # The smallest change of habits, or days later, at which it would not be at risk; or null.
    change = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["learner", "assignment", "at"], name="forecast_once_a_moment"
            ),
            models.CheckConstraint(
                condition=models.Q(chance__isnull=True)
                | models.Q(chance__gte=0.0, chance__lte=1.0),
                name="forecast_chance_range",
            ),
        ]
        indexes = [models.Index(fields=["assignment", "learner", "-id"], name="forecast_newest")]

    def __str__(self) -> str:
        return f"{self.learner_id} for {self.assignment_id} on {self.at}"
