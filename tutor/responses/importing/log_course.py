"""What can be said of a course from a log alone: its items by name, and their concepts.

Items that the course does not have become items that the learner works elsewhere and marks: a
log says which item was answered, not what it asked.
"""

from tutor.content.course_format import ConceptSpec, CourseSpec, ItemSpec
from tutor.responses.importing.naming import escape, slug_of
from tutor.responses.importing.staging import Staging

# What a course made from a log says of itself; later logs may add to such a course.
SOURCE = "Imported from a log; the questions stand elsewhere."
UNNAMED = "Without a concept"
# The slug of the empty name, which no concept of a log has.
UNNAMED_SLUG = slug_of("")


def make_course(
    staging: Staging, *, title: str, slug: str, names: dict[str, str] | None = None
) -> tuple[CourseSpec, list[str]]:
    """Return the course that a log is about, and what somebody should know of it.

    `names` gives concepts a better name than the log's own.
    """
    warnings: list[str] = []
    if staging.disagreeing:
        example = min(staging.items[item] for item in staging.disagreeing)
        warnings.append(
            f"{len(staging.disagreeing)} items carry different concepts in different rows; "
            f"the first row counts (for example {example})."
        )
    named = any(staging.concepts_of)
    if staging.concepts_of and not named:
        warnings.append("No concepts in this log: the whole course counts as one.")
    shown = names or {}
    concepts = {
        slug_of(name): ConceptSpec(slug_of(name), shown.get(name, name)[:200], "")
        for name in dict.fromkeys(name for own in staging.concepts_of for name in own)
    }
    if not all(staging.concepts_of):
        concepts[UNNAMED_SLUG] = ConceptSpec(UNNAMED_SLUG, UNNAMED if named else title, "")
    items = tuple(
        _item(name, own) for name, own in zip(staging.items, staging.concepts_of, strict=True)
    )
    course = CourseSpec(
        slug=slug,
        title=title,
        language="en",
        concepts=tuple(concepts.values()),
        misconceptions=(),
        items=items,
        source=SOURCE,
    )
    return course, warnings


def _item(name: str, concepts: tuple[str, ...]) -> ItemSpec:
    return ItemSpec(
        slug=slug_of(name),
        concepts=tuple(slug_of(concept) for concept in concepts) or (UNNAMED_SLUG,),
        kind="self_marked",
        stem=f"Work question **{escape(name)}** of your material, then mark it yourself.",
        file="log",
    )
