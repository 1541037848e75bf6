"""Writing an import: content first, then learners, then answers in chunks.

Each chunk is a transaction. A run that is killed has written whole chunks; the next run skips
what it finds by client key. So nothing is lost and nothing comes in twice.
"""

import datetime as dt
import itertools
from collections.abc import Callable, Iterable, Iterator

from django.db import transaction

from tutor.accounts import services as account_services
from tutor.accounts.models import Organisation
from tutor.content import services as content_services
from tutor.content.models import Course, Item
from tutor.responses import services as response_services
from tutor.responses.bulk import BulkResponse
from tutor.responses.importing.incoming import Incoming
from tutor.responses.importing.naming import slug_of
from tutor.responses.importing.plan import ImportPlan, iterate_keyed
from tutor.responses.importing.staging import StagedAnswer
from tutor.responses.models import LogImport

CHUNK = 5000
# A showing longer than a day was a page left open.
LONGEST_SHOWING_MS = 86_400_000
_RIGHT, _WRONG = '{"right": true}', '{"right": false}'


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

    `progress` is called with the number of answers dealt with since its last call, first with 0
    when content and learners are there.
    """
    course = _ensure_course(organisation, incoming)
    staging = incoming.staging
    places = sorted(staging.answered()[0])
    admitted = account_services.admit_learners(
        organisation=organisation,
        source=incoming.source,
        external_ids=[staging.learners[place] for place in places],
    )
    learner_ids = {place: admitted[staging.learners[place]] for place in places}
    run = LogImport.objects.create(
        organisation=organisation,
        course=course,
        format=incoming.format,
        source_hash=incoming.source_hash,
        plan=plan.to_dict(),
        started_at=at,
    )
    asked = _asked(course, staging.items)
    rows = (
        _row(key, answer, learner_ids[answer.learner], asked[answer.item], staging.is_timed)
        for key, answer in iterate_keyed(incoming=incoming)
    )
    progress(0)
    for chunk in _chunks(rows):
        _write_chunk(course, run, chunk, at)
        progress(len(chunk))
    run.finished_at = at
    run.save(update_fields=["finished_at"])
    return run


def _asked(course: Course, names: list[str]) -> list[tuple[int, bool]]:
    """Return for each item its version, and whether it is tried out in the course now."""
    items = Item.objects.filter(course=course, current__isnull=False)
    found = {
        slug: (version, status in Item.ON_TRIAL)
        for slug, version, status in items.values_list("slug", "current", "status")
    }
    return [found.get(slug_of(name), (0, False)) for name in names]


def _ensure_course(organisation: Organisation, incoming: Incoming) -> Course:
    if incoming.keeps_content:
        return Course.objects.get(organisation=organisation, slug=incoming.course.slug)
    return content_services.load_course(organisation=organisation, spec=incoming.course).course


def _chunks(rows: Iterable[BulkResponse]) -> Iterator[list[BulkResponse]]:
    iterator = iter(rows)
    while chunk := list(itertools.islice(iterator, CHUNK)):
        yield chunk


@transaction.atomic
def _write_chunk(
    course: Course, run: LogImport, chunk: list[BulkResponse], at: dt.datetime
) -> None:
    """Write the answers of a chunk that are new and count them, in one transaction."""
    added = response_services.append_log(
        course_id=course.pk, source=f"import:{run.pk}", received_at=at, rows=chunk
    )
    run.rows_added += added
    run.rows_known += len(chunk) - added
    run.save(update_fields=["rows_added", "rows_known"])


def _row(
    key: str,
    answer: StagedAnswer,
    learner_id: int,
    asked: tuple[int, bool],
    is_timed: bool,  # noqa: FBT001
) -> BulkResponse:
    version_id, on_trial = asked
    presented_at = answer.presented_at
    if presented_at is None and is_timed and answer.elapsed_ms is not None:
        presented_at = answer.at - 1000 * min(answer.elapsed_ms, LONGEST_SHOWING_MS)
    text = answer.answer or (_RIGHT if answer.credit >= 1.0 else _WRONG)
    if answer.extra:
        text = f'{text[:-1]}, "log": {answer.extra}}}'
    return BulkResponse(
        learner_id,
        key,
        version_id,
        text,
        answer.credit,
        answer.attempt,
        answer.hints,
        presented_at,
        answer.elapsed_ms,
        answer.at,
        # The log's own word holds; where it has none, a difficulty that is not known here yet must
        # not shape anybody's mastery.
        on_trial if answer.is_pilot is None else bool(answer.is_pilot),
    )
