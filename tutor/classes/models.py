"""Who learns what with whom, and by when."""

import uuid

from django.db import models

from tutor.accounts.models import Learner, Organisation, User
from tutor.classes.override_models import AssignmentOverride, GradeRule, Override, StatedMastery
from tutor.common.append_only import AppendOnlyModel
from tutor.content.models import Concept, Course

__all__ = [
    "Assignment",
    "AssignmentOverride",
    "AwardRule",
    "Classroom",
    "Enrolment",
    "GradeRule",
    "LearnerNote",
    "Override",
    "StatedMastery",
    "Teaching",
    "WeeklyGoal",
]


class Classroom(models.Model):
    """A class: a course, its learners and its teachers."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="classes")
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=200)
    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="classes")
    learners = models.ManyToManyField(Learner, through="Enrolment", related_name="classes")
    teachers = models.ManyToManyField(User, through="Teaching", related_name="classes_taught")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Enrolment(models.Model):
    """A learner belongs to a class."""

    classroom = models.ForeignKey(Classroom, on_delete=models.CASCADE, related_name="enrolments")
    learner = models.ForeignKey(Learner, on_delete=models.CASCADE, related_name="enrolments")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["classroom", "learner"], name="enrolled_once")
        ]

    def __str__(self) -> str:
        return f"{self.learner_id} in {self.classroom_id}"


class Teaching(models.Model):
    """A teacher sees a class and may steer it."""

    classroom = models.ForeignKey(Classroom, on_delete=models.CASCADE, related_name="teachings")
    teacher = models.ForeignKey(User, on_delete=models.CASCADE, related_name="teachings")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["classroom", "teacher"], name="teaches_once")
        ]

    def __str__(self) -> str:
        return f"{self.teacher_id} teaches {self.classroom_id}"


class Assignment(models.Model):
    """What a class is to reach: a course or some of its concepts, within dates."""

    classroom = models.ForeignKey(Classroom, on_delete=models.CASCADE, related_name="assignments")
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    title = models.CharField(max_length=200)
    # Empty means the whole course.
    concepts = models.ManyToManyField(Concept, blank=True, related_name="assignments")
    opens_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, blank=True)
    items_per_session = models.PositiveSmallIntegerField(default=10)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["opens_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(due_at__isnull=True) | models.Q(due_at__gt=models.F("opens_at")),
                name="assignment_due_after_opening",
            )
        ]

    def __str__(self) -> str:
        return self.title


class AwardRule(AppendOnlyModel):
    """How sure it has to be that a learner knows a concept to be awarded it in a class.

    From `at` on; the newest row of a class holds, without one `selectors.DEFAULT_AWARD_PERCENT`.
    What was awarded under an earlier rule stays.
    """

    classroom = models.ForeignKey(Classroom, on_delete=models.PROTECT, related_name="award_rules")
    # The 5 % lower bound of mastery that two unassisted right answers have to reach, in percent.
    percent = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(percent__gte=50, percent__lte=95), name="award_rule_range"
            )
        ]

    def __str__(self) -> str:
        return f"{self.classroom_id}: {self.percent} %"


class WeeklyGoal(AppendOnlyModel):
    """On how many days of a week a learner means to practise; the newest row holds."""

    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="weekly_goals")
    days = models.PositiveSmallIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(days__gte=1, days__lte=7), name="weekly_goal_range"
            )
        ]

    def __str__(self) -> str:
        return f"{self.learner_id}: {self.days} days"


class LearnerNote(AppendOnlyModel):
    """What a teacher of a class wrote about one of its learners, for the class's teachers alone.

    PII: the text may hold anything about the learner.
    """

    classroom = models.ForeignKey(Classroom, on_delete=models.PROTECT, related_name="learner_notes")
    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="teachers_notes")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    text = models.TextField(max_length=2000)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["classroom", "learner"], name="learner_note_of")]

    def __str__(self) -> str:
        return f"{self.author_id} on {self.learner_id}"
