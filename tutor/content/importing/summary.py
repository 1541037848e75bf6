"""What an import would do, in lines for a person."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from tutor.content.course_format import CourseSpec
from tutor.content.importing.listed import Listed
from tutor.content.importing.untangling import Prerequisites

MOST_NAMED = 8


def course_lines(courses: Iterable[CourseSpec]) -> Iterator[str]:
    """Yield a line for each course: concepts, items by kind, prerequisite links."""
    for course in courses:
        kinds = Counter(item.kind for item in course.items)
        told = ", ".join(
            f"{count} {kind.replace('_', ' ')}" for kind, count in sorted(kinds.items())
        )
        links = sum(len(concept.requires) for concept in course.concepts)
        yield (
            f"Course {course.slug} ({course.title}): {len(course.concepts)} concepts, "
            f"{len(course.items)} items ({told or 'none'}), {links} prerequisite links."
        )


def reason_lines(rows: Sequence[Listed]) -> Iterator[str]:
    """Yield a line for each reason, the commonest first, with an example."""
    by_reason: dict[str, list[Listed]] = defaultdict(list)
    for row in rows:
        by_reason[row.reason].append(row)
    for reason, own in sorted(by_reason.items(), key=lambda pair: (-len(pair[1]), pair[0])):
        detail = f": {own[0].detail[:60]}" if own[0].detail else ""
        yield f"{len(own):6d}  {reason} (for example {own[0].step or own[0].problem}{detail})"


def prerequisite_lines(found: Prerequisites) -> Iterator[str]:
    """Yield what became of the pairs of a file."""
    yield f"{found.read} pairs read, {found.edges} prerequisite links."
    if found.repeated:
        yield f"{found.repeated} pairs are given more than once."
    if found.unknown:
        yield f"{len(found.unknown)} names lead nowhere: {_some(found.unknown)}."
    if found.loops:
        yield f"{len(found.loops)} concepts would require themselves: {_some(found.loops)}."
    if found.dropped:
        pairs = [f"{concept} requires {required}" for concept, required in found.dropped]
        yield f"{len(pairs)} pairs left out to break circles: {'; '.join(pairs)}."


def _some(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
