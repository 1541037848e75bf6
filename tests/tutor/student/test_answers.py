"""What a phone is offered for an answer, which must not betray the answer."""

import dataclasses
from fractions import Fraction

import pytest

from tutor.content.rendered import NumberAnswer, RenderedItem
from tutor.student import answers

PLAIN = NumberAnswer(values=(Fraction(3),))


def item(answer) -> RenderedItem:
    return RenderedItem("number", "How much?", (), answer, (), (), "")


def offered(answer):
    return answers.keypad(item(answer)), answers.extra_keys(item(answer))


class TestKeypad:
    @pytest.mark.parametrize("value", [Fraction(-3), Fraction(1, 2), Fraction(10**6)])
    def test_is_the_same_whatever_the_right_value_is(self, value):
        assert offered(dataclasses.replace(PLAIN, values=(value,))) == offered(PLAIN)

    @pytest.mark.parametrize("values", [(), (Fraction(1),), (Fraction(1), Fraction(2))])
    def test_does_not_tell_how_many_solutions_there_are(self, values):
        keypad, keys = offered(NumberAnswer(values=values, is_set=True))

        assert keypad == ""
        assert (";", "; ") in keys

    @pytest.mark.parametrize("form", [{"unit": "cm", "unit_required": True}, {"form": "percent"}])
    def test_has_letters_where_the_form_needs_them(self, form):
        assert answers.keypad(item(dataclasses.replace(PLAIN, **form))) == ""
        assert answers.keypad(item(PLAIN)) == "decimal"
