"""The rows of a course: what is stored is read at once, compared, and only differences are written.

A course may have tens of thousands of items, so no statement is made for one row alone.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.db import connection
from django.db.models import OuterRef, Subquery

from tutor.content import course_format, statuses
from tutor.content.models import (
    Concept,
    Course,
    Item,
    ItemVersion,
    Misconception,
    Picture,
    Prerequisite,
    VersionPicture,
)

Row = TypeVar("Row")
Named = TypeVar("Named", Concept, Misconception)
# Ids named in one statement; SQLite was long built to take 999 values at most.
CHUNK = 500
_INSERT_LINK = (
    "INSERT INTO content_itemversionconcept (version_id, concept_id, position) VALUES (%s, %s, %s)"
)


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    iterator = iter(rows)
    while chunk := list(itertools.islice(iterator, CHUNK)):
        yield chunk


def store_concepts(*, course: Course, spec: course_format.CourseSpec) -> dict[str, int]:
    """Store concepts in their order and what they require; return the id of each by its slug."""
    stored = {concept.slug: concept for concept in Concept.objects.filter(course=course)}
    wanted = [
        Concept(
            course=course,
            slug=concept.slug,
            name=concept.name,
            description=concept.description,
            position=position,
            is_fact=concept.is_fact,
        )
        for position, concept in enumerate(spec.concepts)
    ]
    # A concept that `spec` has no more stays for the answers that were given on it, at the end.
    gone = [stored[slug] for slug in stored.keys() - {concept.slug for concept in wanted}]
    for position, concept in enumerate(sorted(gone, key=_position), start=len(wanted)):
        Concept.objects.filter(pk=concept.pk).exclude(position=position).update(position=position)
    ids = _store_named(
        Concept, wanted, stored, fields=("name", "description", "position", "is_fact")
    )
    store_prerequisites(
        course=course,
        requires={concept.slug: concept.requires for concept in spec.concepts},
        concepts=ids,
    )
    return ids


def _position(concept: Concept) -> int:
    return concept.position


def store_misconceptions(*, course: Course, spec: course_format.CourseSpec) -> None:
    """Store the misconceptions; one that `spec` has no more stays."""
    stored = {row.slug: row for row in Misconception.objects.filter(course=course)}
    wanted = [
        Misconception(course=course, slug=row.slug, name=row.name, feedback=row.feedback)
        for row in spec.misconceptions
    ]
    _store_named(Misconception, wanted, stored, fields=("name", "feedback"))


def _store_named(
    model: type[Named],
    wanted: Sequence[Named],
    stored: Mapping[str, Named],
    *,
    fields: tuple[str, ...],
) -> dict[str, int]:
    """Insert the rows whose slug is new, write those of which a field differs."""
    changed: list[Named] = []
    for row in wanted:
        before = stored.get(row.slug)
        if before is not None:
            row.pk = before.pk
            if any(getattr(row, name) != getattr(before, name) for name in fields):
                changed.append(row)
    model.objects.bulk_create(row for row in wanted if row.slug not in stored)
    model.objects.bulk_update(changed, fields, batch_size=CHUNK)
    return {row.slug: row.pk for row in wanted}


def store_prerequisites(
    *, course: Course, requires: Mapping[str, Iterable[str]], concepts: Mapping[str, int]
) -> bool:
    """Replace the course's prerequisites where they differ; return whether they did.

    Args:
        course: the concepts' course.
        requires: slug -> slugs that come before.
        concepts: slug -> id.
    """
    wanted = [
        (concepts[slug], concepts[required]) for slug, own in requires.items() for required in own
    ]
    stored = Prerequisite.objects.filter(concept__course=course)
    if sorted(stored.values_list("concept", "requires")) == sorted(wanted):
        return False
    stored.delete()
    Prerequisite.objects.bulk_create(
        Prerequisite(concept_id=concept, requires_id=required) for concept, required in wanted
    )
    return True


@dataclass(frozen=True, slots=True)
class _StoredItem:
    """An item as stored; number 0 and no hash before its first version."""

    pk: int
    status: str
    number: int
    content_hash: str


def store_items(
    *, course: Course, spec: course_format.CourseSpec, concepts: Mapping[str, int]
) -> tuple[int, int]:
    """Store items and new versions of what changed; return how many items and versions are new."""
    stored = _read_items(course)
    new = [item.slug for item in spec.items if item.slug not in stored]
    for slugs in _chunks(new):
        rows = Item.objects.bulk_create(Item(course_id=course.pk, slug=slug) for slug in slugs)
        stored |= {row.slug: _StoredItem(row.pk, row.status, 0, "") for row in rows}
    versions = 0
    for specs in _chunks(spec.items):
        versions += _store_versions(specs, stored, concepts)
    return len(new), versions


def _read_items(course: Course) -> dict[str, _StoredItem]:
    rows = Item.objects.filter(course=course).values_list(
        "slug", "pk", "status", "current__number", "current__content_hash"
    )
    return {
        slug: _StoredItem(pk, status, number or 0, content_hash or "")
        for slug, pk, status, number, content_hash in rows
    }


def _store_versions(
    specs: Sequence[course_format.ItemSpec],
    stored: Mapping[str, _StoredItem],
    concepts: Mapping[str, int],
) -> int:
    """Give those items that changed a new version; take back those that an import retired."""
    retired = [
        stored[spec.slug].pk for spec in specs if stored[spec.slug].status == Item.Status.RETIRED
    ]
    by_hand = statuses.list_retired_by_hand(items=retired)
    versions: list[ItemVersion] = []
    exercised: list[tuple[str, ...]] = []
    back: list[int] = []
    for spec in specs:
        item = stored[spec.slug]
        body = course_format.item_body(spec)
        digest = course_format.content_hash(body)
        if digest == item.content_hash:
            if item.status == Item.Status.RETIRED and item.pk not in by_hand:
                back.append(item.pk)
            continue
        exercised.append(spec.concepts)
        versions.append(
            ItemVersion(
                item_id=item.pk,
                number=item.number + 1,
                kind=spec.kind,
                body=body,
                content_hash=digest,
                author_difficulty=spec.difficulty,
            )
        )
    statuses.change_statuses(
        changes=dict.fromkeys(back, Item.Status.PROVISIONAL), reason="in the course again"
    )
    _insert_versions(versions, [[concepts[slug] for slug in slugs] for slugs in exercised])
    _link_pictures(versions)
    known = {item.pk: item for item in stored.values() if item.number}
    reworded = [v.item_id for v in versions if v.item_id in known]
    # What is only tried out, not shown yet, or retired by a person stays so when it is reworded.
    staying = by_hand | {pk for pk in reworded if known[pk].status in Item.ON_TRIAL}
    statuses.change_statuses(
        changes={pk: Item.Status.PROVISIONAL for pk in reworded if pk not in staying},
        reason="reworded: a new version",
    )
    return len(versions)


def _insert_versions(versions: Sequence[ItemVersion], concepts: Sequence[Sequence[int]]) -> None:
    """Insert the versions, each with the concepts it exercises, and make them current."""
    if not versions:
        return
    ItemVersion.objects.bulk_create(versions)
    links = [
        (version.pk, concept, position)
        for version, own in zip(versions, concepts, strict=True)
        for position, concept in enumerate(own)
    ]
    # These rows are the most and the plainest of a course: without an object for each, loading
    # takes two thirds of the time.
    with connection.cursor() as cursor:
        cursor.executemany(_INSERT_LINK, links)
    newest = ItemVersion.objects.filter(item=OuterRef("pk")).order_by("-number")
    Item.objects.filter(pk__in=[version.item_id for version in versions]).update(
        current=Subquery(newest.values("pk")[:1])
    )


def store_pictures(*, spec: course_format.CourseSpec) -> None:
    """Store the pictures that are not stored yet; one that is stays as it is."""
    for chunk in _chunks(spec.pictures):
        known = set(
            Picture.objects.filter(digest__in=[one.digest for one in chunk]).values_list(
                "digest", flat=True
            )
        )
        Picture.objects.bulk_create(
            (
                Picture(
                    digest=one.digest,
                    media_type=one.media_type,
                    width=one.width,
                    height=one.height,
                    data=one.data,
                )
                for one in chunk
                if one.digest not in known
            ),
            # Another course with the same picture may be loaded at the same time.
            ignore_conflicts=True,
        )


def _link_pictures(versions: Sequence[ItemVersion]) -> None:
    shown = [
        (version.pk, digest)
        for version in versions
        for digest in dict.fromkeys(found[0] for found in version.body.get("pictures", {}).values())
    ]
    digests = {digest for _, digest in shown}
    ids = dict(Picture.objects.filter(digest__in=digests).values_list("digest", "pk"))
    VersionPicture.objects.bulk_create(
        VersionPicture(version_id=version, picture_id=ids[digest]) for version, digest in shown
    )


def retire_others(*, course: Course, kept: set[str]) -> int:
    """Retire every item whose slug is not among `kept`; return how many were not yet."""
    rows = Item.objects.filter(course=course).exclude(status=Item.Status.RETIRED)
    gone = [pk for pk, slug in rows.values_list("pk", "slug") if slug not in kept]
    statuses.change_statuses(
        changes=dict.fromkeys(gone, Item.Status.RETIRED), reason="no longer in the course"
    )
    return len(gone)
