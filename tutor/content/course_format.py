"""A course as its authors write it: a folder of YAML files, read into frozen values.

Everything is checked and every mistake reported, not only the first. The specification of
the format stands in `docs/course_format.md`.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tutor.content import course_files
from tutor.content.course_check import check_item, check_items
from tutor.content.course_fields import Fields, check_slug
from tutor.content.errors import CourseInvalid
from tutor.content.graph import CycleFound, SelfPrerequisite, UnknownNode, build_graph
from tutor.content.item_body import content_hash, item_body
from tutor.content.item_pictures import with_pictures
from tutor.content.item_spec import ItemSpec, read_item
from tutor.content.picture_files import PictureFile
from tutor.content.picture_folder import PictureFolder

DEFAULT_SEEDS = 5

__all__ = [
    "ConceptSpec",
    "CourseSpec",
    "ItemSpec",
    "MisconceptionSpec",
    "check_item",
    "content_hash",
    "item_body",
    "read_course",
]


@dataclass(frozen=True, slots=True)
class ConceptSpec:
    """One concept; `requires` names direct prerequisites by slug.

    A fact is remembered or not, like a word or a date; it fades by a card's memory model.
    """

    slug: str
    name: str
    description: str
    requires: tuple[str, ...] = ()
    is_fact: bool = False


@dataclass(frozen=True, slots=True)
class MisconceptionSpec:
    """A named wrong idea; `feedback` helps the learner without giving the answer away."""

    slug: str
    name: str
    feedback: str


@dataclass(frozen=True, slots=True)
class CourseSpec:
    """A whole course; concepts stand in teaching order, `pictures` are those of its items."""

    slug: str
    title: str
    language: str
    concepts: tuple[ConceptSpec, ...]
    misconceptions: tuple[MisconceptionSpec, ...]
    items: tuple[ItemSpec, ...] = field(repr=False)
    source: str = ""
    pictures: tuple[PictureFile, ...] = field(default=(), repr=False)


def read_course(folder: Path, *, seeds: int = DEFAULT_SEEDS) -> CourseSpec:
    """Return the course in a folder, each template tried with `seeds` seeds.

    Raises:
        CourseInvalid: with all problems found.
    """
    course, problems = read_structure(folder)
    if course is not None:
        problems = [*problems, *check_items(course.items, seeds=range(seeds))]
    if problems or course is None:
        raise CourseInvalid(problems)
    return course


def read_structure(folder: Path) -> tuple[CourseSpec | None, list[str]]:
    """Return what could be read and all problems but those that need templates to be tried.

    The course is None when course.yaml itself cannot be used.
    """
    problems: list[str] = []
    data = course_files.read_yaml(folder / "course.yaml", problems)
    if data is None:
        return None, problems or ["course.yaml: is empty. See docs/course_format.md."]
    top = Fields(data, where="course.yaml", problems=problems)
    allowed = ("slug", "title", "language", "source", "concepts", "misconceptions")
    top.refuse_others(allowed)
    concepts = _read_concepts(top, problems)
    misconceptions = _read_misconceptions(folder, top, problems)
    known = frozenset(m.slug for m in misconceptions)
    pictures = PictureFolder(folder)
    items = _read_items(folder, frozenset(c.slug for c in concepts), known, pictures, problems)
    course = CourseSpec(
        slug=check_slug(top.text("slug"), where="course.yaml, slug", problems=problems),
        title=top.text("title"),
        language=top.text("language", default="en"),
        source=top.text("source", default=""),
        concepts=concepts,
        misconceptions=misconceptions,
        items=items,
        pictures=pictures.files,
    )
    return course, problems


def _read_concepts(top: Fields, problems: list[str]) -> tuple[ConceptSpec, ...]:
    concepts: list[ConceptSpec] = []
    for number, entry in enumerate(top.list("concepts"), start=1):
        fields = Fields(entry, where=f"course.yaml, concept {number}", problems=problems)
        fields.refuse_others(("slug", "name", "description", "requires", "fact"))
        slug = check_slug(fields.text("slug"), where=fields.where, problems=problems)
        fields.where = f"course.yaml, concept {slug}"
        if any(concept.slug == slug for concept in concepts):
            fields.note("slug", slug, "is used twice. Give each concept its own.")
        spec = ConceptSpec(
            slug=slug,
            name=fields.text("name"),
            description=fields.text("description", default=""),
            requires=fields.texts("requires", default=()),
            is_fact=fields.flag("fact"),
        )
        concepts.append(spec)
    if not concepts:
        problems.append("course.yaml, concepts: there are none. List at least one.")
    try:
        build_graph(requires={concept.slug: concept.requires for concept in concepts})
    except (CycleFound, SelfPrerequisite, UnknownNode) as error:
        problems.append(f"course.yaml, concepts, requires: {error} Change one of the `requires`.")
    return tuple(concepts)


def _read_misconceptions(
    folder: Path, top: Fields, problems: list[str]
) -> tuple[MisconceptionSpec, ...]:
    sources: list[tuple[str, Any]] = [("course.yaml", top.data.get("misconceptions") or {})]
    sources += [
        (path.name, course_files.read_yaml(path, problems) or {})
        for path in course_files.misconception_files(folder)
    ]
    found: dict[str, MisconceptionSpec] = {}
    for file, entries in sources:
        if not isinstance(entries, dict):
            problems.append(
                f"{file}, misconceptions: must be `slug: {{name: ..., feedback: ...}}`."
            )
            continue
        for slug, entry in entries.items():
            fields = Fields(entry, where=f"{file}, misconception {slug}", problems=problems)
            fields.refuse_others(("name", "feedback"))
            check_slug(str(slug), where=fields.where, problems=problems)
            spec = MisconceptionSpec(str(slug), fields.text("name"), fields.text("feedback"))
            if found.setdefault(spec.slug, spec) != spec:
                problems.append(f"{fields.where}: defined twice with other words. Keep one.")
    return tuple(found.values())


def _read_items(
    folder: Path,
    concepts: frozenset[str],
    misconceptions: frozenset[str],
    pictures: PictureFolder,
    problems: list[str],
) -> tuple[ItemSpec, ...]:
    items: dict[str, ItemSpec] = {}
    for path in course_files.item_files(folder):
        file = f"items/{path.name}"
        entries = course_files.read_yaml(path, problems)
        if not isinstance(entries, list):
            if entries is not None:
                problems.append(f"{file}: must be a list of items, each starting with `- slug:`.")
            continue
        for number, entry in enumerate(entries, start=1):
            spec = read_item(
                entry,
                file=file,
                number=number,
                concepts=concepts,
                misconceptions=misconceptions,
                problems=problems,
            )
            if spec is None:
                continue
            where = f"{file}, item {spec.slug or number}"
            spec = with_pictures(spec, where=where, folder=pictures, problems=problems)
            other = items.setdefault(spec.slug, spec)
            if other is not spec:
                where = f"{file}, item {spec.slug}, slug"
                problems.append(f"{where}: is also used in {other.file}. Give it another slug.")
    return tuple(items.values())
