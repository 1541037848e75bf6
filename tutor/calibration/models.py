"""What calibrations found, written once, and the list of calibrations to be made."""

from django.db import models

from tutor.accounts.models import User
from tutor.common.append_only import AppendOnlyModel
from tutor.content.models import Course, Item, ItemVersion


class CalibrationRun(AppendOnlyModel):
    """One calibration of a course's items: what went in, the scale, and whether it may be used."""

    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="calibrations")
    number = models.PositiveIntegerField()
    # Hash of everything in it; two runs share it only if all is the same.
    sha256 = models.CharField(max_length=64)
    # Hash of what was fitted: calibrated answers, settings, and what was known of the items
    # beforehand. The same is not calibrated twice on one scale.
    data_sha256 = models.CharField(max_length=64)
    # Model, engine, priors of the fit, seed.
    settings = models.JSONField()
    # What became of the log's rows: calibrated, repeats, assisted, unjudged, learners, ...
    census = models.JSONField()
    # Where the learners stand on the scale: mean and sd in logits; and the items' common slope.
    population = models.JSONField()
    # Of the fit: log-likelihood in nats, iterations, seconds.
    fit = models.JSONField()
    # The run whose scale this one is on; empty for the one that set the scale.
    reference = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    # A and B by three methods, and how far each anchor has moved; empty without a reference.
    link = models.JSONField(null=True)
    # What was learnt about items nobody has answered: its terms, its sd and where it was tried.
    prior = models.JSONField()
    # Comparison of groups of learners, which nothing follows from by itself: by what, the reference
    # group, learners by group, pairs too small to judge, and per item version and group the
    # Mantel-Haenszel and logistic figures with both numbers of answers. Empty with less than two.
    groups = models.JSONField(null=True)
    # Conditions with what was found and whether it is met.
    gates = models.JSONField()
    passed = models.BooleanField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["course", "number"], name="calibration_once")
        ]

    def __str__(self) -> str:
        return f"calibration {self.number}"


class DifficultyOverride(AppendOnlyModel):
    """What a person decided about how hard an item version is; the newest row of a version holds.

    It holds through runs, promotions and ways back until another row takes its place.
    """

    class Rule(models.TextChoices):
        """What is made of the difficulty."""

        # Used as it is, whatever the answers say.
        HELD = "held", "Used as it is"
        # Takes the place of what was expected before any answer; answers move it.
        PRIOR = "prior", "Expected; answers move it"
        # Nothing any more: the calibration alone says it again.
        LIFTED = "lifted", "Lifted"

    version = models.ForeignKey(ItemVersion, on_delete=models.PROTECT, related_name="overrides")
    # The run on whose scale the difficulty is; of a kept one, the run that it is taken from.
    run = models.ForeignKey(CalibrationRun, on_delete=models.PROTECT, related_name="overrides")
    rule = models.CharField(max_length=20, choices=Rule.choices)
    # Logits at the common slope of that scale, and how sure it is; empty where lifted.
    difficulty = models.FloatField(null=True)
    se = models.FloatField(null=True)
    actor = models.ForeignKey(User, on_delete=models.DO_NOTHING, null=True, db_constraint=False)
    reason = models.CharField(max_length=300)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["version", "id"])]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(rule="lifted", difficulty__isnull=True, se__isnull=True)
                | models.Q(rule__in=["held", "prior"], difficulty__isnull=False, se__gt=0),
                name="override_says_or_lifts",
            )
        ]

    def __str__(self) -> str:
        if self.rule == self.Rule.LIFTED:
            return f"lifted: {self.reason}"
        return f"{self.difficulty:+.2f} ± {self.se:.2f}, {self.rule}: {self.reason}"


class ItemCalibration(AppendOnlyModel):
    """What one run found out about one item version."""

    run = models.ForeignKey(CalibrationRun, on_delete=models.PROTECT, related_name="items")
    version = models.ForeignKey(ItemVersion, on_delete=models.PROTECT, related_name="calibrations")
    # Unassisted first attempts it was calibrated from, and of them those that were drawn at random.
    n = models.PositiveIntegerField()
    n_random = models.PositiveIntegerField()
    # All answers to it in the log.
    seen = models.PositiveIntegerField()
    # Share of right first attempts.
    correct = models.FloatField(null=True)
    # Logits on the run's scale, from the answers alone; empty where nobody answered.
    difficulty = models.FloatField(null=True)
    # Of an anchor: the error it was found with in the run that it comes from.
    difficulty_se = models.FloatField(null=True)
    discrimination = models.FloatField(null=True)
    discrimination_se = models.FloatField(null=True)
    guessing = models.FloatField(default=0.0)
    # What was expected before any answer: logits at the common slope, and from what.
    prior_mean = models.FloatField()
    prior_sd = models.FloatField()
    prior_source = models.CharField(max_length=40)
    # Answers and prior together, by precision, as the difficulty that an item of the common slope
    # with the same chances would have: what a tracer that pins the run uses.
    pooled_difficulty = models.FloatField()
    pooled_se = models.FloatField()
    # What a person had decided about it when it was calibrated.
    override = models.ForeignKey(
        DifficultyOverride, on_delete=models.PROTECT, null=True, related_name="+"
    )
    is_anchor = models.BooleanField()
    flags = models.JSONField(default=list)
    # Infit, outfit, item-rest correlation, S-X2 with its degrees of freedom and p, block.
    figures = models.JSONField(default=dict)
    # Of items with choices: per option, how often chosen, by whom (mean ability), correlation.
    options = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "version"], name="item_calibration_once")
        ]

    def __str__(self) -> str:
        return f"{self.version_id} in {self.run_id}"


class CrowdAnswer(AppendOnlyModel):
    """What a respondent of an artificial crowd answered to an item version; no learner's answer."""

    version = models.ForeignKey(ItemVersion, on_delete=models.PROTECT, related_name="crowd_answers")
    # The address that it was asked at.
    respondent = models.CharField(max_length=300)
    answer = models.JSONField()
    is_correct = models.BooleanField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "respondent"], name="crowd_answer_once")
        ]

    def __str__(self) -> str:
        return f"{self.respondent} to {self.version_id}"


class CalibrationJob(models.Model):
    """A calibration, promotion or way back that was asked for; the row is the list of work."""

    class Kind(models.TextChoices):
        """What is to be done."""

        CALIBRATE = "calibrate", "Calibrate"
        PROMOTE = "promote", "Use a calibration"
        ROLL_BACK = "roll-back", "Go back to what was in use before"

    class State(models.TextChoices):
        """What became of it."""

        WAITING = "waiting", "Waits for a worker"
        RUNNING = "running", "Runs"
        DONE = "done", "Done"
        REFUSED = "refused", "Nothing to do, or not possible"

    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="calibration_jobs")
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.CALIBRATE)
    state = models.CharField(max_length=20, choices=State.choices, default=State.WAITING)
    asked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField()
    # Of the newest try; a worker that died leaves it, and the next one tries again.
    started_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    # What is being done, in words, and how much of the whole is done, in hundredths.
    stage = models.CharField(max_length=60, blank=True)
    hundredths = models.PositiveSmallIntegerField(default=0)
    finished_at = models.DateTimeField(null=True)
    # Why it was refused.
    problem = models.TextField(blank=True)
    # The run that was made, or is to be used.
    run = models.ForeignKey(
        CalibrationRun, on_delete=models.PROTECT, null=True, related_name="jobs"
    )
    # In lines: what using the run would change, or has changed.
    difference = models.JSONField(default=list)

    class Meta:
        indexes = [models.Index(fields=["state", "course"])]
        constraints = [
            models.UniqueConstraint(
                fields=["course"],
                condition=models.Q(state__in=["waiting", "running"]),
                name="one_calibration_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.course_id}: {self.state}"


class CalibratedCourse(Course):
    """A course, as one who looks after its items sees it."""

    class Meta:
        proxy = True
        verbose_name = "course's items"
        verbose_name_plural = "courses' items"


class ItemLife(Item):
    """An item, as one who moves it on in its life sees it."""

    class Meta:
        proxy = True
        verbose_name = "item's life"
        verbose_name_plural = "items' lives"
