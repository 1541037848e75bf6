"""A small course for all models of learning."""

import numpy as np
import pytest

from curriculum.simulation import SimulatedCourse, SimulatedItem, draw_item_truth

START = 1_790_000_000.0
DAY_S = 86_400.0


@pytest.fixture(scope="session")
def course():
    """Three concepts in a chain, two items each, and one item that needs the first two."""
    items = [
        SimulatedItem(concepts=(concept,), difficulty=difficulty, guess=0.2)
        for concept in range(3)
        for difficulty in (-0.5, 0.5)
    ]
    return SimulatedCourse(
        prerequisites=((), (0,), (1,)), items=(*items, SimulatedItem(concepts=(1, 0), guess=0.2))
    )


@pytest.fixture(scope="session")
def truth(course):
    return draw_item_truth(course, seed=0)


@pytest.fixture
def rng():
    return np.random.default_rng(7)
