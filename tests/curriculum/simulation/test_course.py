import numpy as np
import pytest

from curriculum.simulation import (
    CourseUnusable,
    SimulatedCourse,
    SimulatedItem,
    draw_item_truth,
    guess_prob,
)
from tests.curriculum.simulation.factories import chain_course, exact_truth


class TestSimulatedCourse:
    def test_orders_concepts_after_their_prerequisites(self):
        course = SimulatedCourse(
            prerequisites=((2,), (), (1,), (0, 1)), items=(SimulatedItem(concepts=(3, 0)),)
        )

        assert course.order == (1, 2, 0, 3)
        assert course.items_by_concept == ((), (), (), (0,))

    @pytest.mark.parametrize("prerequisites", [((1,), (0,)), ((0,),), ((7,),)])
    def test_refuses_cycles_and_unknown_prerequisites(self, prerequisites):
        with pytest.raises(CourseUnusable, match="cycle"):
            SimulatedCourse(prerequisites=prerequisites, items=(SimulatedItem(concepts=(0,)),))

    @pytest.mark.parametrize(
        "items",
        [
            (),
            (SimulatedItem(concepts=()),),
            (SimulatedItem(concepts=(1,)),),
            (SimulatedItem(concepts=(0,), guess=1.0),),
        ],
    )
    def test_refuses_unusable_items(self, items):
        with pytest.raises(CourseUnusable):
            SimulatedCourse(prerequisites=((),), items=items)


class TestDrawItemTruth:
    def test_scatters_around_the_author(self):
        course = chain_course(concepts=40, items_each=10)

        truth = draw_item_truth(course, seed=3, author_error_sd=0.4)

        missed = truth.difficulty - np.array([item.difficulty for item in course.items])
        assert np.std(missed) == pytest.approx(0.4, abs=0.05)
        assert truth.discrimination.min() > 0.3
        assert set(truth.guess) == {0.1}

    def test_keeps_the_author_when_told_so(self):
        course = chain_course()

        assert list(exact_truth(course).difficulty) == [item.difficulty for item in course.items]


class TestGuessProb:
    @pytest.mark.parametrize(
        ("kind", "options", "prob"),
        [("single_choice", 4, 0.25), ("multiple_choice", 3, 1 / 7), ("expression", 0, 0.01)],
    )
    def test_follows_the_kind(self, kind, options, prob):
        assert guess_prob(kind, options=options) == pytest.approx(prob)

    @pytest.mark.parametrize(("kind", "options"), [("single_choice", 1), ("essay", 3)])
    def test_refuses_what_it_does_not_know(self, kind, options):
        with pytest.raises(CourseUnusable):
            guess_prob(kind, options=options)
