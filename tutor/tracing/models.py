"""What the tracer holds about a learner: a fold over the log that can always be made again."""

from django.db import models

from tutor.accounts.models import Learner
from tutor.registry.models import TracerVersion


class LearnerState(models.Model):
    """The state of one learner under one tracer version; a few KB however long the history."""

    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="states")
    tracer = models.ForeignKey(TracerVersion, on_delete=models.PROTECT, related_name="states")
    state = models.BinaryField()
    # Fold position: the last response folded in, in (answered_at, id) order.
    last_answered_at = models.DateTimeField(null=True)
    last_response_id = models.BigIntegerField(null=True)
    n_responses = models.PositiveBigIntegerField(default=0)
    # Set when an answer arrived out of order or was corrected: the fold has to be made again.
    stale_since = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["learner", "tracer"], name="learner_state_once")
        ]
        indexes = [
            models.Index(
                fields=["stale_since"],
                condition=models.Q(stale_since__isnull=False),
                name="learner_state_stale",
            )
        ]

    def __str__(self) -> str:
        return f"{self.learner_id} under {self.tracer_id}: {self.n_responses}"
