"""What the tracer holds about a learner: a fold over the log that can always be made again."""

from django.db import models

from tutor.accounts.models import Learner
from tutor.classes.models import Classroom
from tutor.common.append_only import AppendOnlyModel
from tutor.content.models import Concept, Course
from tutor.registry.models import TracerVersion
from tutor.responses.models import Response


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
    # What is shown does not fall below this for a day: concept id -> [band, epoch seconds of the
    # unassisted right answer]. Beside the state: it is of the display, not of the estimate.
    floors = models.JSONField(default=dict)

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


class DeepState(models.Model):
    """What a version's network remembers of a learner: a fold over the log, as the filter's is.

    Removed a week after the version went out of use.
    """

    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="deep_states")
    tracer = models.ForeignKey(TracerVersion, on_delete=models.PROTECT, related_name="deep_states")
    # As kt_models packs it: as many bytes after any number of answers.
    state = models.BinaryField()
    # Fold position, as of `LearnerState`.
    last_answered_at = models.DateTimeField()
    last_response_id = models.BigIntegerField()
    n_responses = models.PositiveBigIntegerField()
    # The learner's rows up to this id are surely folded in. A later id that stands before the
    # place, or corrects what stands there, tears the state: it has to be folded anew.
    folded_through = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["learner", "tracer"], name="deep_state_once")
        ]

    def __str__(self) -> str:
        return f"{self.learner_id} under {self.tracer_id}: {self.n_responses}"


class DeepPrediction(models.Model):
    """What the network said of a learner after some answer; a row is never changed.

    The newest counts. Those that no decision names are removed after a while, all of them where
    the version is out of use.
    """

    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="+")
    tracer = models.ForeignKey(TracerVersion, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    # The answers that it has seen: all up to this one, so many.
    last_response_id = models.BigIntegerField()
    n_responses = models.PositiveBigIntegerField()
    # By item version: logits above the filter's; see `tutor.tracing.shifts.Shifts`.
    shifts = models.BinaryField()

    class Meta:
        indexes = [models.Index(fields=["learner", "tracer", "-id"], name="deep_prediction_newest")]

    def __str__(self) -> str:
        return f"{self.learner_id} under {self.tracer_id} after {self.n_responses}"


class Standing(AppendOnlyModel):
    """From `at` on an estimate counts, or not, in a class or a course; of a concept or of all.

    The newest row of a class and concept holds. Without one the course's does, as for learners in
    no class; without that it counts.
    """

    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="+")
    # Null: the course as a whole.
    classroom = models.ForeignKey(Classroom, on_delete=models.PROTECT, null=True, related_name="+")
    # Null: whatever the concept.
    concept = models.ForeignKey(Concept, on_delete=models.PROTECT, null=True, related_name="+")
    counts = models.BooleanField()
    # The live version. What was scored was said under it, or under others with the same network or
    # filter: another one is judged by its own.
    tracer = models.ForeignKey(TracerVersion, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    # Answers, log losses and their difference with its error: what it was decided on.
    evidence = models.JSONField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.classroom_id or 'course'}, {self.concept_id or 'all'}: {self.counts}"


class DeepStanding(Standing):
    """Where the deep tracer counts beside the filter, and where not."""

    is_of_network = True


class FilterStanding(Standing):
    """Where what is known of a learner counts when an item is chosen, and where difficulty alone.

    Bands, awards and everything shown stay the filter's.
    """

    is_of_network = False


class DueLearner(models.Model):
    """A learner whose deep state lies behind the log. The work list: messages are only nudges."""

    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="+")
    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="+")
    # When the first of the answers that wait came in.
    since = models.DateTimeField()
    # Counts every answer, so that whoever did the work sees whether more has come meanwhile.
    marks = models.PositiveBigIntegerField(default=1)
    # An answer came out of order or was corrected: the whole history has to be folded.
    refold = models.BooleanField(default=False)
    # The worker that has it in hand, and since when; void after a while.
    claim = models.UUIDField(null=True)
    claimed_at = models.DateTimeField(null=True)
    # Passes that ended without its work being done: killed workers, failures.
    tries = models.PositiveIntegerField(default=0)
    # Its data break the pass: left alone until it is released.
    quarantined_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["learner", "course"], name="due_once")]
        indexes = [models.Index(fields=["claim"], name="due_claim")]

    def __str__(self) -> str:
        return f"{self.learner_id} in {self.course_id}, {self.marks}"


class AwardStep(AppendOnlyModel):
    """An unassisted right answer after which mastery was proved; the second one gives the award.

    Given for good: neither forgetting, nor later mistakes, nor another tracer take it away.
    """

    class Step(models.IntegerChoices):
        """Which of the two."""

        FIRST = 1, "first proof"
        AWARD = 2, "award"

    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="award_steps")
    concept = models.ForeignKey(Concept, on_delete=models.PROTECT, related_name="+")
    # The rule: the 5 % lower bound of mastery stood at this or above after the answer.
    percent = models.PositiveSmallIntegerField()
    # 2, the award, is at least a day after 1.
    step = models.PositiveSmallIntegerField(choices=Step.choices)
    response = models.ForeignKey(Response, on_delete=models.PROTECT, related_name="+")
    # The estimate that it was: with the log up to `given_at` it can be made again.
    tracer = models.ForeignKey(TracerVersion, on_delete=models.PROTECT, related_name="+")
    lower_prob = models.FloatField()
    # Whether it was what a class asked that the learner was in when this row was written: such an
    # award stays whatever class comes next. False of rows older than this column.
    met_rule = models.BooleanField(default=False)
    # When the answer was given, and when this row was written.
    at = models.DateTimeField()
    given_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["learner", "concept", "percent", "step"], name="award_step_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.learner_id} on {self.concept_id}: {self.get_step_display()}"


class HeldBand(AppendOnlyModel):
    """A right answer without help after which the model alone would have shown a lower band.

    The page went on showing the band of before; the rows count how often a model does that.
    """

    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="+")
    concept = models.ForeignKey(Concept, on_delete=models.PROTECT, related_name="+")
    tracer = models.ForeignKey(TracerVersion, on_delete=models.PROTECT, related_name="+")
    response = models.ForeignKey(Response, on_delete=models.PROTECT, related_name="+")
    # The band that stayed, and the one that the estimate alone had.
    shown = models.CharField(max_length=30)
    modelled = models.CharField(max_length=30)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.learner_id} on {self.concept_id}: {self.shown}, not {self.modelled}"
