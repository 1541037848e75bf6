"""A course of concepts from Junyi Academy's table of exercises.

The table says which exercises there are and what comes before each; not what they ask. So each
exercise becomes a concept with one item that the learner works elsewhere and marks, as for a log:
the items go by the same slugs, and a log of Junyi's can be imported into the course.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tutor.content.course_format import ConceptSpec, CourseSpec
from tutor.content.graph import build_graph
from tutor.content.importing import names
from tutor.content.importing.edges import Edge, read_rows, split_names
from tutor.content.importing.errors import ContentUnreadable
from tutor.content.importing.texts import escape
from tutor.content.importing.untangling import Prerequisites, untangle
from tutor.content.item_spec import ItemSpec

NEEDED = ("name", "prerequisites")
SOURCE = (
    "Junyi Academy (https://www.junyiacademy.org): table of exercises with their prerequisites, "
    "published with the data set of PSLC DataShop 1198. The questions stand elsewhere."
)
# Letters that a wrong encoding lost show as question marks, or as the sign for them.
_DAMAGED = re.compile(r"[?\ufffd]")


@dataclass(frozen=True, slots=True)
class JunyiTable:
    """The course, what became of its prerequisites, and names that occur twice."""

    course: CourseSpec
    prerequisites: Prerequisites
    rows: int
    repeated: tuple[str, ...]


def read(path: Path, *, slug: str, title: str, drop_cycles: bool) -> JunyiTable:
    """Return the course in Junyi's exercise table.

    Raises:
        ContentUnreadable: it is no CSV with the columns `NEEDED`.
        PrerequisitesInCircle: the prerequisites run in a circle, and `drop_cycles` is not set.
    """
    exercises = _exercises(path)
    first: dict[str, Mapping[str, str]] = {}
    for exercise in exercises:
        first.setdefault(exercise["name"], exercise)
    slugs = {name: names.log_slug(name) for name in first}
    edges = [
        Edge(exercise["name"], required, int(exercise["line"]))
        for exercise in exercises
        for required in split_names(exercise["prerequisites"])
    ]
    prerequisites = untangle(
        edges=edges,
        concepts={slug: name for name, slug in slugs.items()},
        drop_cycles=drop_cycles,
    )
    # The table has no order of its own: what comes before stands before.
    order = build_graph(requires=prerequisites.requires).order
    by_slug = {slug: first[name] for name, slug in slugs.items()}
    seen: set[str] = set()
    repeated = [e["name"] for e in exercises if e["name"] in seen or seen.add(e["name"])]
    course = CourseSpec(
        slug=slug,
        title=title,
        language="en",
        concepts=tuple(
            _concept(name, by_slug[name], prerequisites.requires[name]) for name in order
        ),
        misconceptions=(),
        items=tuple(_item(name, by_slug[name]["name"]) for name in order),
        source=SOURCE,
    )
    return JunyiTable(course, prerequisites, len(exercises), tuple(dict.fromkeys(repeated)))


def _exercises(path: Path) -> list[dict[str, str]]:
    rows = read_rows(path)
    header = [cell.strip() for cell in rows[0][1]] if rows else []
    missing = [name for name in NEEDED if name not in header]
    if missing:
        raise ContentUnreadable(
            f"{path.name} lacks the column {', '.join(missing)}. Wanted is Junyi's table of "
            "exercises, junyi_Exercise_table.csv."
        )
    found = [
        {**dict(zip(header, (cell.strip() for cell in cells), strict=False)), "line": str(line)}
        for line, cells in rows[1:]
    ]
    exercises = [row for row in found if row.get("name") and "prerequisites" in row]
    if not exercises:
        raise ContentUnreadable(f"{path.name} names no exercise.")
    return exercises


def _concept(slug: str, exercise: Mapping[str, str], requires: tuple[str, ...]) -> ConceptSpec:
    english = names.readable(exercise["name"])
    pretty = exercise.get("pretty_display_name", "")
    name = f"{english} ({pretty})" if pretty and not _DAMAGED.search(pretty) else english
    subject = " · ".join(
        names.readable(exercise[field].replace("-", " "))
        for field in ("area", "topic")
        if exercise.get(field) not in (None, "", "N/A")
    )
    return ConceptSpec(slug, name[: names.LONGEST_NAME], subject, requires)


def _item(slug: str, name: str) -> ItemSpec:
    return ItemSpec(
        slug=slug,
        concepts=(slug,),
        kind="self_marked",
        stem=f"Work exercise **{escape(names.readable(name))}** ({escape(name)}), then mark it "
        "yourself.",
        file="junyi",
    )
