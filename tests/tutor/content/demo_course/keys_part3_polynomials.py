"""Keys for polynomials and factoring: SymPy expands, divides or factors what the stem shows."""

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from math import gcd
from typing import Any

import sympy

from tests.tutor.content.demo_course.plain_mathematics import first, numbers_in
from tests.tutor.content.demo_course.problem_text import (
    X,
    expression,
    formulas,
    function,
    same_expression,
)

Parameters = Mapping[str, Any]
Test = Callable[[str], bool]

# The wrong choices have the right value but are not factored completely.
FORM_MATTERS = {"cfactor-fully-factored-choice", "dsquares-fourth-power"}


def _problem(stem: str) -> sympy.Expr:
    return expression(formulas(stem)[0])


def _expanded(d: Parameters, stem: str) -> sympy.Expr:
    return sympy.expand(_problem(stem))


def _factored(d: Parameters, stem: str) -> sympy.Expr:
    return sympy.factor(_problem(stem))


def _value(d: Parameters, stem: str) -> Fraction:
    return Fraction(function(formulas(stem)[0])(None))


def _same_as_stem(d: Parameters, stem: str) -> Test:
    return lambda text: same_expression(text, formulas(stem)[0])


def _multiple_of_stem(d: Parameters, stem: str) -> Test:
    return lambda text: sympy.cancel(expression(text.strip("$")) / _problem(stem)).is_number


def _coefficient_in_sum(d: Parameters, stem: str) -> Fraction:
    total = sympy.Poly(sum(expression(f) for f in formulas(stem)[:2]), X)
    return Fraction(str(total.coeff_monomial(X)))


def _perimeter(d: Parameters, stem: str) -> sympy.Expr:
    return sympy.expand(sum(expression(f) for f in formulas(stem)))


def _missing_polynomial(d: Parameters, stem: str) -> sympy.Expr:
    start, goal = map(expression, formulas(stem)[:2])
    return sympy.expand(goal - start)


def _degree(d: Parameters, stem: str) -> int:
    shown = next(f for f in formulas(stem) if "x^4" in f).rstrip("?")
    return int(sympy.degree(sympy.expand(expression(shown)), X))


def _middle_coefficient(d: Parameters, stem: str) -> Fraction:
    # (p(1) - p(-1)) / 2 leaves the odd part of a quadratic, which is its middle term.
    product = function(formulas(stem)[0])
    return (product(Fraction(1)) - product(Fraction(-1))) / 2


def _garden(d: Parameters) -> sympy.Expr:
    # Piece by piece: the square, the strip added on one side, the strip taken from all of it.
    return sympy.expand(X**2 + d["p"] * X - d["q"] * (X + d["p"]))


def _missing_number(d: Parameters, stem: str) -> int:
    shown = re.search(r"([+-]) (\d+)$", formulas(stem)[0])
    assert shown
    last = int(shown[1] + shown[2])
    return first(lambda n: d["p"] * n == last, range(-100, 100))


def _is_square_of_binomial(text: str) -> bool:
    whole, factors = sympy.factor_list(expression(text.strip("$")))
    return [power for _, power in factors] == [2] and sympy.sqrt(whole).is_rational


def _path(d: Parameters) -> sympy.Expr:
    # Four strips along the sides and four corners.
    return 4 * (d["w"] * X) + 4 * d["w"] ** 2


def _factor_of_x(d: Parameters, stem: str) -> Fraction:
    left = next(f for f in formulas(stem) if "kx" in f).split("=")[0]
    return Fraction(str(sympy.expand(expression(left) / X)))


def _greatest_common_factor(d: Parameters, stem: str) -> int:
    numbers = [int(n) for n in numbers_in(formulas(stem)[0])]
    return max(n for n in range(1, 500) if all(number % n == 0 for number in numbers))


def _completely_factored(d: Parameters, stem: str) -> Test:
    def complete(text: str) -> bool:
        inner = sympy.Poly(expression(text.strip("$").split("(")[1].rstrip(")")), X)
        numbers = [int(c) for c in inner.all_coeffs()]
        return same_expression(text, formulas(stem)[0]) and gcd(*numbers) == 1 and numbers[-1] != 0

    return complete


def _missing_bracket(d: Parameters, stem: str) -> sympy.Expr:
    left, right = formulas(stem)[0].split("=")
    outside = expression(right.split(r"\cdot")[0])
    return sympy.cancel(expression(left) / outside)


def _pair(d: Parameters, stem: str) -> tuple[int, int]:
    product, total = (int(n) for f in formulas(stem)[1:] for n in numbers_in(f))
    low = first(lambda n: n * (total - n) == product, range(1, total))
    return low, total - low


def _divides_stem(d: Parameters, stem: str) -> Test:
    return lambda text: sympy.rem(_problem(stem), expression(text.strip("$")), X) == 0


def _can_be_factored(d: Parameters, stem: str) -> Test:
    constant = d["n"]
    sums = {a + b for a in range(-99, 99) for b in range(-99, 99) if a * b == constant}
    return lambda text: int(numbers_in(text)[0]) in sums


def _other_side(d: Parameters, stem: str) -> sympy.Expr:
    area, side = map(expression, formulas(stem)[:2])
    return sympy.cancel(area / side)


def _splits_into_two(text: str) -> bool:
    return len(sympy.factor_list(expression(text.strip("$")))[1]) == 2


def _sheet(d: Parameters) -> sympy.Expr:
    return sympy.factor(X**2 - d["b"] ** 2)


def _factored_into_three(d: Parameters, stem: str) -> Test:
    problem = formulas(stem)[0]
    assert len(sympy.factor_list(expression(problem))[1]) == 3
    return lambda text: same_expression(text, problem) and text.count("(") == 3


def _consecutive(d: Parameters, stem: str) -> int:
    return first(lambda n: (n + 1) ** 2 - n**2 == numbers_in(stem)[0])


KEYS: dict[str, Callable[..., Any]] = {
    "polyadd-simplify-choice": _same_as_stem,
    "polyadd-like-terms": _multiple_of_stem,
    "polyadd-coefficient": _coefficient_in_sum,
    "polyadd-add-two": _expanded,
    "polyadd-triangle-perimeter": _perimeter,
    "polyadd-subtract": _expanded,
    "polyadd-missing-polynomial": _missing_polynomial,
    "polyadd-multiples": _expanded,
    "polyadd-degree-after-cancelling": _degree,
    "binom-plus-plus": _expanded,
    "binom-choose-product": _same_as_stem,
    "binom-middle-coefficient": _middle_coefficient,
    "binom-mixed-signs": _expanded,
    "binom-garden-extended": _garden,
    "binom-leading-coefficients": _expanded,
    "binom-missing-number": _missing_number,
    "binom-times-trinomial": _expanded,
    "binom-difference-of-products": _expanded,
    "special-square-choice": _same_as_stem,
    "special-square-of-difference": _expanded,
    "special-conjugates": _expanded,
    "special-mental-arithmetic": _value,
    "special-square-with-coefficient": _expanded,
    "special-perfect-squares": lambda d: _is_square_of_binomial,
    "special-path-around-pond": _path,
    "special-squares-difference": _factor_of_x,
    "cfactor-greatest-number": _greatest_common_factor,
    "cfactor-number": _factored,
    "cfactor-mental-arithmetic": _value,
    "cfactor-fully-factored-choice": _completely_factored,
    "cfactor-variable": _factored,
    "cfactor-missing-bracket": _missing_bracket,
    "cfactor-leaves-one": _factored,
    "cfactor-two-letters": _factored,
    "cfactor-bracket": _factored,
    "trinomial-number-pair": _pair,
    "trinomial-which-factor": _divides_stem,
    "trinomial-both-positive": _factored,
    "trinomial-both-negative": _factored,
    "trinomial-mixed-signs": _factored,
    "trinomial-rectangle-side": _other_side,
    "trinomial-common-factor-first": _factored,
    "trinomial-possible-middle": _can_be_factored,
    "trinomial-leading-coefficient": _factored,
    "dsquares-simple": _factored,
    "dsquares-which-factor": lambda d: _splits_into_two,
    "dsquares-with-coefficient": _factored,
    "dsquares-mental-arithmetic": _value,
    "dsquares-frame-area": _sheet,
    "dsquares-common-factor-first": _factored,
    "dsquares-consecutive": _consecutive,
    "dsquares-bracket": _factored,
    "dsquares-fourth-power": _factored_into_three,
}
