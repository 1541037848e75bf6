"""What is typed, read as maths."""

import re
from fractions import Fraction

import pytest

from tutor.content.grading.algebra_parser import parse
from tutor.content.preview import latex_of, preview
from tutor.content.rendered import (
    ExpressionAnswer,
    NoAnswer,
    NumberAnswer,
    RenderedItem,
)


def item(answer, kind="expression"):
    return RenderedItem(kind, "", (), answer, (), (), "")


ALGEBRA = item(ExpressionAnswer("2*x + 3", ("x",), equation="y"))
RELATION = item(ExpressionAnswer("x > 3", ("x",)))
NUMBER = item(NumberAnswer((Fraction(1, 2),)), "number")


class TestLatexOf:
    @pytest.mark.parametrize(
        ("typed", "written"),
        [
            ("2x+3", "2x + 3"),
            ("(2x+1)/3", r"\frac{2x + 1}{3}"),
            ("sqrt(2)x", r"\sqrt{2}x"),
            ("2(x-1)^2", r"2\left(x - 1\right)^{2}"),
            ("x-(3-x)", r"x - \left(3 - x\right)"),
            ("-(x+1)", r"-\left(x + 1\right)"),
            ("x*3", r"x \cdot 3"),
            ("(x^2)^3", r"\left(x^{2}\right)^{3}"),
            ("1/2x", r"\frac{1}{2}x"),
            ("0.50x", "0.5x"),
            ("x^-1", "x^{-1}"),
        ],
    )
    def test_keeps_the_structure_that_was_typed(self, typed, written):
        assert latex_of(parse(typed, ("x",))) == written

    @pytest.mark.parametrize("typed", ["2x+3x", "x+0", "1*x", "4/8"])
    def test_simplifies_nothing(self, typed):
        shown = re.sub(r"[^0-9x]", "", latex_of(parse(typed, ("x",))))

        assert shown == re.sub(r"[^0-9x]", "", typed)


class TestPreview:
    @pytest.mark.parametrize(
        ("shown", "typed", "part"),
        [
            (ALGEBRA, "x/2", "<mfrac>"),
            (ALGEBRA, "y = x/2", "<mi>y</mi><mo>=</mo>"),
            (RELATION, "x>=4", "≥"),
            (NUMBER, "1 1/2", "<mfrac>"),
            (NUMBER, "50 %", "%"),
            (NUMBER, "5 cm²", "cm²"),
            (NUMBER, "1/2 or 1/3", "<mfrac>"),
        ],
    )
    def test_is_mathml(self, shown, typed, part):
        read = preview(shown, typed)

        assert read.mathml.startswith("<math")
        assert part in read.mathml

    def test_says_what_is_amiss_in_an_expression(self):
        assert "bracket" in preview(ALGEBRA, "(x+1").problem
        assert preview(ALGEBRA, "(x+1").mathml == ""

    @pytest.mark.parametrize(
        "typed", ["", "  ", "5", "-3.50", "no solution", "1,234,567", "?!", "x" * 999]
    )
    def test_of_a_plain_number_or_of_none_is_empty(self, typed):
        assert preview(NUMBER, typed) == preview(item(NoAnswer(), "self_marked"), "1/2")

    @pytest.mark.parametrize("typed", ["<script>", "\\href{x}{y}", "$$", "\x00", "5 <b>"])
    def test_lets_no_markup_through(self, typed):
        for shown in (ALGEBRA, NUMBER, RELATION):
            assert "<script" not in preview(shown, typed).mathml
            assert "<b>" not in preview(shown, typed).mathml
            assert "href" not in preview(shown, typed).mathml
