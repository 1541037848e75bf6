"""The formats by name, and how a log meets a course that is there already."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

from tutor.accounts.models import Organisation
from tutor.content.models import Course, Item
from tutor.responses.importing import dbe_kt22, log_csv
from tutor.responses.importing.incoming import Incoming, Reject

FORMATS: dict[str, Callable[..., Incoming]] = {
    "csv": log_csv.read,
    "dbe-kt22": dbe_kt22.read,
}
# Readers that bring the questions themselves; a log alone only names them.
BRINGS_CONTENT = frozenset({"dbe-kt22"})


def read(name: str, path: Path, *, organisation: Organisation, slug: str, title: str) -> Incoming:
    """Return the log at `path`, fitted to the organisation's course `slug` if there is one.

    A log without content never changes a course: answers to items that the course does not have
    are rejected.

    Raises:
        UnreadableLog: the input as a whole cannot be read.
    """
    incoming = FORMATS[name](path, title=title, slug=slug)
    if name in BRINGS_CONTENT or organisation.pk is None:
        return incoming
    course = Course.objects.filter(organisation=organisation, slug=slug).first()
    return incoming if course is None else _keep_content(incoming, course)


def _keep_content(incoming: Incoming, course: Course) -> Incoming:
    known = set(Item.objects.filter(course=course).values_list("slug", flat=True))
    kept = [answer for answer in incoming.answers if answer.item in known]
    rejects = [
        Reject(answer.line, "item", answer.item, f"the course {course.slug} has no such item")
        for answer in incoming.answers
        if answer.item not in known
    ]
    return dataclasses.replace(
        incoming, answers=kept, rejects=[*incoming.rejects, *rejects], keeps_content=True
    )
