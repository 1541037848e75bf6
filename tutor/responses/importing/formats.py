"""From an input to a log that is read whole, and how it meets a course that is there already."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tutor.accounts.models import Organisation
from tutor.content.course_format import CourseSpec
from tutor.content.models import Course, Item
from tutor.responses.importing import kinds, log_course, looking, stored_course
from tutor.responses.importing.errors import NothingToImport, OtherContent
from tutor.responses.importing.incoming import Incoming
from tutor.responses.importing.mapping import ColumnMapping
from tutor.responses.importing.naming import slug_of
from tutor.responses.importing.readers import assistments, datashop, dbe_kt22, ednet, pykt, table
from tutor.responses.importing.readers.base import Request
from tutor.responses.importing.sources import open_source
from tutor.responses.importing.staging import Staging

# A reader fills the staging; one that brings content returns it.
Reader = Callable[..., CourseSpec | None]
FORMATS: dict[str, Reader] = {
    kinds.CSV: table.read,
    kinds.ASSISTMENTS: assistments.read,
    kinds.PYKT: pykt.read,
    kinds.DATASHOP: datashop.read,
    kinds.EDNET: ednet.read,
    kinds.DBE_KT22: dbe_kt22.read,
}
Reading = Callable[[int, int], object]


@contextmanager
def read(
    name: str,
    path: Path,
    *,
    organisation: Organisation,
    slug: str,
    title: str,
    at: dt.datetime,
    mapping: ColumnMapping | None = None,
    progress: Reading = lambda *_: None,
) -> Iterator[Incoming]:
    """Read the log at `path`, fitted to the organisation's course `slug` if there is one.

    It stands in a temporary database until the context ends. A log without content never
    changes a course that somebody wrote: answers to items that the course does not have are
    rejected. A course that itself came from a log gets the new items.

    Args:
        name: of `FORMATS`, or "auto" to find out.
        mapping: what the columns of a table mean; None to guess.
        at: now; rows from later are rejected.
        progress: called with the bytes read, and how many there are.

    Raises:
        UnreadableLog: the input as a whole cannot be read.
        NothingToImport: there is no answer in it that can be taken.
        OtherContent: the input brings content, and the course has other content.
    """
    with open_source(path) as source, Staging() as staging:
        kind = looking.find_format(source, mapping=mapping) if name == kinds.AUTO else name
        request = Request(
            slug=slug,
            title=title,
            at=at,
            mapping=mapping,
            tick=lambda: progress(min(source.position(), source.size), source.size),
        )
        brought = FORMATS[kind](source, into=staging, request=request)
        progress(source.size, source.size)
        if brought is None:
            course, warnings = log_course.make_course(staging, title=title, slug=slug)
        else:
            course, warnings = brought, []
        incoming = Incoming(
            format=kind,
            source=kinds.DBE_KT22 if brought is not None else f"csv:{slug}",
            source_hash=source.hash(),
            course=course,
            staging=staging,
            warnings=staging.warnings,
            course_warnings=warnings,
        )
        yield _fit(incoming, organisation)


def _fit(incoming: Incoming, organisation: Organisation) -> Incoming:
    """Return the log as the organisation's course of its slug can take it."""
    slug = incoming.course.slug
    course = Course.objects.filter(organisation=organisation.pk, slug=slug).first()
    if course is None:
        return incoming
    if incoming.format in kinds.BRINGS_CONTENT:
        if course.source != incoming.course.source:
            raise OtherContent(
                f"The course {slug} has content from elsewhere; name another with --course.",
                course=slug,
            )
        return incoming
    if course.source == log_course.SOURCE:
        return stored_course.extend(course=course, incoming=incoming)
    return _keep_content(incoming, course)


def check_not_empty(*, incoming: Incoming) -> None:
    """Refuse an input of which nothing can be taken.

    Raises:
        NothingToImport: there is no answer in it.
    """
    if incoming.staging.counts().answers:
        return
    rejects = incoming.staging.count_rejects()
    first = next(incoming.staging.iterate_rejects(), None)
    raise NothingToImport(
        f"Nothing to import: {rejects} rows, none of which can be taken. The first is line "
        f"{first.place}: {first.field or 'row'}: {first.reason}. The file of rejects has them all."
        if first is not None
        else "Nothing to import: there is no answer in it."
    )


def _keep_content(incoming: Incoming, course: Course) -> Incoming:
    known = set(
        Item.objects.filter(course=course, current__isnull=False).values_list("slug", flat=True)
    )
    names = {name for name in incoming.staging.items if slug_of(name) in known}
    incoming.staging.keep_items(names, slug=course.slug)
    return dataclasses.replace(
        incoming,
        course=stored_course.read_spec(course=course),
        course_warnings=[f"The course {course.slug} is there and stays as it is."],
        keeps_content=True,
    )
