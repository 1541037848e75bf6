"""Writes of content: load a course as written, make new versions of what changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F

from tutor.accounts.models import Organisation
from tutor.content import course_format, graph, storing
from tutor.content.models import Concept, Course, Item, Misconception, Prerequisite


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
    concepts = storing.store_concepts(course=course, spec=spec)
    storing.store_misconceptions(course=course, spec=spec)
    storing.store_pictures(spec=spec)
    added, versions = storing.store_items(course=course, spec=spec, concepts=concepts)
    retired = storing.retire_others(course=course, kept={item.slug for item in spec.items})
    if _fingerprint(course) != before:
        raise_revision(course=course)
    course.refresh_from_db()
    return CourseLoaded(course, added, versions, retired, len(concepts))


@transaction.atomic
def set_prerequisites(*, course: Course, requires: Mapping[str, Iterable[str]]) -> bool:
    """Replace the course's prerequisites, by slug of concept; return whether any changed.

    Raises:
        CycleFound: they run in a circle.
        UnknownNode: one is not a concept of the course.
        SelfPrerequisite: a concept requires itself.
    """
    ids = dict(Concept.objects.filter(course=course).values_list("slug", "pk"))
    whole = {slug: requires.get(slug, ()) for slug in (*ids, *requires)}
    found = graph.build_graph(requires=whole).requires
    changed = storing.store_prerequisites(course=course, requires=found, concepts=ids)
    if changed:
        raise_revision(course=course)
    return changed


def lock_course(*, course: Course) -> None:
    """Let no one else change the course, or its items' statuses, until the transaction ends."""
    # Without the key: rows that only point at the course do not wait.
    Course.objects.select_for_update(no_key=True).get(pk=course.pk)


def raise_revision(*, course: Course) -> None:
    """Make every cached copy of the course old."""
    Course.objects.filter(pk=course.pk).update(revision=F("revision") + 1)
    course.refresh_from_db()


def _fingerprint(course: Course) -> list[list[tuple[object, ...]]]:
    """Return all that a cached copy of the course was made from, apart from its versions' text."""
    of_course = {"course": course.pk}
    rows = (
        Course.objects.filter(pk=course.pk).values_list("title", "language", "source"),
        Concept.objects.filter(**of_course).values_list(
            "pk", "name", "description", "position", "is_fact"
        ),
        Prerequisite.objects.filter(concept__course=course.pk).values_list("concept", "requires"),
        Misconception.objects.filter(**of_course).values_list("pk", "name", "feedback"),
        Item.objects.filter(**of_course).values_list("pk", "status", "current"),
    )
    return [sorted(found) for found in rows]
