"""Tracer versions: what was learnt from which answers, never overwritten."""

from django.db import models

from tutor.common.append_only import AppendOnlyModel
from tutor.content.models import Course


class Network(AppendOnlyModel):
    """A trained deep model: description, vocabulary and weights, never overwritten."""

    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="networks")
    number = models.PositiveIntegerField()
    # kt_models' name of the model.
    model = models.CharField(max_length=40)
    # What kt_models.saved_models writes: configuration, vocabulary (its keys are ids of item
    # versions and concepts as text), hash of the weights.
    description = models.JSONField()
    weights = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    # Where it comes from: snapshot of the log, learners held out, seed, seconds, what was measured.
    provenance = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["course", "number"], name="network_once")]

    def __str__(self) -> str:
        return f"{self.model} {self.number}"


class TracerVersion(AppendOnlyModel):
    """Everything that turns a learner's answers into estimates: parameters and offsets."""

    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="tracers")
    kind = models.CharField(max_length=40, default="psi-filter")
    number = models.PositiveIntegerField()
    # kt_models' fitted filter as JSON; offsets are keyed by item version id and concept id.
    body = models.JSONField()
    sha256 = models.CharField(max_length=64)
    # Where it comes from: rows, learners, seed, log loss; "prior" if fitted on nothing.
    provenance = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["course", "number"], name="tracer_once")]

    def __str__(self) -> str:
        return f"{self.kind} v{self.number}"


class Promotion(AppendOnlyModel):
    """From `at` on, the course's estimates come from this version; the newest row holds."""

    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="promotions")
    tracer = models.ForeignKey(TracerVersion, on_delete=models.PROTECT, related_name="promotions")
    at = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.course_id}: {self.tracer_id}"
