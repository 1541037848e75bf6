"""How a class's items are chosen, and every choice with the receipt that says why."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import models

from tutor.accounts.models import Learner, User
from tutor.classes.models import Assignment, Classroom
from tutor.common.append_only import AppendOnlyModel
from tutor.content.models import Concept, Course, ItemVersion
from tutor.registry.models import TracerVersion
from tutor.scheduling.exposure_models import ItemExposure
from tutor.scheduling.rule_models import SteeringRule
from tutor.tracing.models import DeepPrediction

__all__ = [
    "ClassScheduling",
    "Decision",
    "DelayedProbe",
    "FactMemories",
    "GroupComparison",
    "ItemExposure",
    "PolicyNight",
    "PolicyPromotion",
    "PolicyVersion",
    "SteeringRule",
    "StuckRelease",
    "concepts_of_stuck",
]


class ClassScheduling(AppendOnlyModel):
    """How the items of a class are chosen from `at` on; the newest row holds."""

    classroom = models.ForeignKey(Classroom, on_delete=models.PROTECT, related_name="scheduling")
    # A name of curriculum.bandits, or "automatic": the learnt policy once there is one.
    policy = models.CharField(max_length=40, default="automatic")
    # The class has opted in to items drawn at random now and then.
    explores = models.BooleanField(default=False)
    # Learners are asked again after a day or more, without help, to see what has stayed.
    probes = models.BooleanField(default=False)
    # Learners without an answer in the course are placed by a few questions first.
    places = models.BooleanField(default=True)
    # The teacher's order instead of any policy.
    kill_switch = models.BooleanField(default=False)
    at = models.DateTimeField()
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.classroom_id}: {self.policy}"


class PolicyVersion(AppendOnlyModel):
    """What a policy has learnt from a course's log, frozen; with the minutes an item takes."""

    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="policy_versions")
    policy = models.CharField(max_length=40)
    number = models.PositiveIntegerField()
    # {"parameters": as the policy's to_dict writes them, "minutes": {item version id: minutes}}
    body = models.JSONField()
    sha256 = models.CharField(max_length=64)
    # Rows, learners, the time it was learnt at, and what each gate said.
    provenance = models.JSONField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["course", "policy", "number"], name="policy_version_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.policy} v{self.number}"


class PolicyPromotion(AppendOnlyModel):
    """From `at` on, classes with this policy are served by this version; the newest row holds."""

    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="+")
    version = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="promotions")
    at = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.course_id}: {self.version_id}"


def concepts_of_stuck(
    *, told: Sequence[int] | None, reason: str, facts: Mapping[str, Any]
) -> tuple[int, ...]:
    """Return the ids that a decision says its learner is stuck on; `told` is the receipt's."""
    if told is None and reason == "stuck":
        # Of before a finish named them all.
        return (facts["concept"],)
    return tuple(told or ())


class Decision(AppendOnlyModel):
    """The scheduler chose an item for a learner, or stated a finish (then without an item)."""

    # Also names the showing of the item that follows: responses and hints carry it.
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="decisions")
    # The index of course and time has it.
    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="+", db_index=False)
    assignment = models.ForeignKey(
        Assignment, on_delete=models.PROTECT, null=True, related_name="+"
    )
    at = models.DateTimeField()
    item_version = models.ForeignKey(
        ItemVersion, on_delete=models.PROTECT, null=True, related_name="decisions"
    )
    # Seed of the template's parameters.
    item_seed = models.BigIntegerField(null=True)
    policy = models.CharField(max_length=60)
    # What the policy had learnt, and the class's settings; null for what comes with the program.
    policy_version = models.ForeignKey(
        PolicyVersion, on_delete=models.PROTECT, null=True, related_name="+"
    )
    settings = models.ForeignKey(
        ClassScheduling, on_delete=models.PROTECT, null=True, related_name="+"
    )
    # What was left of a sitting that is planned in minutes; null for one planned in questions.
    minutes_left = models.FloatField(null=True)
    # Ids of the teacher's rules that held for the learner; null for none.
    steering = models.JSONField(null=True)
    # learn, practise, review or probe; empty for a finish.
    mode = models.CharField(max_length=10, blank=True)
    # "kill-switch" or "error" where the teacher's order stood in; the receipt has the words.
    fallback = models.CharField(max_length=20, blank=True)
    tracer = models.ForeignKey(TracerVersion, on_delete=models.PROTECT, null=True, related_name="+")
    # The deep prediction that was at hand, and how many answers it had not seen; kept because the
    # choice cannot be made again without.
    prediction = models.ForeignKey(
        DeepPrediction, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    prediction_lag = models.PositiveIntegerField(null=True)
    # The weight of its shift of the item given, also where it was not trusted, 0 where nothing was
    # predicted of it; and the ids of concepts where it was not trusted.
    prediction_weight = models.FloatField(null=True)
    distrusted = models.JSONField(null=True)
    # What the estimate of the item given stood on (of a finish: what the learner's estimates did);
    # see `tutor.tracing.deep.Rung`.
    rung = models.CharField(max_length=10, blank=True)
    # Ids of concepts whose items were chosen by difficulty alone; null for none.
    by_difficulty = models.JSONField(null=True)
    # Chances of the item given: as counted, by the filter, by the deep tracer alone, and by
    # difficulty alone.
    expected = models.FloatField(null=True)
    expected_live = models.FloatField(null=True)
    expected_deep = models.FloatField(null=True)
    expected_difficulty = models.FloatField(null=True)
    # The course as it was: with tracer, seed and the log before `at` the choice can be made again.
    course_revision = models.PositiveBigIntegerField()
    # Seed of the draw: with the inputs it gives the same choice again.
    seed = models.BigIntegerField()
    # Probability with which exactly this item was drawn (arm times item); null for a finish.
    propensity = models.FloatField(null=True)
    reason = models.CharField(max_length=40)
    reason_facts = models.JSONField(default=dict)
    receipt = models.JSONField(default=dict)
    # The answer that led here and what it changed: concept id -> [before, after].
    follows = models.UUIDField(null=True)
    shifts = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["learner", "course", "at"]),
            # What was expected of late, held against what came every hour.
            models.Index(fields=["course", "at"]),
            models.Index(fields=["follows"]),
            # Items drawn at random are counted before another one is.
            models.Index(
                fields=["learner", "course", "at"],
                condition=models.Q(reason="explore"),
                name="decision_explored",
            ),
            # Predictions that are named are kept when others are removed.
            models.Index(
                fields=["prediction"],
                condition=models.Q(prediction__isnull=False),
                name="decision_prediction",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.learner_id}: {self.item_version_id or 'finish'} ({self.reason})"

    @property
    def stuck_on(self) -> tuple[int, ...]:
        """Ids of the concepts that the learner was stuck on then, worked on or not."""
        told = self.receipt.get("stuck")
        return concepts_of_stuck(told=told, reason=self.reason, facts=self.reason_facts)


class FactMemories(models.Model):
    """How well a learner remembers the facts of a course: a fold of the log, kept for speed."""

    learner = models.ForeignKey(Learner, on_delete=models.CASCADE, related_name="+")
    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="+")
    # Concept id -> [answers, sum of credits, stability (days), difficulty, last first try,
    # last answer, its id].
    body = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["learner", "course"], name="fact_memories_once")
        ]

    def __str__(self) -> str:
        return f"{self.learner_id} in {self.course_id}"


class PolicyNight(AppendOnlyModel):
    """A night in which a course's policies learnt to the end, and what came of it."""

    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="policy_nights")
    at = models.DateTimeField()
    # By policy: the version stored, whether it was promoted, what each gate found.
    found = models.JSONField()

    def __str__(self) -> str:
        return f"{self.course_id}: {self.at:%Y-%m-%d}"


class GroupComparison(AppendOnlyModel):
    """How the groups of a course's learners fared in the thirty days before `at`."""

    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    # "group" of an imported log, or "class".
    by = models.CharField(max_length=10)
    # Measure -> by group: learners, mean, gap to the others, its 95 % interval, alarm.
    body = models.JSONField()

    def __str__(self) -> str:
        return f"{self.course_id}: {self.at:%Y-%m-%d}"


class DelayedProbe(models.Model):
    """A concept that a learner practised and is asked about again later, without help.

    What has stayed a day or more on is what teaching is for; the quick reward is held to it.
    """

    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="delayed_probes")
    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="+")
    concept = models.ForeignKey(Concept, on_delete=models.PROTECT, related_name="+")
    # The decision whose teaching is measured.
    practised = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="+")
    due_at = models.DateTimeField()
    # After this it says nothing about that decision any more and is not asked.
    expires_at = models.DateTimeField()
    asked = models.OneToOneField(
        Decision, on_delete=models.PROTECT, null=True, related_name="delayed_probe"
    )
    # Success expected just before it was asked.
    expected = models.FloatField(null=True)
    # Credit of the first try; null with `answered_at` set: help was taken, so it measures nothing.
    credit = models.FloatField(null=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["learner", "concept"],
                condition=models.Q(asked__isnull=True),
                name="probe_waits_once",
            )
        ]
        indexes = [
            models.Index(
                fields=["learner", "course", "due_at"],
                condition=models.Q(asked__isnull=True),
                name="probe_waiting",
            )
        ]

    def __str__(self) -> str:
        return f"{self.learner_id} on {self.concept_id} from {self.due_at}"


class StuckRelease(AppendOnlyModel):
    """A teacher has dealt with what a learner was stuck on: its items may come again."""

    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="+")
    concept = models.ForeignKey(Concept, on_delete=models.PROTECT, related_name="+")
    # Answers on the concept until then.
    evidence_n = models.PositiveIntegerField()
    at = models.DateTimeField()
    released_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [models.Index(fields=["learner", "concept"])]

    def __str__(self) -> str:
        return f"{self.learner_id} on {self.concept_id}"
