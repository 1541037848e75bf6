"""A course drawn at random for the matrix: the same concepts and items for every simulator."""

from dataclasses import dataclass

import numpy as np

from curriculum.scheduler import ItemBank, build_bank
from curriculum.simulation.course import SimulatedCourse, SimulatedItem

# Kinds of items by their chance of a right guess: free answers and choices of four.
FREE_GUESS, CHOICE_GUESS = 0.02, 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseShape:
    """How large a drawn course is.

    Attributes:
        concepts: how many.
        items_each: items whose main concept it is.
        rootless: chance that a concept after the first has at least one prerequisite.
        reach: prerequisites lie at most so many places before a concept.
        paired: chance that an item needs a second concept, one taught before its own.
        difficulty_sd: spread of the authors' difficulties, logits.
        later_is_harder: logits between the first concept's items and the last one's.
    """

    concepts: int = 10
    items_each: int = 8
    rootless: float = 0.8
    reach: int = 4
    paired: float = 0.15
    difficulty_sd: float = 0.6
    later_is_harder: float = 0.4


def draw_course(*, seed: int, shape: CourseShape | None = None) -> SimulatedCourse:
    """Return a course; the same for the same seed and shape."""
    shape = shape or CourseShape()
    rng = np.random.default_rng([seed, 2])
    prerequisites = [_draw_prerequisites(concept, shape, rng) for concept in range(shape.concepts)]
    items = []
    for concept in range(shape.concepts):
        place = concept / max(shape.concepts - 1, 1)
        for _ in range(shape.items_each):
            is_paired = concept > 0 and rng.random() < shape.paired
            second = (int(rng.integers(concept)),) if is_paired else ()
            mean = shape.later_is_harder * (place - 0.5)
            items.append(
                SimulatedItem(
                    concepts=(concept, *second),
                    difficulty=float(mean + shape.difficulty_sd * rng.standard_normal()),
                    guess=CHOICE_GUESS if rng.random() < 0.5 else FREE_GUESS,
                )
            )
    return SimulatedCourse(prerequisites=tuple(prerequisites), items=tuple(items))


def bank_of(course: SimulatedCourse) -> ItemBank:
    """Return the course as the scheduler sees it: ids are positions; every other item a template.

    Concepts stand in teaching order already, since prerequisites always have smaller indices.
    """
    widest = max(len(item.concepts) for item in course.items)
    columns = np.full((len(course.items), widest), -1, dtype=np.int64)
    for row, item in enumerate(course.items):
        columns[row, : len(item.concepts)] = item.concepts
    return build_bank(
        item_ids=range(len(course.items)),
        concepts=columns,
        concept_ids=range(course.n_concepts),
        requires=[
            (parent, concept)
            for concept, parents in enumerate(course.prerequisites)
            for parent in parents
        ],
        is_template=[row % 2 == 0 for row in range(len(course.items))],
    )


def _draw_prerequisites(
    concept: int, shape: CourseShape, rng: np.random.Generator
) -> tuple[int, ...]:
    if concept == 0 or rng.random() >= shape.rootless:
        return ()
    near = np.arange(max(concept - shape.reach, 0), concept)
    count = min(1 + int(rng.random() < 0.4), len(near))
    return tuple(sorted(int(one) for one in rng.choice(near, size=count, replace=False)))
