"""The formats by name, and how a log meets a course that is there already."""

import dataclasses
import datetime as dt
from collections.abc import Callable
from pathlib import Path

from tutor.accounts.models import Organisation
from tutor.content.models import Course, Item
from tutor.responses.importing import dbe_kt22, log_csv, stored_course
from tutor.responses.importing.errors import NothingToImport, OtherContent
from tutor.responses.importing.incoming import Incoming, Reject

FORMATS: dict[str, Callable[..., Incoming]] = {
    "csv": log_csv.read,
    "dbe-kt22": dbe_kt22.read,
}
# Readers that bring the questions themselves; a log alone only names them.
BRINGS_CONTENT = frozenset({"dbe-kt22"})


def read(
    name: str, path: Path, *, organisation: Organisation, slug: str, title: str, at: dt.datetime
) -> Incoming:
    """Return the log at `path`, fitted to the organisation's course `slug` if there is one.

    A log without content never changes a course that somebody wrote: answers to items that the
    course does not have are rejected. A course that itself came from a log gets the new items.

    Rows later than `at`, which is now, are rejected.

    Raises:
        UnreadableLog: the input as a whole cannot be read.
        OtherContent: the input brings content, and the course has other content.
    """
    incoming = FORMATS[name](path, title=title, slug=slug, at=at)
    course = Course.objects.filter(organisation=organisation.pk, slug=slug).first()
    if course is None:
        return incoming
    if name in BRINGS_CONTENT:
        if course.source != incoming.course.source:
            raise OtherContent(
                f"The course {slug} has content from elsewhere; name another with --course.",
                course=slug,
            )
        return incoming
    if course.source == log_csv.SOURCE:
        return stored_course.extend(course=course, incoming=incoming)
    return _keep_content(incoming, course)


def check_not_empty(*, incoming: Incoming) -> None:
    """Refuse an input of which nothing can be taken.

    Raises:
        NothingToImport: there is no answer in it.
    """
    if not incoming.answers:
        raise NothingToImport(
            f"Nothing to import: {len(incoming.rejects)} rows, none of which can be taken."
            if incoming.rejects
            else "Nothing to import: there is no answer in it."
        )


def _keep_content(incoming: Incoming, course: Course) -> Incoming:
    known = set(
        Item.objects.filter(course=course, current__isnull=False).values_list("slug", flat=True)
    )
    kept = [answer for answer in incoming.answers if answer.item in known]
    rejects = [
        Reject(answer.line, "item", answer.item_name, f"the course {course.slug} has no such item")
        for answer in incoming.answers
        if answer.item not in known
    ]
    return dataclasses.replace(
        incoming,
        course=stored_course.read_spec(course=course),
        answers=kept,
        rejects=sorted([*incoming.rejects, *rejects], key=lambda reject: reject.line),
        course_warnings=[f"The course {course.slug} is there and stays as it is."],
        keeps_content=True,
    )
