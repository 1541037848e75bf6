"""Choices, short texts and self-marked items."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tutor.content.factories import (
    body,
    choice_item,
    expression_item,
    number_item,
    option_id,
    text_item,
)
from tutor.content.grading import (
    UnreadableAnswer,
    answer_summary,
    grade,
    response_text,
    right_answer,
)
from tutor.content.markup import to_inline_html
from tutor.content.templates import instantiate


class TestSingleChoice:
    def test_judges_by_id(self):
        item = choice_item()
        assert grade(item, {"choice": option_id(0)}).is_correct
        assert grade(item, {"choice": option_id(1)}).credit == 0

    def test_names_the_misconception_and_feedback_of_a_choice(self):
        choices = [
            {"text": "a", "correct": True},
            {"text": "b", "misconception": "m", "feedback": "No."},
        ]
        item = instantiate(body("single_choice", choices=choices), seed=0)
        result = grade(item, {"choice": option_id(1)})
        assert (result.misconception, result.feedback) == ("m", "No.")

    def test_refuses_another_id(self):
        with pytest.raises(UnreadableAnswer, match="no option “k9”"):
            grade(choice_item(), {"choice": "k9"})


class TestMultipleChoice:
    @pytest.mark.parametrize(
        ("chosen", "credit"),
        [
            ([0, 1], 1), ([0], 0.5), ([0, 1, 2], 0.5), ([0, 2], 0),
            ([], 0), ([0, 1, 2, 3], 0), ([2, 3], 0), ([1, 0, 0], 1),
        ],
    )  # fmt: skip
    def test_credit_is_the_share_judged_rightly_above_half(self, chosen, credit):
        result = grade(
            choice_item("multiple_choice", (0, 1)), {"choices": [option_id(n) for n in chosen]}
        )
        assert (result.credit, result.is_correct) == (credit, credit == 1)


class TestText:
    @pytest.mark.parametrize(
        ("key", "text", "right"),
        [
            ("Right angle", " right  ANGLE. ", True), ("(2, 3)", "( 2 ,3 )", True),
            ("2", "-2", False), ("(2, 3)", "(23)", False), ("don't", "don’t", True),
            ("x-axis", "x – axis", True), ("café", "cafe", False), ("café", "cafe\u0301", True),
            ("prime", "prim", False), ("3:4", "3 : 4", True), ("2.5", "25", False),
        ],
    )  # fmt: skip
    def test_normalises(self, key, text, right):
        assert grade(text_item(key), {"text": text}).is_correct is right

    def test_options(self):
        assert grade(text_item("café", ignore_accents=True), {"text": "CAFE"}).is_correct
        assert not grade(text_item("Ab", ignore_case=False), {"text": "ab"}).is_correct
        assert not grade(text_item("a!", ignore_punctuation=False), {"text": "a"}).is_correct

    def test_accepts_several(self):
        assert grade(text_item("two", "2"), {"text": "2"}).is_correct

    def test_typos_only_when_allowed(self):
        item = text_item("parallel", typos=1)
        assert "parallel" in grade(item, {"text": "paralel"}).feedback
        assert not grade(item, {"text": "parale"}).is_correct
        assert not grade(text_item("parallel"), {"text": "paralel"}).is_correct

    def test_an_anticipated_mistake_goes_before_a_typo(self):
        item = text_item("median", typos=2, wrong=[{"text": "medium", "misconception": "m"}])
        assert grade(item, {"text": "Medium"}).misconception == "m"

    @given(st.text(max_size=60))
    def test_any_text_is_judged_or_refused(self, text):
        try:
            result = grade(text_item("a", "é!", typos=1), {"text": text})
        except UnreadableAnswer as error:
            said = error.message
            assert not text.strip(), said
        else:
            assert result.credit in (0, 1)


class TestSelfMarked:
    def test_takes_the_learners_word(self):
        item = instantiate(body("self_marked", answer={}), seed=0)
        assert grade(item, {"right": True}).is_correct
        assert grade(item, {"right": False}).credit == 0
        assert response_text(item, {"right": False}) == "wrong"


ITEMS = [
    number_item(),
    expression_item(),
    text_item("a"),
    choice_item(),
    choice_item("multiple_choice", (1, 2)),
    instantiate(body("self_marked"), seed=0),
]


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.kind)
class TestEveryKind:
    @pytest.mark.parametrize(
        "answer",
        [{}, [], None, "3", 3, {"text": None}, {"text": 3}, {"text": ""}, {"text": "9" * 10_000},
         {"choice": 0}, {"choices": "k0"}, {"choices": [0]}, {"right": "yes"}, {"right": 1}],
    )  # fmt: skip
    def test_refuses_other_json(self, item, answer):
        with pytest.raises(UnreadableAnswer):
            grade(item, answer)
        assert isinstance(response_text(item, answer), str)

    @given(
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["text", "choice", "choices", "right"]), inner, max_size=3
                )
            ),
            max_leaves=5,
        )
    )
    def test_never_fails_otherwise(self, item, answer):
        try:
            assert 0 <= grade(item, answer).credit <= 1
        except UnreadableAnswer:
            assert isinstance(response_text(item, answer), str)

    def test_its_own_key_is_right(self, item):
        assert grade(item, right_answer(item)).is_correct


class TestShownTexts:
    def test_money_is_no_formula(self):
        item = number_item("4", unit="$")
        assert to_inline_html(answer_summary(item)) == "$4"
        assert to_inline_html(response_text(item, {"text": "$4 or $5 *x*"})) == "$4 or $5 *x*"

    def test_a_picture_that_a_learner_types_stays_text(self):
        typed = f"![x](picture:{'0' * 64}:99999x9)"
        for text in (typed, rf"\{typed}", f"!{typed}"):
            assert to_inline_html(response_text(text_item("a"), {"text": text})) == text

    def test_sets_and_pairs(self):
        assert answer_summary(number_item(["2", "-3"])) == "2 or -3"
        assert answer_summary(number_item([])) == "no solution"
        pair = number_item(["1", "2"], ordered=True, names=["x", "y"])
        assert answer_summary(pair) == "x = 1, y = 2"
        assert answer_summary(number_item(["1", "2"], ordered=True)) == "(1, 2)"

    @pytest.mark.parametrize(
        ("form", "shown"), [("any", "3/4"), ("decimal", "0.75"), ("percent", "75 %")]
    )
    def test_numbers_in_their_form(self, form, shown):
        assert answer_summary(number_item("3/4", form=form)) == shown

    def test_choices(self):
        item = choice_item("multiple_choice", (0, 1), keep_order=True)
        assert answer_summary(item) == "option 0; option 1"
        assert response_text(item, {"choices": [option_id(3)]}) == "option 3"
