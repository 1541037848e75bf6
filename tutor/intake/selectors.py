"""Reads of intake; every upload is reached through the person who asks."""

import datetime as dt
import math
import uuid

from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, OuterRef, Q, QuerySet

from tutor.accounts.models import Organisation, User
from tutor.common import clock
from tutor.common.errors import NotAllowed, NotVisible
from tutor.content.models import Course
from tutor.intake.models import OPEN, WORK, State, Upload
from tutor.responses.models import LogImport

# How long an import takes is told by the last ones of up to so many times the size.
PACES = 20
SAME_SIZE = 4.0


def organisation_of(*, actor: User | AnonymousUser) -> Organisation:
    """Return the organisation that `actor` brings logs to.

    Raises:
        NotVisible: the person administers nothing.
        NotAllowed: the person runs the installation and belongs to no organisation.
    """
    if not isinstance(actor, User) or not actor.may_administer:
        raise NotVisible("This page is for administrators.")
    if actor.organisation is None:
        raise NotAllowed(
            "This account belongs to no school, and a log belongs to one. Sign in as an "
            "administrator of the school, or use the command import_log."
        )
    return actor.organisation


def list_visible_uploads(*, actor: User | AnonymousUser) -> QuerySet[Upload]:
    """Return the uploads of the organisation that `actor` administers, newest first.

    Raises:
        NotVisible, NotAllowed: as `organisation_of`.
    """
    rows = Upload.objects.filter(organisation=organisation_of(actor=actor))
    return rows.select_related("organisation", "uploaded_by", "course", "run")


def access_upload(*, actor: User | AnonymousUser, public_id: uuid.UUID) -> Upload:
    """Return the upload, if `actor` administers its organisation.

    Raises:
        NotVisible: there is no such upload, or not for this person.
        NotAllowed: as `organisation_of`.
    """
    found = list_visible_uploads(actor=actor).filter(public_id=public_id).first()
    if found is None:
        raise NotVisible("There is no such upload.", upload=str(public_id))
    return found


def list_command_imports(*, organisation: Organisation) -> QuerySet[LogImport]:
    """Return the imports that were made by command, newest first."""
    # A run that was killed is not the one that its upload names in the end.
    by_upload = Upload.objects.filter(
        organisation=OuterRef("organisation"),
        sha256=OuterRef("source_hash"),
        agreed_at__lte=OuterRef("started_at"),
    )
    rows = LogImport.objects.filter(~Exists(by_upload), organisation=organisation, upload=None)
    return rows.select_related("course").order_by("-started_at", "-pk")


def list_courses(*, organisation: Organisation) -> QuerySet[Course]:
    """Return the courses that answers may be for, by title."""
    return Course.objects.filter(organisation=organisation).order_by("title", "pk")


def list_accounts(*, organisation: Organisation) -> QuerySet[User]:
    """Return who can be put into a class: students and teachers, by name."""
    rows = User.objects.filter(
        organisation=organisation,
        is_active=True,
        role__in=(User.Role.STUDENT, User.Role.TEACHER),
    )
    return rows.order_by("role", "first_name", "last_name", "username")


def count_since(*, organisation: Organisation, since: dt.datetime) -> int:
    """Return how many files were brought since then."""
    return Upload.objects.filter(organisation=organisation, created_at__gte=since).count()


def count_kept(*, organisation: Organisation) -> int:
    """Return how many files are kept that are not imported yet."""
    return Upload.objects.filter(organisation=organisation, state__in=OPEN).count()


def find_running(*, organisation: Organisation) -> Upload | None:
    """Return the organisation's upload that is being imported."""
    return Upload.objects.filter(organisation=organisation, state=State.IMPORTING).first()


def find_twin(*, upload: Upload) -> Upload | None:
    """Return the newest import of the very same file before this one."""
    rows = Upload.objects.filter(
        organisation=upload.organisation_id, sha256=upload.sha256, state=State.IMPORTED
    )
    return rows.exclude(pk=upload.pk).select_related("course").order_by("-moved_at").first()


def find_earlier_mapping(*, upload: Upload, header_key: str) -> Upload | None:
    """Return the newest import of a file with the same header, whose mapping may fit again."""
    rows = Upload.objects.filter(
        organisation=upload.organisation_id,
        header_key=header_key,
        state=State.IMPORTED,
        mapping__isnull=False,
    )
    return rows.exclude(pk=upload.pk).order_by("-moved_at").first()


def estimate_seconds(*, answers: int) -> float | None:
    """Return how long an import of so many answers takes here, by the one nearest in size.

    None where none of the last imports was of about that size: a small one says little of a large
    one, which spends its time elsewhere.
    """
    rows = Upload.objects.filter(state=State.IMPORTED, run__rows_added__gt=0)
    nearest: tuple[float, float] | None = None
    for upload in rows.select_related("run").order_by("-moved_at")[:PACES]:
        done = upload.run.rows_added + upload.run.rows_known
        ratio = max(answers, 1) / done
        distance = abs(math.log(ratio))
        if distance <= math.log(SAME_SIZE) and (nearest is None or distance < nearest[0]):
            took = (upload.moved_at - upload.run.started_at).total_seconds()
            nearest = (distance, took * ratio)
    return None if nearest is None else nearest[1]


def is_slug_taken(*, organisation: Organisation, slug: str) -> bool:
    """Test whether a course, or an upload that is to become one, has this slug."""
    return (
        Course.objects.filter(organisation=organisation, slug=slug).exists()
        or Upload.objects.filter(
            organisation=organisation, course_slug=slug, state__in=OPEN
        ).exists()
    )


def list_work(*, dead_after: dt.timedelta) -> QuerySet[Upload]:
    """Return the uploads that a worker should take: nobody is at them, or whoever was is dead."""
    now = clock.of_database()
    nobody = Q(claim__isnull=True) | silent(now=now, dead_after=dead_after)
    return Upload.objects.filter(nobody, state__in=WORK).order_by("moved_at", "pk")


def silent(*, now: dt.datetime, dead_after: dt.timedelta) -> Q:
    """Return the condition that a row's worker has shown no sign of life for so long.

    `now` is the database's, as signs of life are. A sign from the future is that of a clock which
    has been set back since.
    """
    return Q(beat_at__lt=now - dead_after) | Q(beat_at__gt=now + dead_after)


def list_unused(*, moved_before: dt.datetime) -> QuerySet[Upload]:
    """Return the uploads that wait for a person and were not touched since."""
    return Upload.objects.filter(
        state__in=(State.MAPPING, State.PLANNED), moved_at__lt=moved_before
    )


def list_to_forget() -> QuerySet[Upload]:
    """Return the uploads that have ended while something of them is still kept."""
    kept = ~Q(stored_name="") | ~Q(rejects_name="")
    return Upload.objects.filter(kept).exclude(state__in=OPEN)
