"""From when on teachers are called, and what they did when they were."""

import uuid

from django.db import models
from django.db.models import Q

from tutor.accounts.models import Learner, User
from tutor.alerts.kinds import Kind, What
from tutor.classes.models import Classroom
from tutor.common.append_only import AppendOnlyModel


class AlertThresholds(AppendOnlyModel):
    """When the teachers of a class are called; the newest row of a class holds for all of them.

    Without one, `thresholds.DEFAULTS`.
    """

    classroom = models.ForeignKey(
        Classroom, on_delete=models.PROTECT, related_name="alert_thresholds"
    )
    # Days without an answer.
    quiet_days = models.PositiveSmallIntegerField()
    # First answers.
    wrong_in_a_row = models.PositiveSmallIntegerField()
    # Forecasts at risk call below this chance, in percent.
    risk_percent = models.PositiveSmallIntegerField()
    # Of the last 20 answers: after hints that were clicked through.
    skimmed = models.PositiveSmallIntegerField()
    # Of the last 20 answers: given within `fast_seconds`.
    guessed = models.PositiveSmallIntegerField()
    fast_seconds = models.PositiveSmallIntegerField()
    # Awarded topics that are back at "learning".
    faded = models.PositiveSmallIntegerField()
    # Learners for whom the same goes wrong, in percent of the class.
    shared_percent = models.PositiveSmallIntegerField()
    # Days for which what somebody has acted on, and still stands, is left alone.
    rest_days = models.PositiveSmallIntegerField()
    # Kinds of alerts that call nobody.
    off = models.JSONField(default=list)
    at = models.DateTimeField()
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_days__gte=1)
                & Q(wrong_in_a_row__gte=1)
                & Q(risk_percent__lte=100)
                & Q(skimmed__gte=1)
                & Q(guessed__gte=1)
                & Q(fast_seconds__gte=1)
                & Q(faded__gte=1)
                & Q(shared_percent__gte=1, shared_percent__lte=100)
                & Q(rest_days__gte=1),
                name="alert_thresholds_range",
            )
        ]

    def __str__(self) -> str:
        return f"{self.classroom_id} from {self.at:%Y-%m-%d}"


class AlertAction(AppendOnlyModel):
    """What somebody did about an alert, with what it was raised by.

    PII: the text may hold anything about the learner.
    """

    classroom = models.ForeignKey(Classroom, on_delete=models.PROTECT, related_name="alert_actions")
    # Null: about the whole class.
    learner = models.ForeignKey(
        Learner, on_delete=models.PROTECT, null=True, related_name="alert_actions"
    )
    actor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    # Chosen by the page before it sends: a second click finds the first one's row.
    client_key = models.UUIDField(default=uuid.uuid4)
    at = models.DateTimeField()
    # Up to when what happened was on the page that was acted on; what came later is new.
    seen_at = models.DateTimeField()
    # The alert that led.
    kind = models.CharField(max_length=10, choices=Kind.choices)
    # Every alert that stood then: kind -> its facts, as `wording.say` reads them.
    evidence = models.JSONField(default=dict)
    what = models.CharField(max_length=12, choices=What.choices)
    text = models.CharField(max_length=500, blank=True)
    # Of what was put off: until when.
    until = models.DateTimeField(null=True)
    # The action that this one takes back.
    takes_back = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="taken_back_by"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["actor", "client_key"], name="alert_action_once"),
            models.CheckConstraint(
                condition=Q(what=What.SNOOZED, until__isnull=False)
                | (~Q(what=What.SNOOZED) & Q(until__isnull=True)),
                name="alert_action_until",
            ),
            models.CheckConstraint(
                condition=Q(what=What.TAKEN_BACK, takes_back__isnull=False)
                | (~Q(what=What.TAKEN_BACK) & Q(takes_back__isnull=True)),
                name="alert_action_takes_back",
            ),
        ]
        indexes = [models.Index(fields=["classroom", "at"], name="alert_action_of_class")]

    def __str__(self) -> str:
        return f"{self.what} about {self.kind} of {self.learner_id or 'the class'}"
