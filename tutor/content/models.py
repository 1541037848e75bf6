"""Courses as they are taught: concepts, what must come before, and items in immutable versions."""

import uuid

from django.db import models

from tutor.accounts.models import Organisation, User
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
    # Share of choices, 0 to 0.2, in which an item of the pilot is tried out if one fits.
    pilot_share = models.FloatField(default=0.05)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "slug"], name="course_slug_once"),
            models.CheckConstraint(
                condition=models.Q(pilot_share__gte=0, pilot_share__lte=0.2),
                name="course_pilot_share_range",
            ),
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
    # Remembered or not, like a word or a date: reviews go by a card's memory model.
    is_fact = models.BooleanField(default=False)

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

        # Being written: shown to nobody.
        DRAFT = "draft", "Draft"
        # Tried out: shown in the pilot share only, and not counted in mastery.
        PILOT = "pilot", "Pilot"
        # In use on the strength of a prior, and counted with its uncertainty.
        PROVISIONAL = "provisional", "Provisional"
        # In use: enough answers, and a difficulty known well enough.
        OPERATIONAL = "operational", "Operational"
        # In use, but somebody should look at it.
        FLAGGED = "flagged", "Flagged"
        # Taken out because it does not measure what it should; its answers count no more.
        EXCLUDED = "excluded", "Excluded"
        # No longer part of the course.
        RETIRED = "retired", "Retired"

    # May be given by the scheduler like any other.
    IN_USE = (Status.PROVISIONAL, Status.OPERATIONAL, Status.FLAGGED)
    # Not in use yet: what is answered to it calibrates it and does not count in mastery.
    ON_TRIAL = (Status.DRAFT, Status.PILOT)

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="items")
    slug = models.SlugField(max_length=120)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.PROVISIONAL)
    current = models.ForeignKey(
        "ItemVersion", on_delete=models.PROTECT, null=True, related_name="+", db_constraint=False
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["course", "slug"], name="item_slug_once")]

    def __str__(self) -> str:
        return self.slug


class StatusChange(AppendOnlyModel):
    """An item moved on in its life, or back: when, by whom and why."""

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="status_changes")
    before = models.CharField(max_length=20, choices=Item.Status.choices)
    after = models.CharField(max_length=20, choices=Item.Status.choices)
    at = models.DateTimeField(auto_now_add=True)
    # Empty where a calibration or a command did it.
    actor = models.ForeignKey(User, on_delete=models.DO_NOTHING, null=True, db_constraint=False)
    reason = models.CharField(max_length=300)
    # The number of the calibration that gave the reason, if one did.
    calibration = models.PositiveIntegerField(null=True)
    # The change that this one takes back.
    reverts = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="reverted_by"
    )

    class Meta:
        indexes = [models.Index(fields=["item", "at"])]

    def __str__(self) -> str:
        return f"{self.item_id}: {self.before} to {self.after}"


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


class Picture(AppendOnlyModel):
    """A picture in items' texts, stored once however many versions show it."""

    # SHA-256 of the author's file; what is stored was drawn anew from it (`picture_files`).
    digest = models.CharField(max_length=64, unique=True)
    media_type = models.CharField(max_length=20)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    data = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.digest[:12]}, {self.width} × {self.height}"


class VersionPicture(AppendOnlyModel):
    """An item version shows a picture: whoever may see the version may see the picture."""

    version = models.ForeignKey(ItemVersion, on_delete=models.PROTECT, related_name="picture_links")
    picture = models.ForeignKey(Picture, on_delete=models.PROTECT, related_name="version_links")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "picture"], name="version_picture_once")
        ]

    def __str__(self) -> str:
        return f"{self.version_id}: {self.picture_id}"
