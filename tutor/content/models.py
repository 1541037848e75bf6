"""Courses as they are taught: concepts, what must come before, and items in immutable versions."""

import uuid

from django.db import models

from tutor.accounts.models import Organisation
from tutor.common.append_only import AppendOnlyModel


class Course(models.Model):
    """A body of concepts and items that one graph of prerequisites holds together."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="courses")
    slug = models.SlugField(max_length=100)
    title = models.CharField(max_length=200)
    language = models.CharField(max_length=12, default="en")
    # Where the content comes from and under which terms; shown to whoever exports it.
    source = models.TextField(blank=True)
    # Raised by every change that a cached copy must not survive: content, status, promotion.
    revision = models.PositiveBigIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "slug"], name="course_slug_once")
        ]

    def __str__(self) -> str:
        return self.title


class Concept(models.Model):
    """One thing to know or to be able to do; mastery is estimated per concept."""

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="concepts")
    slug = models.SlugField(max_length=100)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    position = models.PositiveIntegerField()

    class Meta:
        ordering = ["course", "position"]
        constraints = [models.UniqueConstraint(fields=["course", "slug"], name="concept_slug_once")]

    def __str__(self) -> str:
        return self.name


class Prerequisite(models.Model):
    """`requires` has to be reached before `concept` is practised. The whole is free of cycles."""

    concept = models.ForeignKey(Concept, on_delete=models.CASCADE, related_name="prerequisites")
    requires = models.ForeignKey(Concept, on_delete=models.CASCADE, related_name="opens")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["concept", "requires"], name="prerequisite_once"),
            models.CheckConstraint(
                condition=~models.Q(concept=models.F("requires")), name="prerequisite_not_itself"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.requires} before {self.concept}"


class Misconception(models.Model):
    """A named wrong idea that certain wrong answers stem from."""

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="misconceptions")
    slug = models.SlugField(max_length=100)
    name = models.CharField(max_length=200)
    feedback = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["course", "slug"], name="misconception_slug_once")
        ]

    def __str__(self) -> str:
        return self.name


class Item(models.Model):
    """A question as teachers speak of it. What is asked stands in its versions."""

    class Status(models.TextChoices):
        """Where the item is in its life."""

        DRAFT = "draft", "Draft"
        OPERATIONAL = "operational", "Operational"
        RETIRED = "retired", "Retired"

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="items")
    slug = models.SlugField(max_length=120)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.OPERATIONAL)
    current = models.ForeignKey(
        "ItemVersion", on_delete=models.PROTECT, null=True, related_name="+", db_constraint=False
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["course", "slug"], name="item_slug_once")]

    def __str__(self) -> str:
        return self.slug


class ItemVersion(AppendOnlyModel):
    """What an item asked from one moment on. Responses point here, so it never changes.

    Items are traced per version; the seeds of a template share one.
    """

    class Kind(models.TextChoices):
        """How an answer is given and graded."""

        SINGLE_CHOICE = "single_choice", "Single choice"
        MULTIPLE_CHOICE = "multiple_choice", "Multiple choice"
        NUMBER = "number", "Number"
        EXPRESSION = "expression", "Expression"
        TEXT = "text", "Short text"
        SELF_MARKED = "self_marked", "Marked by the learner"

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=20, choices=Kind.choices)
    # Canonical form of the course format: stem, answer, choices, parameters, hints, solution.
    body = models.JSONField()
    content_hash = models.CharField(max_length=64)
    # The author's estimate on the logit scale: 0 average, +1 hard, -1 easy.
    author_difficulty = models.FloatField(default=0.0)
    # Concept ids in the author's order, the main concept first.
    concepts = models.ManyToManyField(Concept, through="ItemVersionConcept", related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "number"], name="item_version_once")]

    def __str__(self) -> str:
        return f"{self.item.slug}@{self.number}"


class ItemVersionConcept(AppendOnlyModel):
    """An item version exercises a concept; position 0 is the main one."""

    version = models.ForeignKey(ItemVersion, on_delete=models.PROTECT, related_name="concept_links")
    concept = models.ForeignKey(Concept, on_delete=models.PROTECT, related_name="version_links")
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["version", "position"]
        constraints = [
            models.UniqueConstraint(fields=["version", "concept"], name="version_concept_once")
        ]

    def __str__(self) -> str:
        return f"{self.version_id}: {self.concept_id}"
