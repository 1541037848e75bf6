"""Writes of content: load a course as written, make new versions of what changed."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import F

from tutor.accounts.models import Organisation
from tutor.content import course_format, graph
from tutor.content.models import (
    Concept,
    Course,
    Item,
    ItemVersion,
    ItemVersionConcept,
    Misconception,
    Prerequisite,
)


@dataclass(frozen=True, slots=True)
class CourseLoaded:
    """What loading a course changed."""

    course: Course
    items_added: int
    versions_added: int
    items_retired: int
    concepts: int


@transaction.atomic
def load_course(*, organisation: Organisation, spec: course_format.CourseSpec) -> CourseLoaded:
    """Bring the stored course to what `spec` says; loading the same again changes nothing.

    A changed item gets a new version (its history stays with the old one); an item that `spec`
    no longer has is retired.

    Raises:
        CycleFound: the prerequisites run in a circle; the message names it.
    """
    graph.build_graph(requires={concept.slug: concept.requires for concept in spec.concepts})
    course, _ = Course.objects.get_or_create(
        organisation=organisation, slug=spec.slug, defaults={"title": spec.title}
    )
    before = _fingerprint(course)
    Course.objects.filter(pk=course.pk).update(
        title=spec.title, language=spec.language, source=spec.source or course.source
    )
    concepts = _store_concepts(course, spec)
    _store_misconceptions(course, spec)
    added, versions = _store_items(course, spec, concepts)
    retired = (
        Item.objects.filter(course=course)
        .exclude(slug__in=[item.slug for item in spec.items])
        .exclude(status=Item.Status.RETIRED)
        .update(status=Item.Status.RETIRED)
    )
    if _fingerprint(course) != before:
        raise_revision(course=course)
    course.refresh_from_db()
    return CourseLoaded(course, added, versions, retired, len(concepts))


def raise_revision(*, course: Course) -> None:
    """Make every cached copy of the course old."""
    Course.objects.filter(pk=course.pk).update(revision=F("revision") + 1)
    course.refresh_from_db()


def _fingerprint(course: Course) -> list[list[tuple[object, ...]]]:
    """Return all that a cached copy of the course was made from, apart from its versions' text."""
    of_course = {"course": course.pk}
    rows = (
        Course.objects.filter(pk=course.pk).values_list("title", "language", "source"),
        Concept.objects.filter(**of_course).values_list("pk", "name", "description", "position"),
        Prerequisite.objects.filter(concept__course=course.pk).values_list("concept", "requires"),
        Misconception.objects.filter(**of_course).values_list("pk", "name", "feedback"),
        Item.objects.filter(**of_course).values_list("pk", "status", "current"),
    )
    return [sorted(found) for found in rows]


def _store_concepts(course: Course, spec: course_format.CourseSpec) -> dict[str, Concept]:
    concepts = {
        concept.slug: Concept.objects.update_or_create(
            course=course,
            slug=concept.slug,
            defaults={
                "name": concept.name,
                "description": concept.description,
                "position": position,
            },
        )[0]
        for position, concept in enumerate(spec.concepts)
    }
    # A concept that `spec` has no more stays for the answers that were given on it, at the end.
    gone = Concept.objects.filter(course=course).exclude(slug__in=concepts).order_by("position")
    for position, pk in enumerate(gone.values_list("pk", flat=True), start=len(concepts)):
        Concept.objects.filter(pk=pk).update(position=position)
    _store_prerequisites(course, spec, concepts)
    return concepts


def _store_prerequisites(
    course: Course, spec: course_format.CourseSpec, concepts: dict[str, Concept]
) -> None:
    wanted = [
        (concepts[concept.slug].pk, concepts[required].pk)
        for concept in spec.concepts
        for required in concept.requires
    ]
    stored = Prerequisite.objects.filter(concept__course=course)
    if sorted(stored.values_list("concept", "requires")) == sorted(wanted):
        return
    stored.delete()
    Prerequisite.objects.bulk_create(
        Prerequisite(concept_id=concept, requires_id=required) for concept, required in wanted
    )


def _store_misconceptions(course: Course, spec: course_format.CourseSpec) -> None:
    for misconception in spec.misconceptions:
        Misconception.objects.update_or_create(
            course=course,
            slug=misconception.slug,
            defaults={"name": misconception.name, "feedback": misconception.feedback},
        )


def _store_items(
    course: Course, spec: course_format.CourseSpec, concepts: dict[str, Concept]
) -> tuple[int, int]:
    stored = {
        item.slug: item for item in Item.objects.filter(course=course).select_related("current")
    }
    added = versions = 0
    for item_spec in spec.items:
        item = stored.get(item_spec.slug)
        if item is None:
            item = Item.objects.create(course=course, slug=item_spec.slug)
            added += 1
        versions += _store_version(item, item_spec, concepts)
    return added, versions


def _store_version(item: Item, spec: course_format.ItemSpec, concepts: dict[str, Concept]) -> int:
    body = course_format.item_body(spec)
    digest = course_format.content_hash(body)
    if item.current is not None and item.current.content_hash == digest:
        if item.status == Item.Status.RETIRED:
            Item.objects.filter(pk=item.pk).update(status=Item.Status.OPERATIONAL)
        return 0
    version = ItemVersion.objects.create(
        item=item,
        number=item.current.number + 1 if item.current else 1,
        kind=spec.kind,
        body=body,
        content_hash=digest,
        author_difficulty=spec.difficulty,
    )
    ItemVersionConcept.objects.bulk_create(
        ItemVersionConcept(version=version, concept=concepts[slug], position=position)
        for position, slug in enumerate(spec.concepts)
    )
    Item.objects.filter(pk=item.pk).update(current=version, status=Item.Status.OPERATIONAL)
    return 1
