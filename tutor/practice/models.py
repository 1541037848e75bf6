"""A sitting of one learner, and what they said in it beside their answers."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy

from tutor.accounts.models import Learner
from tutor.classes.models import Assignment
from tutor.common.append_only import AppendOnlyModel
from tutor.content.models import Concept, Course
from tutor.scheduling.models import Decision


class PracticeSession(models.Model):
    """A learner works on an assignment (or a whole course) from start to finish."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="sessions")
    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="+")
    assignment = models.ForeignKey(
        Assignment, on_delete=models.PROTECT, null=True, related_name="+"
    )
    # What the learner chose to practise; what it builds on comes first where it is missing.
    topic = models.ForeignKey(Concept, on_delete=models.PROTECT, null=True, related_name="+")
    # As it was planned when it began; `timing.get_planned_items` says what holds now.
    planned_items = models.PositiveSmallIntegerField()
    # Where it is planned in minutes; `planned_items` then is what is expected to fit.
    planned_minutes = models.PositiveSmallIntegerField(null=True)
    n_answered = models.PositiveIntegerField(default=0)
    n_correct = models.PositiveIntegerField(default=0)
    # The item that waits for an answer, or the finish.
    current = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="+")
    # Mastery of every concept at the start: concept id -> probability, for the summary at the end.
    mastery_at_start = models.JSONField(default=dict)
    # What rests until the end: {"concepts": ids not learnt yet, "items": ids put off lately}.
    resting = models.JSONField(default=dict)
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

    @property
    def title(self) -> str:
        """What is practised: the assignment, the topic chosen, or the course."""
        if self.assignment is not None:
            return self.assignment.title
        return self.topic.name if self.topic is not None else self.course.title


class Said(AppendOnlyModel):
    """Base of what a learner says while practising; none of it is an answer."""

    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="+")
    # Chosen by the page before it sends: a repetition finds the first one's row.
    client_key = models.UUIDField()
    at = models.DateTimeField()

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(fields=["learner", "client_key"], name="%(class)s_once")
        ]


class SetAside(Said):
    """A learner put an item off instead of answering it: no evidence either way."""

    class Kind(models.TextChoices):
        """Why."""

        UNLEARNT = "unlearnt", gettext_lazy("has not learnt this yet")
        SKIP = "skip", gettext_lazy("skipped")

    session = models.ForeignKey(PracticeSession, on_delete=models.PROTECT, related_name="set_aside")
    # The showing that is put off.
    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, related_name="set_aside")
    kind = models.CharField(max_length=10, choices=Kind.choices)

    class Meta(Said.Meta):
        indexes = [models.Index(fields=["session"])]

    def __str__(self) -> str:
        return f"{self.learner_id}: {self.kind}"


class Pause(Said):
    """A learner left an item for a while: the time spent on it is unknown, unless measured."""

    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="pauses")

    def __str__(self) -> str:
        return f"{self.learner_id} paused"


class ItemReport(Said):
    """A learner reported a problem with an item as it was shown."""

    class Kind(models.TextChoices):
        """What is the matter."""

        MISTAKE = "mistake", gettext_lazy("there is a mistake in it")
        REFUSED = "refused", gettext_lazy("my right answer was not accepted")
        UNCLEAR = "unclear", gettext_lazy("I cannot tell what is asked")
        DISPLAY = "display", gettext_lazy("something does not show or work")
        OTHER = "other", gettext_lazy("something else")

    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="reports")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    # Free text, may hold anything.
    text = models.CharField(max_length=1000, blank=True)

    def __str__(self) -> str:
        return f"{self.kind} by {self.learner_id}"


class TeacherNote(Said):
    """A learner asked their teacher for help."""

    session = models.ForeignKey(PracticeSession, on_delete=models.PROTECT, related_name="notes")
    # Free text, may hold anything; empty: the learner only asked for help.
    text = models.CharField(max_length=1000, blank=True)

    def __str__(self) -> str:
        return f"{self.learner_id}: {self.text[:40]}"


class StepAnswer(Said):
    """A learner answered one of an item's smaller steps: practice, never evidence."""

    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="step_answers")
    # 1 is the first step.
    step = models.PositiveSmallIntegerField()
    # As given: {"text": ...}.
    answer = models.JSONField()
    is_correct = models.BooleanField()

    class Meta(Said.Meta):
        indexes = [models.Index(fields=["decision"])]

    def __str__(self) -> str:
        return f"{self.learner_id} step {self.step} {'right' if self.is_correct else 'wrong'}"
