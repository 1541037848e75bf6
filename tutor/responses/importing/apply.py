"""Writing an import: content first, then learners, then answers in chunks.

Each chunk is a transaction. A run that is killed has written whole chunks; the next run skips
what it finds by client key. So nothing is lost and nothing comes in twice.
"""

import datetime as dt
import itertools
import uuid
from collections.abc import Callable, Iterable, Iterator

from django.db import transaction

from tutor.accounts import services as account_services
from tutor.accounts.models import Organisation
from tutor.content import services as content_services
from tutor.content.models import Course, Item
from tutor.responses import services as response_services
from tutor.responses.importing.incoming import Incoming, IncomingAnswer
from tutor.responses.importing.plan import ImportPlan, client_keys
from tutor.responses.models import LogImport, Response

CHUNK = 2000
Keyed = tuple[uuid.UUID, IncomingAnswer]


def apply(
    *,
    organisation: Organisation,
    incoming: Incoming,
    plan: ImportPlan,
    at: dt.datetime,
    progress: Callable[[int], None],
) -> LogImport:
    """Write the import and return its record.

    The record counts what each chunk wrote in the chunk's own transaction, so that it is right
    however the run ends; `finished_at` is set once everything is written.

    `progress` is called with the number of answers dealt with since its last call.
    """
    course = _ensure_course(organisation, incoming)
    learner_ids = account_services.admit_learners(
        organisation=organisation,
        source=incoming.source,
        external_ids=dict.fromkeys(answer.learner for answer in incoming.answers),
    )
    run = LogImport.objects.create(
        organisation=organisation,
        course=course,
        format=incoming.format,
        source_hash=incoming.source_hash,
        plan=plan.to_dict(),
        started_at=at,
    )
    versions = dict(
        Item.objects.filter(course=course, current__isnull=False).values_list("slug", "current")
    )
    for chunk in _chunks(client_keys(incoming=incoming)):
        _write_chunk(course, run, chunk, learner_ids, versions, at)
        progress(len(chunk))
    run.finished_at = at
    run.save(update_fields=["finished_at"])
    return run


def _ensure_course(organisation: Organisation, incoming: Incoming) -> Course:
    if incoming.keeps_content:
        return Course.objects.get(organisation=organisation, slug=incoming.course.slug)
    return content_services.load_course(organisation=organisation, spec=incoming.course).course


def _chunks(keyed: Iterable[Keyed]) -> Iterator[list[Keyed]]:
    iterator = iter(keyed)
    while chunk := list(itertools.islice(iterator, CHUNK)):
        yield chunk


@transaction.atomic
def _write_chunk(
    course: Course,
    run: LogImport,
    chunk: list[Keyed],
    learner_ids: dict[str, int],
    versions: dict[str, int],
    at: dt.datetime,
) -> None:
    """Write the answers of a chunk that are new and count them, in one transaction."""
    rows = [
        _response(course, run, key, answer, learner_ids, versions[answer.item], at)
        for key, answer in chunk
    ]
    added = response_services.append_new(rows=rows)
    run.rows_added += added
    run.rows_known += len(chunk) - added
    run.save(update_fields=["rows_added", "rows_known"])


def _response(
    course: Course,
    run: LogImport,
    key: uuid.UUID,
    answer: IncomingAnswer,
    learner_ids: dict[str, int],
    version_id: int,
    at: dt.datetime,
) -> Response:
    return Response(
        learner_id=learner_ids[answer.learner],
        client_key=key,
        course=course,
        item_version_id=version_id,
        answer=dict(answer.answer),
        is_correct=answer.is_correct,
        credit=answer.credit,
        attempt=answer.attempt,
        hints_seen=answer.hints,
        presented_at=answer.presented_at,
        elapsed_ms=answer.elapsed_ms,
        answered_at=answer.answered_at,
        received_at=at,
        source=f"import:{run.pk}",
    )
