"""Tracer versions: what was learnt from which answers, never overwritten."""

from django.db import models

from tutor.accounts.models import User
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


class TrainingJob(models.Model):
    """A network that is to be trained, judged and perhaps used; the row is the list of work."""

    class State(models.TextChoices):
        """What became of it."""

        WAITING = "waiting", "Waits for a worker"
        RUNNING = "running", "Runs"
        DONE = "done", "Done"
        REFUSED = "refused", "Nothing to do, or not possible"
        CANCELLED = "cancelled", "Called off"

    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="training_jobs")
    # kt_models' name of the model, and what differs from its usual settings.
    model = models.CharField(max_length=40)
    settings = models.JSONField(default=dict)
    seed = models.PositiveIntegerField(default=0)
    # Whether it comes into use by itself where every gate is passed.
    is_to_be_used = models.BooleanField(default=False)
    state = models.CharField(max_length=20, choices=State.choices, default=State.WAITING)
    asked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField()
    # The worker that is at it; one that shows no sign of life loses it.
    claim = models.UUIDField(null=True, editable=False)
    beat_at = models.DateTimeField(null=True)
    # Workers that ended at it since it last came forward.
    tries = models.PositiveSmallIntegerField(default=0)
    # What is being done, and how many parts of how many are.
    stage = models.CharField(max_length=60, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    # The answers it learns from: newest id, hash, answers, learners; a later try reads the same.
    snapshot = models.JSONField(null=True)
    # Of filter, network and pool on learners kept aside, and how their losses differ by lag.
    scores = models.JSONField(default=dict)
    # Conditions with what was found, the same in words, and whether they are met.
    gates = models.JSONField(default=list)
    passed = models.BooleanField(null=True)
    # Why it came to nothing.
    problem = models.TextField(blank=True)
    network = models.ForeignKey(Network, on_delete=models.PROTECT, null=True, related_name="jobs")
    # The tracer version that would use it.
    candidate = models.ForeignKey(
        TracerVersion, on_delete=models.PROTECT, null=True, related_name="training_jobs"
    )

    class Meta:
        indexes = [models.Index(fields=["state", "course"])]
        constraints = [
            models.UniqueConstraint(
                fields=["course"],
                condition=models.Q(state__in=["waiting", "running"]),
                name="one_training_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.model} for {self.course_id}: {self.state}"


class SwitchJob(models.Model):
    """A tracer version to be looked at or used, or the way back; the row is the list of work."""

    class Kind(models.TextChoices):
        """What is to be done."""

        COMPARE = "compare", "Show what using it would change"
        PROMOTE = "promote", "Use a tracer version"
        ROLL_BACK = "roll-back", "Go back to the version that was in use before"

    class State(models.TextChoices):
        """What became of it."""

        WAITING = "waiting", "Waits for a worker"
        RUNNING = "running", "Runs"
        DONE = "done", "Done"
        REFUSED = "refused", "Not possible"

    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="switch_jobs")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    # Empty for the way back.
    tracer = models.ForeignKey(
        TracerVersion, on_delete=models.PROTECT, null=True, related_name="switch_jobs"
    )
    # Why it is used though a gate failed; empty where nobody insists.
    forced_because = models.CharField(max_length=150, blank=True)
    state = models.CharField(max_length=20, choices=State.choices, default=State.WAITING)
    asked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    stage = models.CharField(max_length=60, blank=True)
    hundredths = models.PositiveSmallIntegerField(default=0)
    finished_at = models.DateTimeField(null=True)
    problem = models.TextField(blank=True)
    # In lines: what using the version would change, or has changed.
    difference = models.JSONField(default=list)

    class Meta:
        indexes = [models.Index(fields=["state", "course"])]
        constraints = [
            models.UniqueConstraint(
                fields=["course"],
                condition=models.Q(state__in=["waiting", "running"]),
                name="one_switch_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.course_id}: {self.state}"


class TracedCourse(Course):
    """A course, as one who looks after its tracer sees it."""

    class Meta:
        proxy = True
        verbose_name = "course's tracer"
        verbose_name_plural = "courses' tracers"
