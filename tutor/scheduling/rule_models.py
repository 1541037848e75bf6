"""What teachers want of the choice."""

from django.db import models

from tutor.accounts.models import Learner, User
from tutor.classes.models import Assignment, Classroom
from tutor.common.append_only import AppendOnlyModel
from tutor.content.models import Concept, Item


class SteeringRule(AppendOnlyModel):
    """What a teacher wants of the choice, for a class, an assignment or some of its learners.

    It holds from the next choice on until a row that `reverts` it.
    """

    class Kind(models.TextChoices):
        """What is wanted."""

        PIN = "pin", "Give first"
        BAN = "ban", "Do not give"
        QUOTA = "quota", "At most so many"
        ORDER = "order", "In this order"
        EXAM = "exam", "Exam"
        MINUTES = "minutes", "Minutes a day"
        LENGTH = "length", "Questions a sitting"
        TEST = "test", "Is a test"
        # Of single learners, and nobody's business but theirs and their teachers'.
        BAR = "bar", "Cannot be given"
        TIME = "time", "Extra time"
        STEADY = "steady", "Nothing at random"

    ACCOMMODATIONS = (Kind.BAR, Kind.TIME, Kind.STEADY)

    classroom = models.ForeignKey(Classroom, on_delete=models.PROTECT, related_name="steering")
    # Only while this is worked on; else whatever the class practises.
    assignment = models.ForeignKey(
        Assignment, on_delete=models.PROTECT, null=True, related_name="steering"
    )
    # Said when it is set, and not read off the learners: a rule whose last learner is deleted
    # is nobody's, and must not become everybody's.
    for_everybody = models.BooleanField(default=True)
    learners = models.ManyToManyField(Learner, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    item = models.ForeignKey(Item, on_delete=models.PROTECT, null=True, related_name="+")
    concept = models.ForeignKey(Concept, on_delete=models.PROTECT, null=True, related_name="+")
    # quota, minutes, length: a number; order: ids of concepts; exam: ISO date and time;
    # bar: what an item must not need; time: the factor.
    value = models.JSONField(null=True)
    at = models.DateTimeField()
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=200, blank=True)
    reverts = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="reverted_by"
    )

    def __str__(self) -> str:
        return f"{self.classroom_id}: {self.kind}"
