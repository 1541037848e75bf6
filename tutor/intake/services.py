"""What a person does with an upload: bring, name the columns, agree, cancel, discard."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from tutor.accounts.models import Organisation, User
from tutor.accounts.services import record_audit
from tutor.classes import services as class_services
from tutor.classes.models import Classroom
from tutor.content.models import Course
from tutor.intake import queue, selectors, storage
from tutor.intake.errors import ImportRunning, MovedOn, TooManyUploads
from tutor.intake.models import OPEN, State, Upload
from tutor.intake.receiving import ReceivedFile
from tutor.responses.importing import naming
from tutor.responses.importing.mapping import ColumnMapping

# So many files of an organisation wait at once, each up to the limit of size.
MOST_KEPT = 10
_STEP_BEGINS: dict[str, Any] = {
    "claim": None,
    "beat_at": None,
    "tries": 0,
    "stage": "",
    "done": 0,
    "total": 0,
    "problem": "",
}


def check_rate(*, organisation: Organisation, at: dt.datetime) -> None:
    """Refuse a file before it is received, if the organisation has brought its share.

    Raises:
        TooManyUploads: saying which limit and what to do.
    """
    recent = selectors.count_since(organisation=organisation, since=at - dt.timedelta(hours=1))
    if recent >= settings.UPLOADS_PER_HOUR:
        raise TooManyUploads(
            f"{recent} files were brought in the last hour, which is the limit here. "
            "Wait a little and try again."
        )
    kept = selectors.count_kept(organisation=organisation)
    if kept >= MOST_KEPT:
        raise TooManyUploads(
            f"{kept} files wait to be imported. Import or discard one of them first."
        )


def receive(
    *,
    actor: User,
    organisation: Organisation,
    file: ReceivedFile,
    course: Course | None,
    title: str,
    kind: str,
    at: dt.datetime,
) -> Upload:
    """Keep a file that has arrived and ask a worker to look at it.

    Args:
        course: of the organisation; None for a new one.
        title: of a new course; empty to name it after the file.
        kind: of `wording.FORMATS`.

    Raises:
        TooManyUploads: as `check_rate`.
    """
    with transaction.atomic():
        # In the organisation's turn, so that two uploads at once do not both pass the limit.
        Organisation.objects.select_for_update().get(pk=organisation.pk)
        check_rate(organisation=organisation, at=at)
        title = title.strip()[:200] or _title_of(str(file.name))
        upload = Upload.objects.create(
            organisation=organisation,
            uploaded_by=actor,
            file_name=file.name,
            stored_name=file.stored_name,
            size_bytes=file.size,
            sha256=file.sha256,
            created_at=at,
            moved_at=at,
            course=course,
            course_slug=course.slug if course else _new_slug(organisation, title),
            course_title=course.title if course else title,
            format=kind,
        )
        _audit(upload, actor, at, "log-uploaded", bytes=file.size, sha256=file.sha256)
        _nudge_later(upload)
    return upload


def _title_of(file_name: str) -> str:
    stem = file_name.removesuffix(storage.ending_of(file_name))
    words = stem.replace("-", " ").replace("_", " ").strip() or "log"
    return f"{words[0].upper()}{words[1:]}"[:200]


def _new_slug(organisation: Organisation, title: str) -> str:
    stem = slugify(title)[: naming.LONGEST - 4] or "log"
    number, slug = 1, stem
    while selectors.is_slug_taken(organisation=organisation, slug=slug):
        number += 1
        slug = f"{stem}-{number}"
    return slug


def look_again(
    *,
    upload: Upload,
    kind: str,
    mapping: ColumnMapping | None,
    at: dt.datetime,
) -> None:
    """Have the file looked at as another format, or as text written in another way.

    Raises:
        MovedOn: it does not wait for that.
    """
    _move(
        upload,
        State.MAPPING,
        to=State.LOOKING,
        at=at,
        format=kind,
        mapping=None if mapping is None else mapping.to_dict(),
    )
    _nudge_later(upload)


def plan(*, upload: Upload, actor: User, mapping: ColumnMapping | None, at: dt.datetime) -> None:
    """Have the plan made with this mapping; None where the format is no free table.

    Raises:
        MovedOn: it does not wait for that.
    """
    with transaction.atomic():
        _move(
            upload,
            State.MAPPING,
            to=State.PLANNING,
            at=at,
            mapping=None if mapping is None else mapping.to_dict(),
        )
        _audit(upload, actor, at, "log-import-planned")
        _nudge_later(upload)


def change_mapping(*, upload: Upload, at: dt.datetime) -> None:
    """Go back from the plan to what the columns mean.

    Raises:
        MovedOn: it does not wait for that.
    """
    _move(upload, State.PLANNED, to=State.MAPPING, at=at)


def start_import(*, upload: Upload, actor: User, at: dt.datetime) -> None:
    """Agree to the plan and have it carried out. A second click finds it started and is content.

    Raises:
        ImportRunning: another one of the organisation is running.
        MovedOn: it does not wait for that.
    """
    try:
        with transaction.atomic():
            _move(upload, State.PLANNED, to=State.IMPORTING, at=at, agreed_at=at, writing_at=None)
            _audit(upload, actor, at, "log-import-started")
            _nudge_later(upload)
    except IntegrityError as error:
        raise ImportRunning(
            "Another import of your school is running. Wait until it is done, then import this one."
        ) from error
    except MovedOn:
        upload.refresh_from_db()
        if upload.state not in (State.IMPORTING, State.IMPORTED):
            raise


def cancel(*, upload: Upload, actor: User, at: dt.datetime) -> None:
    """Stop what a worker is doing; an import only until its first answer is written.

    Raises:
        MovedOn: it is written already, or done.
    """
    back = {
        State.LOOKING: State.MAPPING,
        State.PLANNING: State.MAPPING,
        State.IMPORTING: State.PLANNED,
    }
    came_from = State(upload.state)
    if came_from not in back:
        raise MovedOn("There is nothing to cancel any more.")
    only = {"writing_at": None} if came_from == State.IMPORTING else {}
    with transaction.atomic():
        _move(upload, came_from, to=back[came_from], at=at, only=only)
        _audit(upload, actor, at, "log-import-cancelled", was=came_from.value)


def discard(*, upload: Upload, actor: User, at: dt.datetime) -> None:
    """Delete the file and everything read from it. What an import has written stays.

    Raises:
        MovedOn: it is being written.
    """
    with transaction.atomic():
        count = (
            Upload.objects.filter(pk=upload.pk, state__in=OPEN)
            .exclude(state=State.IMPORTING)
            .update(state=State.DISCARDED, moved_at=at, **_STEP_BEGINS)
        )
        if not count:
            upload.refresh_from_db()
            if upload.state == State.DISCARDED:
                return
            raise MovedOn("It is being imported, or has been: there is nothing to discard.")
        _audit(upload, actor, at, "log-discarded")
    upload.refresh_from_db()
    forget_files(upload=upload)


def forget_files(*, upload: Upload, keep_rejects: bool = False) -> None:
    """Delete what was kept of an upload that has ended: file, sample, rejects."""
    storage.remove(upload.stored_name)
    upload.stored_name = ""
    upload.look = {**upload.look, "sample": []} if upload.look else None
    if not keep_rejects:
        storage.remove(upload.rejects_name)
        upload.rejects_name = ""
        upload.rejects = {**upload.rejects, "first": []} if upload.rejects else None
    upload.save(update_fields=["stored_name", "look", "rejects_name", "rejects"])


def note_rejects_downloaded(*, upload: Upload, actor: User, at: dt.datetime) -> None:
    """Note that somebody took the rejects away: they may name learners."""
    _audit(upload, actor, at, "log-rejects-downloaded")


@transaction.atomic
def make_class(
    *, upload: Upload, actor: User, usernames: list[str], at: dt.datetime
) -> Classroom | None:
    """Put accounts of the organisation into a class of the imported course.

    Returns None where no account was named. Repeating it changes nothing.

    Raises:
        MovedOn: nothing is imported yet.
    """
    if upload.state != State.IMPORTED or upload.course is None:
        raise MovedOn("A class can be made once the log is imported.")
    accounts = selectors.list_accounts(organisation=upload.organisation)
    users = list(accounts.filter(username__in=usernames))
    if not users:
        return None
    classroom = class_services.ensure_class(
        organisation=upload.organisation, name=upload.course.title, course=upload.course
    )
    class_services.admit_users(classroom=classroom, users=users)
    _audit(upload, actor, at, "class-made", classroom=classroom.name, accounts=len(users))
    return classroom


def _move(
    upload: Upload,
    came_from: State,
    *,
    to: State,
    at: dt.datetime,
    only: dict[str, Any] | None = None,
    **entries: Any,
) -> None:
    """Move the upload on, if it stands where it is thought to; one UPDATE, so once."""
    rows = Upload.objects.filter(pk=upload.pk, state=came_from, **(only or {}))
    if not rows.update(state=to, moved_at=at, **_STEP_BEGINS, **entries):
        raise MovedOn(
            "Somebody else, or an earlier click, was quicker: this is at another step by now."
        )
    upload.refresh_from_db()


def _nudge_later(upload: Upload) -> None:
    # Only after the commit: a worker that starts earlier would not see the row.
    transaction.on_commit(lambda: queue.nudge(upload_id=upload.pk))


def _audit(upload: Upload, actor: User, at: dt.datetime, action: str, **facts: object) -> None:
    record_audit(
        at=at,
        action=action,
        organisation=upload.organisation,
        actor=actor,
        subject=upload.file_name,
        facts={"upload": str(upload.public_id), "course": upload.course_slug, **facts},
    )
