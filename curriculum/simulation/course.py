"""What a simulated cohort is taught: concepts, prerequisites, items and their true parameters."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from curriculum.errors import CurriculumError

FloatArray = npt.NDArray[np.float64]


class CourseUnusable(CurriculumError):
    """The course cannot be simulated: no items, an unknown concept, or a prerequisite cycle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedItem:
    """One item as its author describes it.

    Attributes:
        concepts: indices of its concepts, the main one first.
        difficulty: the author's estimate, logits; the true one is drawn around it.
        guess: chance of a right answer without any knowledge, 0..1 (1/options for a single
            choice, near 0 for a free answer).
        misconceptions: tags (any ints) of the misconceptions its anticipated wrong answers
            show.
    """

    concepts: tuple[int, ...]
    difficulty: float = 0.0
    guess: float = 0.0
    misconceptions: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedCourse:
    """Concepts in teaching order, with direct prerequisites, and the items that practise them.

    Attributes:
        prerequisites: per concept, the indices of its direct prerequisites.
        items: the bank; the position in it is the item's index everywhere.
        order: every concept once, each after its prerequisites, as near to the given order
            as that allows.
        items_by_concept: per concept, the items whose main concept it is.

    Raises:
        CourseUnusable: on construction, see there.
    """

    prerequisites: tuple[tuple[int, ...], ...]
    items: tuple[SimulatedItem, ...]
    order: tuple[int, ...] = field(init=False)
    items_by_concept: tuple[tuple[int, ...], ...] = field(init=False)

    def __post_init__(self) -> None:
        if not self.items:
            raise CourseUnusable("A course needs at least one item.")
        known = set(range(len(self.prerequisites)))
        for index, item in enumerate(self.items):
            if not item.concepts or not known.issuperset(item.concepts):
                raise CourseUnusable(f"Item {index} names no concept of this course.")
            if not 0.0 <= item.guess < 1.0:
                raise CourseUnusable(f"Item {index} has a guessing chance outside [0, 1).")
        object.__setattr__(self, "order", _teaching_order(self.prerequisites))
        groups: list[list[int]] = [[] for _ in self.prerequisites]
        for index, item in enumerate(self.items):
            groups[item.concepts[0]].append(index)
        object.__setattr__(self, "items_by_concept", tuple(tuple(group) for group in groups))

    @property
    def n_concepts(self) -> int:
        """The number of concepts."""
        return len(self.prerequisites)


def _teaching_order(prerequisites: tuple[tuple[int, ...], ...]) -> tuple[int, ...]:
    """Return all concepts, each after its prerequisites, smallest index first among the free."""
    remaining = list(range(len(prerequisites)))
    taught: list[int] = []
    done: set[int] = set()
    while remaining:
        free = next((k for k in remaining if done.issuperset(prerequisites[k])), None)
        if free is None:
            raise CourseUnusable(
                f"Prerequisites form a cycle or name an unknown concept, among {remaining}."
            )
        remaining.remove(free)
        taught.append(free)
        done.add(free)
    return tuple(taught)


def needs_matrix(course: SimulatedCourse) -> npt.NDArray[np.int64]:
    """Return [items, concepts] 1 where the item has the concept."""
    needs = np.zeros((len(course.items), course.n_concepts), dtype=np.int64)
    for row, item in enumerate(course.items):
        needs[row, list(item.concepts)] = 1
    return needs


def guess_prob(kind: str, *, options: int = 0) -> float:
    """Return the chance of a right answer without knowledge, by kind of item.

    Args:
        kind: as in the course format. "self_marked" has no key; a learner who does not know
            marks an answer right now and then.
        options: number of choices of a choice item.

    Raises:
        CourseUnusable: the kind is unknown, or a choice item has fewer than two options.
    """
    if kind in {"single_choice", "multiple_choice"}:
        if options < 2:
            raise CourseUnusable(f"A {kind} needs at least two options, not {options}.")
        # A guess at a multiple choice ticks some set of options, though not none.
        return 1.0 / options if kind == "single_choice" else 1.0 / (2**options - 1)
    free = {"number": 0.02, "expression": 0.01, "text": 0.02, "self_marked": 0.3}
    if kind not in free:
        raise CourseUnusable(f"Unknown kind of item: {kind}.")
    return free[kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemTruth:
    """The true parameters of every item of a course; arrays of shape (items,).

    Attributes:
        difficulty: logits; a learner of this level knows it with probability 0.5.
        discrimination: positive, usually 0.6..1.6.
        guess: lower asymptote, 0..1.
        log_seconds: expected log of the answering time of a learner at the item's level.
    """

    difficulty: FloatArray
    discrimination: FloatArray
    guess: FloatArray
    log_seconds: FloatArray


def draw_item_truth(
    course: SimulatedCourse,
    *,
    seed: int,
    author_error_sd: float = 0.4,
    discrimination_sd: float = 0.25,
) -> ItemTruth:
    """Return true item parameters scattered around what the authors wrote.

    Args:
        course: the course.
        seed: fixes the draw.
        author_error_sd: how far the author's difficulty misses, logits.
        discrimination_sd: spread of log discrimination around 0.
    """
    rng = np.random.default_rng([seed, 0])
    size = len(course.items)
    authored = np.array([item.difficulty for item in course.items], dtype=float)
    difficulty = authored + author_error_sd * rng.standard_normal(size)
    return ItemTruth(
        difficulty=difficulty,
        discrimination=np.exp(discrimination_sd * rng.standard_normal(size)),
        guess=np.array([item.guess for item in course.items], dtype=float),
        log_seconds=np.log(25.0) + 0.2 * difficulty + 0.25 * rng.standard_normal(size),
    )
