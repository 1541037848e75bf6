"""What teachers decided otherwise than the assignment, or the tutor, has it."""

from django.db import models

from tutor.accounts.models import Learner, User
from tutor.common.append_only import AppendOnlyModel
from tutor.content.models import Concept


class Override(AppendOnlyModel):
    """Base of what a teacher decided, from `at` on until a row that `reverts` it.

    Every row is one raise of its course's `revision`: what a choice made under some revision knew
    is told by the rows up to it.
    """

    classroom = models.ForeignKey("classes.Classroom", on_delete=models.PROTECT, related_name="+")
    revision = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    # Free text, may hold anything; for the class's teachers and administrators.
    reason = models.CharField(max_length=200, blank=True)
    reverts = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="reverted_by"
    )

    class Meta:
        abstract = True


class AssignmentOverride(Override):
    """An assignment is another one for a learner, or open again for the class.

    Newest of a kind for the same: setting it anew reverts the one before.
    """

    class Kind(models.TextChoices):
        """What was decided."""

        EXCUSE = "excuse", "Excused"
        EXTEND = "extend", "Extended"
        # The same as an extension, of what was over already; it may be without end.
        REOPEN = "reopen", "Reopened"

    DATES = (Kind.EXTEND, Kind.REOPEN)

    assignment = models.ForeignKey(
        "classes.Assignment", on_delete=models.PROTECT, related_name="overrides"
    )
    # Null: for everybody in the class.
    learner = models.ForeignKey(
        Learner, on_delete=models.PROTECT, null=True, related_name="assignment_overrides"
    )
    kind = models.CharField(max_length=10, choices=Kind.choices)
    # Of an excuse: of this alone; null: of the whole assignment.
    concept = models.ForeignKey(Concept, on_delete=models.PROTECT, null=True, related_name="+")
    # Of a date: due then; null: without end.
    until = models.DateTimeField(null=True)

    class Meta(Override.Meta):
        indexes = [models.Index(fields=["learner", "assignment"], name="override_of")]
        constraints = [
            # Whom everybody is excused from, nobody need be given.
            models.CheckConstraint(
                condition=~models.Q(kind="excuse") | models.Q(learner__isnull=False),
                name="excused_by_name",
            ),
            models.CheckConstraint(
                condition=~models.Q(kind="extend") | models.Q(until__isnull=False),
                name="extended_to_a_date",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.learner_id or 'everybody'} in {self.assignment_id}: {self.kind}"


class StatedMastery(Override):
    """A teacher says that a learner knows a concept, or does not yet; beside every estimate.

    Of a learner and concept the newest in force holds, whichever class it was said in.
    """

    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="stated_masteries")
    concept = models.ForeignKey(Concept, on_delete=models.PROTECT, related_name="+")
    is_known = models.BooleanField()

    class Meta(Override.Meta):
        indexes = [models.Index(fields=["learner", "concept"], name="stated_mastery_of")]

    def __str__(self) -> str:
        return f"{self.learner_id} on {self.concept_id}: {self.is_known}"


class GradeRule(AppendOnlyModel):
    """How a class's grades are made from `at` on; the newest row holds, without one none are."""

    class Kind(models.TextChoices):
        """How; `tutor.practice.grades` says each in a sentence."""

        NONE = "none", "No grades"
        AWARDED = "awarded", "Topics awarded"
        BY_DATE = "by-date", "Topics awarded by the due date"
        LATE_HALF = "late-half", "Topics awarded, late ones for half"
        ANSWERS = "answers", "Questions answered"

    classroom = models.ForeignKey(
        "classes.Classroom", on_delete=models.PROTECT, related_name="grade_rules"
    )
    kind = models.CharField(max_length=10, choices=Kind.choices)
    # Of `ANSWERS`: so many make the full grade.
    number = models.PositiveSmallIntegerField(null=True)
    at = models.DateTimeField()
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    # Free text, may hold anything; for the class's teachers and administrators.
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind="answers", number__gte=1, number__lte=1000)
                | (~models.Q(kind="answers") & models.Q(number__isnull=True)),
                name="grade_rule_number",
            )
        ]

    def __str__(self) -> str:
        return f"{self.classroom_id}: {self.kind}"
