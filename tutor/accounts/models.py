"""Who stands in front of the tutor, and under which name the log knows them."""

import secrets
import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models

from tutor.common.append_only import AppendOnlyModel


def new_secret() -> str:
    """Return 32 random bytes as text."""
    return secrets.token_hex(32)


class Organisation(models.Model):
    """A school or another body. Nothing is visible across organisations."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=200)
    # Learners of imported logs come in under HMAC(this key, their id elsewhere): the same
    # person gets the same pseudonym on re-import, and no table maps one to the other.
    pseudonym_key = models.CharField(max_length=64, default=new_secret, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    """Somebody who signs in.

    PII: name and e-mail are kept here. The audit log's subjects hold user names, and what a
    learner typed, or an imported log's extra columns, may hold anything.
    """

    class Role(models.TextChoices):
        """What a person is to their organisation."""

        STUDENT = "student", "Student"
        TEACHER = "teacher", "Teacher"
        ADMINISTRATOR = "administrator", "Administrator"

    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="users"
    )
    role = models.CharField(max_length=20, choices=Role.choices, default=Role.STUDENT)
    # Of the pages; empty: the browser's.
    language = models.CharField(max_length=16, blank=True)

    @property
    def display_name(self) -> str:
        """The name shown on pages."""
        return self.get_full_name() or self.get_username()

    @property
    def may_administer(self) -> bool:
        """Whether this person administers an organisation, or runs the whole installation."""
        is_administrator = self.role == self.Role.ADMINISTRATOR and self.organisation_id is not None
        return self.is_active and (self.is_superuser or is_administrator)


class Learner(models.Model):
    """The one whose answers are kept: a pseudonym, with a user only if they sign in here.

    The row is also the lock: whoever writes for a learner locks it first.
    """

    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="learners"
    )
    pseudonym = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.OneToOneField(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="learner"
    )
    source_key = models.CharField(max_length=64, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "source_key"],
                condition=~models.Q(source_key=""),
                name="learner_source_key_once",
            )
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name for a teacher's page: the person's own, else the start of the pseudonym."""
        return self.user.display_name if self.user else f"Learner {str(self.pseudonym)[:8]}"


class AuditEntry(AppendOnlyModel):
    """One act of a person or a command that others may have to answer for."""

    at = models.DateTimeField()
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True)
    actor = models.ForeignKey(User, on_delete=models.DO_NOTHING, null=True, db_constraint=False)
    action = models.CharField(max_length=80)
    subject = models.CharField(max_length=200, blank=True)
    facts = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["organisation", "at"])]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.action} {self.subject}"
