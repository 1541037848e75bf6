"""What simulated learners write is graded as the simulation said."""

import random

import pytest

from tests.factories import small_course_spec
from tutor.content import course_format, grading, templates
from tutor.content.rendered import RenderedChoice, RenderedItem
from tutor.demo import answers, seeding

SEEDS = (0, 5)


@pytest.fixture(scope="module")
def demo_items():
    spec, problems = course_format.read_structure(seeding.COURSE_FOLDER)
    assert problems == []
    bodies = [course_format.item_body(item) for item in (*spec.items, *small_course_spec().items)]
    return [templates.instantiate(body, seed=seed) for body in bodies for seed in SEEDS]


class TestGiven:
    def test_right_and_wrong_answers_are_graded_so(self, demo_items):
        rng = random.Random(1)

        for item in demo_items:
            for given, expected in (
                (answers.right(item), True),
                (answers.wrong(item, rng=rng), False),
            ):
                grade = grading.grade(item, given.answer)
                assert grade.is_correct is expected, (item.stem, given)
                assert (grade.credit, grade.misconception or "") == (
                    given.credit,
                    given.misconception,
                )

    def test_wrong_answers_show_the_mistakes_that_the_item_names(self, demo_items):
        named = [item for item in demo_items if grading.anticipated_answers(item)]

        shown = [answers.wrong(item, rng=random.Random(3)).misconception for item in named]

        assert len(named) > 400
        assert sum(map(bool, shown)) > 0.95 * len(named)

    def test_a_guess_that_would_be_right_is_not_taken_for_wrong(self):
        body = {
            **course_format.item_body(small_course_spec().items[0]),
            "kind": "text",
            "answer": {"accepted": ["0", "1", "10"]},
            "wrong": [],
            "choices": [],
        }
        item = templates.instantiate(body, seed=0)

        given = answers.wrong(item, rng=random.Random(0))

        assert not grading.grade(item, given.answer).is_correct

    def test_a_slip_in_a_multiple_choice_gets_part_of_the_credit(self):
        options = [RenderedChoice(id=f"k{n}", text=str(n), is_correct=n < 2) for n in range(4)]
        item = RenderedItem(
            kind="multiple_choice",
            stem="Which?",
            choices=tuple(options),
            answer=None,
            wrong=(),
            hints=(),
            solution="",
        )

        found = {answers.wrong(item, rng=random.Random(n)).credit for n in range(9)}

        assert found == {0.5}
