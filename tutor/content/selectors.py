"""Reads of content. The bank is the whole course as arrays, made once per revision."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db.models import F

from tutor.common.cache import new_cache
from tutor.common.prepared import Prepared, slot
from tutor.content import templates
from tutor.content.item_spec import NEEDS
from tutor.content.models import (
    Concept,
    Course,
    Item,
    ItemVersion,
    ItemVersionConcept,
    Misconception,
    Picture,
    Prerequisite,
)

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CourseBank:
    """A course at one revision. N current item versions, K concepts, at most M concepts an item.

    Attributes:
        version_ids: (N,) database id of each item's current version.
        item_ids: (N,) database id of the item.
        operational: (N,) whether the item is in use: given like any other, and counted.
        pilot: (N,) whether it is being tried out: given in the pilot share, not counted.
        pilot_share: share of choices in which an item of the pilot is tried out, 0 to 0.2.
        is_template: (N,) whether the item comes with new numbers for each seed.
        needs: (N,) what the item demands of the learner, bits in the order of `NEEDS`.
        is_fact: (K,) concepts that are remembered or not.
        difficulty: (N,) the author's difficulty in logits, larger is harder.
        concepts: (N, M) index into the K concepts, main concept first, padded with -1.
        concept_pks: (N, M) the same as database ids, padded with -1.
        concept_ids: (K,) database ids in teaching order.
        requires: pairs (concept index, index of a concept that must come before).
        lineage: every version of the course, withdrawn items' too -> itself and the versions
            of the item before it, newest first.
        difficulty_of_version: author's difficulty of every version, logits.
        name_of_version: slug and number of each item's current version.
    """

    course_id: int
    revision: int
    version_ids: Ints
    item_ids: Ints
    operational: npt.NDArray[np.bool_]
    pilot: npt.NDArray[np.bool_]
    pilot_share: float
    is_template: npt.NDArray[np.bool_]
    needs: Ints
    is_fact: npt.NDArray[np.bool_]
    difficulty: Floats
    concepts: Ints
    concept_pks: Ints
    concept_ids: Ints
    concept_slugs: tuple[str, ...]
    concept_names: tuple[str, ...]
    requires: tuple[tuple[int, int], ...]
    lineage: dict[int, tuple[int, ...]]
    difficulty_of_version: dict[int, float]
    index_of_item: dict[int, int]
    index_of_concept: dict[int, int]
    name_of_version: dict[int, tuple[str, int]]

    def order_concepts(self, concept_ids: Iterable[int | str]) -> list[int]:
        """Return those of the concepts that the course has, in teaching order.

        What PostgreSQL gives back of a JSON object has an order of its own: lists that people or
        programs read are put into this one.
        """
        known = (pk for pk in map(int, concept_ids) if pk in self.index_of_concept)
        return sorted(known, key=lambda pk: self.index_of_concept[pk])


_banks = new_cache(capacity=32)
_items = new_cache(capacity=4096)
_misconceptions = new_cache(capacity=32)


def get_bank(*, course_id: int, revision: int) -> CourseBank:
    """Return the course as arrays; read from the database once per revision and process."""
    return _banks.get((course_id, revision), lambda: _read_bank(course_id, revision))


def _read_bank(course_id: int, revision: int) -> CourseBank:
    concepts = list(
        Concept.objects.filter(course=course_id)
        .order_by("position")
        .values("pk", "slug", "name", "is_fact")
    )
    index_of_concept = {row["pk"]: index for index, row in enumerate(concepts)}
    items = list(
        Item.objects.filter(course=course_id, current__isnull=False)
        .exclude(status__in=[Item.Status.RETIRED, Item.Status.EXCLUDED])
        .order_by("pk")
        .values(
            "pk",
            "status",
            "current",
            "slug",
            number=F("current__number"),
            difficulty=F("current__author_difficulty"),
            parameters=F("current__body__parameters"),
            needs=F("current__body__needs"),
        )
    )
    links = _concepts_by_version(course_id)
    width = max((len(links.get(row["current"], ())) for row in items), default=1) or 1
    pks = np.full((len(items), width), -1, dtype=np.int64)
    local = np.full((len(items), width), -1, dtype=np.int64)
    for row_index, row in enumerate(items):
        ids = links.get(row["current"], [])
        pks[row_index, : len(ids)] = ids
        local[row_index, : len(ids)] = [index_of_concept[pk] for pk in ids]
    lineage, difficulty_of_version = _read_lineage(course_id)
    edges = Prerequisite.objects.filter(concept__course=course_id).order_by("pk")
    return CourseBank(
        course_id=course_id,
        revision=revision,
        version_ids=np.array([row["current"] for row in items], dtype=np.int64),
        item_ids=np.array([row["pk"] for row in items], dtype=np.int64),
        operational=np.array([row["status"] in Item.IN_USE for row in items], bool),
        pilot=np.array([row["status"] == Item.Status.PILOT for row in items], bool),
        pilot_share=Course.objects.values_list("pilot_share", flat=True).get(pk=course_id),
        is_template=np.array([bool(row["parameters"]) for row in items], bool),
        needs=np.array([bits_of(row["needs"] or ()) for row in items], dtype=np.int64),
        is_fact=np.array([row["is_fact"] for row in concepts], bool),
        difficulty=np.array([row["difficulty"] for row in items], dtype=np.float64),
        concepts=local,
        concept_pks=pks,
        concept_ids=np.array([row["pk"] for row in concepts], dtype=np.int64),
        concept_slugs=tuple(row["slug"] for row in concepts),
        concept_names=tuple(row["name"] for row in concepts),
        requires=tuple(
            (index_of_concept[concept], index_of_concept[required])
            for concept, required in edges.values_list("concept", "requires")
        ),
        lineage=lineage,
        difficulty_of_version=difficulty_of_version,
        index_of_item={row["pk"]: index for index, row in enumerate(items)},
        index_of_concept=index_of_concept,
        name_of_version={row["current"]: (row["slug"], row["number"]) for row in items},
    )


def bits_of(needs: Iterable[str]) -> int:
    """Return what an item demands, or a learner cannot be given, as bits."""
    return sum(1 << place for place, name in enumerate(NEEDS) if name in needs)


def list_excluded_versions(*, course_id: int) -> tuple[int, ...]:
    """Return the versions of excluded items, by id: answers to them count nowhere."""
    excluded = ItemVersion.objects.filter(item__course=course_id, item__status=Item.Status.EXCLUDED)
    return tuple(excluded.order_by("pk").values_list("pk", flat=True))


def _concepts_by_version(course_id: int) -> dict[int, list[int]]:
    links: dict[int, list[int]] = {}
    rows = ItemVersionConcept.objects.filter(version__item__course=course_id)
    for version, concept in rows.order_by("version", "position").values_list("version", "concept"):
        links.setdefault(version, []).append(concept)
    return links


def _read_lineage(course_id: int) -> tuple[dict[int, tuple[int, ...]], dict[int, float]]:
    lineage: dict[int, tuple[int, ...]] = {}
    difficulty: dict[int, float] = {}
    newest: dict[int, int] = {}
    rows = ItemVersion.objects.filter(item__course=course_id).order_by("item", "number")
    for item, version, logit in rows.values_list("item", "pk", "author_difficulty"):
        earlier = lineage[newest[item]] if item in newest else ()
        lineage[version] = (version, *earlier)
        newest[item] = version
        difficulty[version] = logit
    return lineage, difficulty


def read_prerequisites(*, course: Course) -> dict[str, tuple[str, ...]]:
    """Return for every concept, by slug in teaching order, those that come before it."""
    requires: dict[str, list[str]] = {
        slug: []
        for slug in Concept.objects.filter(course=course)
        .order_by("position")
        .values_list("slug", flat=True)
    }
    links = Prerequisite.objects.filter(concept__course=course).order_by("pk")
    for concept, required in links.values_list("concept__slug", "requires__slug"):
        requires[concept].append(required)
    return {slug: tuple(own) for slug, own in requires.items()}


def get_concepts_of_version(*, version_id: int) -> tuple[int, ...]:
    """Return the concept ids of an item version, main concept first."""
    return _version_concepts.get(
        version_id,
        lambda: tuple(row.concept_id for row in _CONCEPTS.all(version=version_id)),
    )


_version_concepts = new_cache(capacity=65_536)
_CONCEPTS = Prepared(
    lambda: (
        ItemVersionConcept.objects.filter(version=slot("version", ItemVersionConcept))
        .only("concept")
        .order_by("position")
    )
)


def get_version_body(*, version_id: int) -> dict[str, Any]:
    """Return the canonical body of an item version. Versions are immutable, so it is cached."""
    return _items.get(("body", version_id), lambda: _read_body(version_id))


def _read_body(version_id: int) -> dict[str, Any]:
    rows = _BODY_AND_CONCEPTS.all(version=version_id)
    if not rows:
        return ItemVersion.objects.only("body").get(pk=version_id).body
    # Whoever shows an item asks for its concepts next.
    _version_concepts.put(version_id, tuple(row.concept_id for row in rows))
    return rows[0].version.body


_BODY_AND_CONCEPTS = Prepared(
    lambda: (
        ItemVersionConcept.objects.filter(version=slot("version", ItemVersionConcept))
        .select_related("version")
        .only("concept", "version__body")
        .order_by("position")
    )
)


def read_bodies(*, version_ids: Collection[int]) -> None:
    """Read the bodies of some item versions at once, for whoever renders them next."""
    rows = ItemVersion.objects.filter(pk__in=version_ids).values_list("pk", "body")
    for pk, body in rows:
        _items.put(("body", pk), body)


def get_rendered_item(*, version_id: int, seed: int) -> templates.RenderedItem:
    """Return the item as shown for this seed."""
    return _items.get(
        (version_id, seed),
        lambda: templates.instantiate(get_version_body(version_id=version_id), seed=seed),
    )


def get_picture(*, digest: str) -> Picture | None:
    """Return a picture without its data; whether somebody may see it is for the caller to ask."""
    return Picture.objects.defer("data").filter(digest=digest).first()


def get_misconceptions(*, course_id: int, revision: int) -> dict[str, tuple[str, str]]:
    """Return slug -> (name, feedback for the learner)."""
    return _misconceptions.get(
        (course_id, revision),
        lambda: {
            row["slug"]: (row["name"], row["feedback"])
            for row in Misconception.objects.filter(course=course_id).values(
                "slug", "name", "feedback"
            )
        },
    )


def get_revision(*, course_id: int) -> int:
    """Return the course's revision as it is now."""
    course = _REVISION.first(id=course_id)
    if course is None:
        raise Course.DoesNotExist(course_id)
    return course.revision


_REVISION = Prepared(lambda: Course.objects.filter(pk=slot("id", Course)).only("revision"))
