"""A log on its way through the steps, without a browser."""

import csv
import datetime as dt
import hashlib
import io
import uuid

from django.db.models import F

from tests.tutor.responses.importing.logs import made_up_rows
from tutor.accounts.models import AuditEntry
from tutor.common import clock
from tutor.intake import services, steps, storage
from tutor.intake.models import Upload
from tutor.intake.receiving import ReceivedFile
from tutor.responses.importing import mapping

# What the made-up log's columns are called where the tutor cannot know them.
FOREIGN = {
    "learner": "Schüler",
    "item": "Aufgabe",
    "correct": "Punkte",
    "concepts": "Thema",
    "answered_at": "Zeitpunkt",
    "elapsed_ms": "Dauer",
    "hints": "Hilfen",
}


def csv_of(rows, *, delimiter=",", titles=None) -> bytes:
    """Return the rows as CSV; `titles` says what the columns are called."""
    text = io.StringIO()
    columns = list(rows[0])
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow([(titles or {}).get(column, column) for column in columns])
    writer.writerows([row[column] for column in columns] for row in rows)
    return text.getvalue().encode()


def bring(
    *, actor, folder, rows=None, content=None, name="spring.csv", course=None, kind="auto", title=""
) -> Upload:
    """Keep a file as if it had arrived; by default a log of 600 answers of 24 learners."""
    data = csv_of(rows or made_up_rows()) if content is None else content
    stored = storage.new_name(name)
    storage.path_of(stored).write_bytes(data)
    file = ReceivedFile(
        stored_name=stored, name=name, size=len(data), sha256=hashlib.sha256(data).hexdigest()
    )
    return services.receive(
        actor=actor,
        organisation=actor.organisation,
        file=file,
        course=course,
        title=title,
        kind=kind,
        at=clock.now(),
    )


def work(upload, *, token=None) -> Upload:
    """Let a worker take the next step; return the upload as it is then."""
    steps.work_on(upload_id=upload.pk, token=token or uuid.uuid4(), now=clock.now)
    upload.refresh_from_db()
    return upload


def plan(upload) -> Upload:
    """Look, take the mapping as it was guessed, and plan."""
    if upload.state == "looking":
        work(upload)
    if upload.state == "mapping":
        chosen = mapping.from_dict(upload.mapping)
        services.plan(upload=upload, actor=upload.uploaded_by, mapping=chosen, at=clock.now())
    return work(upload)


def start(upload) -> Upload:
    """Agree to the plan, without a worker."""
    services.start_import(upload=upload, actor=upload.uploaded_by, at=clock.now())
    return upload


def finish(upload) -> Upload:
    """Plan, agree and import."""
    return work(start(plan(upload)))


def age(by: dt.timedelta) -> None:
    """Have workers shown their signs of life so much earlier."""
    Upload.objects.filter(beat_at__isnull=False).update(beat_at=F("beat_at") - by)


def acts() -> list[str]:
    """What the audit log has, oldest first."""
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


def kept(folder) -> list[str]:
    """The names of the files in the folder of uploads."""
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []
