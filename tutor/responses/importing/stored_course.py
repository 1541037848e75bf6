"""A stored course as a specification again, so that a log can add to it and lose nothing of it."""

import dataclasses
from typing import Any

from tutor.content.course_format import ConceptSpec, CourseSpec, ItemSpec
from tutor.content.models import Concept, Course, Item, Prerequisite
from tutor.responses.importing.incoming import Incoming


def extend(*, course: Course, incoming: Incoming) -> Incoming:
    """Return the log with the course it leads to: what is stored, and its new items after that.

    An item that is there stays as it is, also when the log says otherwise of its concepts.
    """
    stored = read_spec(course=course)
    known = set(Item.objects.filter(course=course).values_list("slug", flat=True))
    items = tuple(item for item in incoming.course.items if item.slug not in known)
    if not items:
        return dataclasses.replace(incoming, course=stored, course_warnings=[], keeps_content=True)
    needed = {concept for item in items for concept in item.concepts}
    needed -= {concept.slug for concept in stored.concepts}
    concepts = tuple(concept for concept in incoming.course.concepts if concept.slug in needed)
    return dataclasses.replace(
        incoming,
        course=dataclasses.replace(
            stored, concepts=(*stored.concepts, *concepts), items=(*stored.items, *items)
        ),
    )


def read_spec(*, course: Course) -> CourseSpec:
    """Return the course as stored, without its retired items and its misconceptions."""
    requires: dict[str, list[str]] = {}
    links = Prerequisite.objects.filter(concept__course=course).order_by("pk")
    for concept, required in links.values_list("concept__slug", "requires__slug"):
        requires.setdefault(concept, []).append(required)
    concepts = Concept.objects.filter(course=course).order_by("position")
    items = (
        Item.objects.filter(course=course, current__isnull=False)
        .exclude(status=Item.Status.RETIRED)
        .order_by("pk")
        .values_list("current__body", "current__author_difficulty")
    )
    return CourseSpec(
        slug=course.slug,
        title=course.title,
        language=course.language,
        concepts=tuple(
            ConceptSpec(
                concept.slug,
                concept.name,
                concept.description,
                tuple(requires.get(concept.slug, ())),
                is_fact=concept.is_fact,
            )
            for concept in concepts
        ),
        misconceptions=(),
        items=tuple(_item(body, difficulty) for body, difficulty in items),
        source=course.source,
    )


def _item(body: dict[str, Any], difficulty: float) -> ItemSpec:
    """Return what `item_body` made the body from."""
    return ItemSpec(
        slug=body["slug"],
        concepts=tuple(body["concepts"]),
        kind=body["kind"],
        stem=body["stem"],
        difficulty=difficulty,
        parameters=tuple((name, expression) for name, expression in body["parameters"]),
        conditions=tuple(body["conditions"]),
        choices=tuple(body["choices"]),
        keep_order=body["keep_order"],
        answer=body["answer"],
        wrong=tuple(body["wrong"]),
        hints=tuple(body["hints"]),
        solution=body["solution"],
        needs=tuple(body.get("needs", ())),
        markup=body["markup"],
        file="stored",
    )
