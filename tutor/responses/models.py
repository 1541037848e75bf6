"""The append-only log of what learners did. Everything learnt is a fold over it."""

import uuid

from django.db import models

from tutor.accounts.models import Learner, Organisation
from tutor.common.append_only import AppendOnlyModel
from tutor.content.models import Course, ItemVersion


class Response(AppendOnlyModel):
    """One answer of one learner.

    A learner's history is ordered by (answered_at, id). A correction is a new row that names the
    row it replaces and carries its `answered_at`.
    """

    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="responses")
    # Chosen by the client before it sends: a repeated upload finds the first one's row.
    client_key = models.UUIDField()
    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="+")
    item_version = models.ForeignKey(
        ItemVersion, on_delete=models.PROTECT, related_name="responses"
    )
    # The seed of the template's parameters; with the version it gives the item as it was shown.
    seed = models.BigIntegerField(default=0)
    # As given: {"text": ...}, {"choice": id}, {"choices": [ids]} or {"right": true or false}.
    answer = models.JSONField()
    is_correct = models.BooleanField()
    # Partial credit, 0..1; 1 where is_correct.
    credit = models.FloatField()
    # 1 for the first answer to this showing of the item, 2 after "try again", ...
    attempt = models.PositiveSmallIntegerField(default=1)
    hints_seen = models.PositiveSmallIntegerField(default=0)
    misconception = models.CharField(max_length=100, blank=True)
    # The item was being tried out: the answer calibrates it and does not count in mastery. Of an
    # imported log that does not say: the item was a draft or a pilot when the answer came in.
    is_pilot = models.BooleanField(default=False)
    presented_at = models.DateTimeField(null=True)
    elapsed_ms = models.PositiveBigIntegerField(null=True)
    answered_at = models.DateTimeField()
    received_at = models.DateTimeField()
    # "practice", "api", or "import:<run>".
    source = models.CharField(max_length=60)
    # The decision that showed the item; scheduling lies above, so no foreign key.
    presentation = models.UUIDField(null=True, db_index=True)
    corrects = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="corrected_by"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["learner", "client_key"], name="response_once"),
            models.UniqueConstraint(
                fields=["presentation", "attempt"],
                condition=models.Q(presentation__isnull=False, corrects__isnull=True),
                name="response_attempt_once",
            ),
            models.CheckConstraint(
                condition=models.Q(credit__gte=0, credit__lte=1), name="response_credit_range"
            ),
            models.CheckConstraint(condition=models.Q(attempt__gte=1), name="response_attempt_min"),
        ]
        indexes = [models.Index(fields=["learner", "course", "answered_at", "id"])]

    def __str__(self) -> str:
        return f"{self.learner_id} {self.item_version_id} {'right' if self.is_correct else 'wrong'}"


class HintRequest(AppendOnlyModel):
    """A learner opened a rung of an item's hint ladder."""

    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="hint_requests")
    presentation = models.UUIDField()
    # 1 is the first rung.
    level = models.PositiveSmallIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["presentation", "level"], name="hint_once")]

    def __str__(self) -> str:
        return f"{self.presentation} hint {self.level}"


class LogImport(models.Model):
    """One run of an import of somebody else's log: what was planned and how far it got."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    course = models.ForeignKey(Course, on_delete=models.PROTECT, null=True)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    format = models.CharField(max_length=40)
    # SHA-256 of the input: the same file again is recognised.
    source_hash = models.CharField(max_length=64)
    plan = models.JSONField()
    rows_added = models.PositiveBigIntegerField(default=0)
    rows_known = models.PositiveBigIntegerField(default=0)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.format} {self.source_hash[:8]}"
