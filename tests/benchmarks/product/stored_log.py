"""A public log as rows of the tutor's database, put there by bulk inserts and by nothing else."""

import datetime as dt
import uuid
from collections.abc import Iterator

import numpy as np

# The public logs count seconds from an origin that they do not state.
ORIGIN = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
COLUMNS = (
    "learner_id",
    "client_key",
    "course_id",
    "item_version_id",
    "seed",
    "answer",
    "is_correct",
    "credit",
    "attempt",
    "hints_seen",
    "misconception",
    "answered_at",
    "received_at",
    "source",
    "is_pilot",
)


def store(log, *, slug):
    """Store a `ResponseLog` as a course with its learners and answers; return the course."""
    from django.db import connection, transaction

    from tutor.accounts.models import Learner, Organisation
    from tutor.content import services as content_services
    from tutor.content.models import Course

    organisation = Organisation.objects.create(slug=slug, name=slug)
    course = Course.objects.create(organisation=organisation, slug=slug, title=slug)
    with transaction.atomic():
        versions = _items(log, course)
        learners = Learner.objects.bulk_create(
            [Learner(organisation=organisation, source_key=key) for key in log.learner_keys], 1000
        )
        rows = _rows(log, course.pk, [one.pk for one in learners], versions)
        (_copy if connection.vendor == "postgresql" else _insert)(rows)
        content_services.raise_revision(course=course)
    if connection.vendor == "postgresql":
        # As autovacuum does by itself some minutes after an import.
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    course.refresh_from_db()
    return course


def _items(log, course):
    """Store concepts, items and their versions; return the version id of each item."""
    from tutor.content.models import Concept, Item, ItemVersion, ItemVersionConcept

    concepts = Concept.objects.bulk_create(
        [
            Concept(course=course, slug=f"k-{key}", name=key, position=place)
            for place, key in enumerate(log.concept_keys)
        ],
        1000,
    )
    items = Item.objects.bulk_create(
        [Item(course=course, slug=f"i-{key}") for key in log.item_keys], 1000
    )
    body = {"kind": "self_marked", "stem": "?", "answer": "", "parameters": {}}
    versions = ItemVersion.objects.bulk_create(
        [
            ItemVersion(item=item, number=1, kind="self_marked", body=body, content_hash=item.slug)
            for item in items
        ],
        1000,
    )
    for item, version in zip(items, versions, strict=True):
        item.current = version
    Item.objects.bulk_update(items, ["current"], 200)
    # The first answer's concepts stand for the item, as an import takes them.
    _, first = np.unique(log.item, return_index=True)
    sets = log.concepts[first].tolist()
    ItemVersionConcept.objects.bulk_create(
        [
            ItemVersionConcept(version=version, concept=concepts[k], position=place)
            for version, own in zip(versions, sets, strict=True)
            for place, k in enumerate(k for k in own if k >= 0)
        ],
        1000,
    )
    return [version.pk for version in versions]


def _rows(log, course, learners, versions) -> Iterator[tuple]:
    given = (log.learner, log.item, log.correct, log.answered_at, log.assisted)
    for learner, item, correct, at, assisted in zip(*(a.tolist() for a in given), strict=True):
        moment = ORIGIN + dt.timedelta(seconds=at)
        yield (
            learners[learner],
            uuid.uuid4().hex,
            course,
            versions[item],
            0,
            "{}",
            correct == 1.0,
            correct,
            1,
            int(assisted),
            "",
            moment,
            moment,
            "bench",
            False,
        )


def _insert(rows) -> None:
    from django.db import connection

    # SQLite keeps times as Django writes them: text in UTC without the zone.
    places = ",".join("?" * len(COLUMNS))
    statement = f"INSERT INTO responses_response ({','.join(COLUMNS)}) VALUES ({places})"
    plain = ((*r[:11], *(str(t.replace(tzinfo=None)) for t in r[11:13]), *r[13:]) for r in rows)
    with connection.cursor() as cursor:
        cursor.connection.executemany(statement, plain)


def _copy(rows) -> None:
    from django.db import connection

    statement = f"COPY responses_response ({','.join(COLUMNS)}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
