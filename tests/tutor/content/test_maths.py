"""Formulas as MathML: the sign of a number is not set apart from it."""

import pytest

from tutor.content.maths import to_mathml

SIGN = '<mo form="prefix">\u2212</mo>'


@pytest.mark.parametrize("latex", ["12 + (-9)", r"3 \times -2", "x = -4", "(-3)^2"])
def test_a_sign_after_a_bracket_or_an_operator_is_the_number_s_own(latex):
    assert SIGN in to_mathml(latex)


@pytest.mark.parametrize("latex", ["5 - 3", "(a - b)", "(2) - 1", "x - 4 = 0"])
def test_a_minus_between_two_terms_stays_an_operator(latex):
    assert "form=" not in to_mathml(latex)
