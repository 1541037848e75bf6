"""Every choice of the next item, with the receipt that says why."""

import uuid

from django.db import models

from tutor.accounts.models import Learner
from tutor.classes.models import Assignment
from tutor.common.append_only import AppendOnlyModel
from tutor.content.models import Course, ItemVersion
from tutor.registry.models import TracerVersion


class Decision(AppendOnlyModel):
    """The scheduler chose an item for a learner, or stated a finish (then without an item)."""

    # Also names the showing of the item that follows: responses and hints carry it.
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="decisions")
    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="+")
    assignment = models.ForeignKey(
        Assignment, on_delete=models.PROTECT, null=True, related_name="+"
    )
    at = models.DateTimeField()
    item_version = models.ForeignKey(
        ItemVersion, on_delete=models.PROTECT, null=True, related_name="decisions"
    )
    # Seed of the template's parameters.
    item_seed = models.BigIntegerField(null=True)
    policy = models.CharField(max_length=60)
    tracer = models.ForeignKey(TracerVersion, on_delete=models.PROTECT, null=True, related_name="+")
    # The course as it was: with tracer, seed and the log before `at` the choice can be made again.
    course_revision = models.PositiveBigIntegerField()
    # Seed of the draw: with the inputs it gives the same choice again.
    seed = models.BigIntegerField()
    # Probability with which exactly this item was drawn (arm times item); null for a finish.
    propensity = models.FloatField(null=True)
    reason = models.CharField(max_length=40)
    reason_facts = models.JSONField(default=dict)
    receipt = models.JSONField(default=dict)
    # The answer that led here and what it changed: concept id -> [before, after].
    follows = models.UUIDField(null=True)
    shifts = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["learner", "course", "at"]),
            models.Index(fields=["follows"]),
        ]

    def __str__(self) -> str:
        return f"{self.learner_id}: {self.item_version_id or 'finish'} ({self.reason})"
