"""The reader on which the independent keys rest."""

from fractions import Fraction

import pytest

from tests.tutor.content.demo_course.reading import choice_value, maths, numbers, value


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        (r"-3^2 - (-4) \cdot 5", 11),
        (r"48 \div 4 \cdot 3", 36),
        (r"2\frac{1}{3} \cdot 1\frac{1}{2}", Fraction(7, 2)),
        (r"5\frac{1}{3} - 2\frac{1}{2}", Fraction(17, 6)),
        (r"\frac{3 + 4}{7} - 2 \cdot 3", -5),
        (r"\left(\frac{2}{3}\right)^{-2}", Fraction(9, 4)),
        (r"3.4 \times 10^{5}", 340_000),
        (r"12{,}000", 12_000),
        (r"2\sqrt{9 + 16}", 10),
        (r"2\cdot\sqrt{\frac{4}{9}}", Fraction(4, 3)),
    ],
)
def test_formulas_have_their_value(latex: str, expected: Fraction) -> None:
    assert value(latex) == expected


def test_letters_tell_equal_expressions_from_others() -> None:
    assert value("2x(x - 1)") == value("2x^2 - 2x")
    assert value("x^2") != value("2x")


@pytest.mark.parametrize("latex", [r"\sqrt{2}", "2 = 2", r"\frac{1}{0}", ""])
def test_what_has_no_rational_value_is_refused(latex: str) -> None:
    with pytest.raises(ValueError, match=r"cannot be read|not rational"):
        value(latex)


def test_parts_of_a_text_are_found() -> None:
    text = "Buy $2$ at 1.50 euros: $$3 + 4$$"
    assert maths(text) == ["2", "3 + 4"]
    assert numbers(text) == [2, Fraction(3, 2), 3, 4]
    assert choice_value("$-5$") == -5
    assert choice_value("five") is None
