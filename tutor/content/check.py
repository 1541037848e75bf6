"""Check a course folder: `python -m tutor.content.check FOLDER [--seeds N]`."""

import argparse
import sys
from collections import Counter
from pathlib import Path

from tqdm import tqdm

from tutor.content.course_check import check_items
from tutor.content.course_format import CourseSpec, read_structure


def main(arguments: list[str] | None = None) -> int:
    """Print every problem and return 1, or print a summary and return 0."""
    parser = argparse.ArgumentParser(
        prog="python -m tutor.content.check", description="Check a course folder."
    )
    parser.add_argument("folder", type=Path, help="folder with course.yaml and items/*.yaml")
    parser.add_argument("--seeds", type=int, default=20, help="seeds tried per item (20)")
    parser.add_argument("--concept", help="try only the items whose main concept this is")
    options = parser.parse_args(arguments)
    course, problems = read_structure(options.folder)
    if course is not None:
        items = [
            item
            for item in course.items
            if not options.concept or item.concepts[:1] == (options.concept,)
        ]
        with tqdm(total=len(items), unit="item", disable=None) as bar:
            problems += check_items(items, seeds=range(options.seeds), progress=bar.update)
    if course is None or problems:
        print("\n".join(problems))
        print(f"{len(problems)} problem(s).")
        return 1
    print(summary(course, seeds=options.seeds))
    return 0


def summary(course: CourseSpec, *, seeds: int) -> str:
    """Return what the course holds: items per concept and per kind."""
    by_concept = Counter(item.concepts[0] for item in course.items)
    kinds = Counter(item.kind for item in course.items)
    lines = [f"{course.title}: {len(course.concepts)} concepts, {len(course.items)} items"]
    lines += [f"  {by_concept[concept.slug]:4d}  {concept.slug}" for concept in course.concepts]
    empty = [concept.slug for concept in course.concepts if not by_concept[concept.slug]]
    if empty:
        lines.append(f"  Without an item of their own: {', '.join(empty)}")
    lines.append("  " + ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())))
    lines.append(f"  {seeds} seeds tried per item; every key graded right.")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
