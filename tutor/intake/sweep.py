"""The sweep that the beat asks for: nothing is left lying, neither work nor files."""

import datetime as dt

from django.conf import settings

from tutor.intake import queue, selectors, services, storage
from tutor.intake.claims import DEAD_AFTER
from tutor.intake.models import State, Upload

STRAY_AFTER_S = 86_400.0


def sweep(*, at: dt.datetime) -> int:
    """Nudge for work that nobody does, expire what nobody used, delete what is over.

    Returns how many uploads it had to do with.
    """
    count = 0
    for upload in selectors.list_work(dead_after=DEAD_AFTER):
        queue.nudge(upload_id=upload.pk)
        count += 1
    return count + _expire(at) + _forget(at) + _remove_strays(at)


def _expire(at: dt.datetime) -> int:
    """End the uploads that waited for a person too long."""
    kept_since = at - dt.timedelta(days=settings.UPLOAD_KEEP_DAYS)
    unused = selectors.list_unused(moved_before=kept_since)
    return unused.update(state=State.EXPIRED, moved_at=at, problem="")


def _forget(at: dt.datetime) -> int:
    """Delete the files of uploads that have ended; rejects stay for a while after an import."""
    kept_since = at - dt.timedelta(days=settings.UPLOAD_KEEP_DAYS)
    count = 0
    for upload in selectors.list_to_forget():
        keeps_rejects = upload.state == State.IMPORTED and upload.moved_at >= kept_since
        if upload.stored_name or (upload.rejects_name and not keeps_rejects):
            services.forget_files(upload=upload, keep_rejects=keeps_rejects)
            count += 1
    return count


def _remove_strays(at: dt.datetime) -> int:
    rows = Upload.objects.values_list("stored_name", "rejects_name")
    known = {name for names in rows.iterator() for name in names if name}
    return storage.remove_strays(known=known, older_than_s=STRAY_AFTER_S, now_s=at.timestamp())
