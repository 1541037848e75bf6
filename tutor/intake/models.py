"""A log that an administrator brings in the browser, and how far it has come."""

import uuid

from django.db import models

from tutor.accounts.models import Organisation, User
from tutor.content.models import Course
from tutor.responses.importing import kinds
from tutor.responses.models import LogImport


class State(models.TextChoices):
    """What an upload waits for: a worker, a person, or nothing any more."""

    LOOKING = "looking", "Being looked at"
    MAPPING = "mapping", "Waits for you: what do the columns mean?"
    PLANNING = "planning", "Being checked"
    PLANNED = "planned", "Waits for you: import it?"
    IMPORTING = "importing", "Being imported"
    IMPORTED = "imported", "Imported"
    DISCARDED = "discarded", "Discarded"
    EXPIRED = "expired", "Deleted unused"


# A worker has to do something.
WORK = (State.LOOKING, State.PLANNING, State.IMPORTING)
# A person has to decide something.
WAITING = (State.MAPPING, State.PLANNED)
OPEN = (*WORK, *WAITING)


class Upload(models.Model):
    """A file that was brought, from its arrival to its import or its end.

    The row is the list of work: a worker claims what stands in one of `WORK`, and whoever moves
    the row on does so by one conditional UPDATE, so that two clicks or two workers are one.

    PII: the file, the sample in `look` and the rejects may hold anything about learners. They go
    when the upload ends.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="uploads")
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    uploaded_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, related_name="uploads"
    )
    # As the person's machine calls it, cleaned; only shown.
    file_name = models.CharField(max_length=120)
    # In the upload folder, random; empty once the file is deleted.
    stored_name = models.CharField(max_length=60, blank=True)
    size_bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    # The last time that a person or a worker moved it on; unused files go by this.
    moved_at = models.DateTimeField()
    state = models.CharField(max_length=20, choices=State.choices, default=State.LOOKING)
    # Why the last step came to nothing, in words for the person; empty where it did not.
    problem = models.TextField(blank=True)

    # The course that the answers are for; empty until a new one is made.
    course = models.ForeignKey(Course, on_delete=models.PROTECT, null=True, related_name="+")
    # Of the course, also of one that is still to be made.
    course_slug = models.CharField(max_length=80)
    course_title = models.CharField(max_length=200)
    # As chosen; "auto" lets the worker find out.
    format = models.CharField(max_length=40, default="auto")
    # What the worker saw: format, header, sample, problems, notes.
    look = models.JSONField(null=True)
    # SHA-256 of the header: a mapping that was used for the same header is suggested again.
    header_key = models.CharField(max_length=64, blank=True)
    # `ColumnMapping.to_dict`; empty where the format is no free table.
    mapping = models.JSONField(null=True)

    # `ImportPlan.to_dict` of the plan that was shown or agreed to.
    plan = models.JSONField(null=True)
    # In the upload folder; empty where there is none, or none any longer.
    rejects_name = models.CharField(max_length=60, blank=True)
    # How many rejected rows for which reason, and the first few.
    rejects = models.JSONField(null=True)

    # Of the worker that is at it; empty where nobody is.
    claim = models.UUIDField(null=True)
    # The worker's last sign of life.
    beat_at = models.DateTimeField(null=True)
    # How many workers have begun this step.
    tries = models.PositiveSmallIntegerField(default=0)
    # Of `usecases.Stage`, with how much of it is done and how much there is (0: nobody knows).
    stage = models.CharField(max_length=20, blank=True)
    done = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(default=0)

    # When a person agreed to the plan, and when the first answer was about to be written.
    agreed_at = models.DateTimeField(null=True)
    writing_at = models.DateTimeField(null=True)
    # The record of the run that reached the end.
    run = models.OneToOneField(
        LogImport, on_delete=models.PROTECT, null=True, related_name="upload"
    )
    # Of all runs: a killed one has written whole chunks.
    rows_added = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["organisation", "created_at"]),
            models.Index(fields=["state", "beat_at"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation"],
                condition=models.Q(state="importing"),
                name="one_import_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.get_state_display()})"

    @property
    def is_work(self) -> bool:
        """Whether a worker has to do something."""
        return self.state in WORK

    @property
    def is_open(self) -> bool:
        """Whether it may still become an import."""
        return self.state in OPEN

    @property
    def is_table(self) -> bool:
        """Whether its columns can mean anything, so that they have to be named."""
        return bool(self.look and self.look["header"] and self.look["format"] in kinds.MAPPED)
