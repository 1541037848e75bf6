"""Small courses for the tests of the simulation."""

from curriculum.simulation import ItemTruth, SimulatedCourse, SimulatedItem, draw_item_truth

NOON = 1_790_000_000.0
DAY_S = 86_400.0


def chain_course(*, concepts: int = 6, items_each: int = 3, guess: float = 0.1) -> SimulatedCourse:
    """Concepts that each require the one before."""
    return SimulatedCourse(
        prerequisites=tuple((k - 1,) if k else () for k in range(concepts)),
        items=tuple(
            SimulatedItem(
                concepts=(k,), difficulty=0.3 * (j - 1), guess=guess, misconceptions=(j, 10 + k)
            )
            for k in range(concepts)
            for j in range(items_each)
        ),
    )


def exact_truth(course: SimulatedCourse) -> ItemTruth:
    """Item parameters without author error, all discriminations 1."""
    return draw_item_truth(course, seed=0, author_error_sd=0.0, discrimination_sd=0.0)
