"""Keys for surds and for solving quadratic equations: candidates tried in the stated problem."""

import math
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import sympy

from tests.tutor.content.demo_course.plain_mathematics import first, numbers_in
from tests.tutor.content.demo_course.problem_text import (
    FRACTIONS,
    WHOLE,
    expression,
    formulas,
    function,
    has_solutions,
    real_roots,
    right_side,
    same_expression,
    solutions,
)

Parameters = Mapping[str, Any]
Test = Callable[[str], bool]

# A wrong choice may have the right value, but a square is left under the root.
FORM_MATTERS = {"surd-simplest-form-choice"}


def _size(latex: str) -> float:
    return float(function(latex, R=math.sqrt)(None))


def _whole_multiple(latex: str, root_of: int) -> int:
    """Return the whole number a with a * sqrt(root_of) equal to the formula."""
    return first(lambda a: math.isclose(a * math.sqrt(root_of), _size(latex)))


def _number_before_root(d: Parameters, stem: str) -> int:
    return _whole_multiple(formulas(stem)[0], d["n"])


def _diagonal(d: Parameters, stem: str) -> int:
    return _whole_multiple(formulas(stem)[0], d["n"])


def _nearest_whole(d: Parameters, stem: str) -> int:
    size = _size(formulas(stem)[0])
    assert math.isclose(size, round(size), abs_tol=1e-9)
    return round(size)


def _has_square_factor(number: int) -> bool:
    return any(number % (k * k) == 0 for k in range(2, number))


def _same_surd(d: Parameters, stem: str) -> Test:
    def fits(text: str) -> bool:
        latex = text.strip("$")
        roots = [int(n) for n in re.findall(r"\\sqrt\{(\d+)\}", latex)]
        simplest = not any(_has_square_factor(n) for n in roots)
        return simplest and math.isclose(_size(latex), _size(formulas(stem)[0]))

    return fits


def _is_simplest_root(text: str) -> bool:
    return not _has_square_factor(int(numbers_in(text)[0]))


def _two_parts(d: Parameters, stem: str) -> tuple[int, int]:
    total = _size(formulas(stem)[0].split("=")[0])
    rest = {q: total - q * math.sqrt(d["n"]) for q in range(1, 40)}
    [q] = [q for q, p in rest.items() if math.isclose(p, round(p), abs_tol=1e-9) and p > 0]
    return round(rest[q]), q


def _equation(stem: str) -> str:
    return next(f for f in formulas(stem) if "=" in f and "x" in f)


def _all_whole(d: Parameters, stem: str) -> set[Fraction]:
    found = solutions(_equation(stem), among=WHOLE)
    assert len(found) == real_roots(_equation(stem))
    return found


def _all_fractions(d: Parameters, stem: str) -> set[Fraction]:
    found = solutions(_equation(stem), among=FRACTIONS)
    assert len(found) == real_roots(_equation(stem))
    return found


def _positive(d: Parameters, stem: str) -> Fraction:
    return max(_all_whole(d, stem))


def _fractional_equation(d: Parameters, stem: str) -> set[Fraction]:
    return solutions(_equation(stem))


def _true_for_both(d: Parameters, stem: str) -> Test:
    wanted = [numbers_in(f)[0] for f in formulas(stem)]
    return lambda text: all(function(text.strip("$"))(x) for x in wanted)


def _verdict_on_tom(d: Parameters, stem: str) -> Test:
    equation, *_, one, two = formulas(stem)
    found = [numbers_in(right_side(claim))[0] for claim in (one, two)]
    assert not any(function(equation)(x) for x in found)
    return lambda text: text.startswith("The step is not allowed")


def _has_two_solutions(text: str) -> bool:
    return real_roots(text.strip("$")) == 2


def _falling_time(d: Parameters) -> int:
    return first(lambda t: 5 * t * t == d["h"])


def _old_side(d: Parameters, stem: str) -> int:
    added, area = numbers_in(stem)
    return first(lambda side: (side + added) ** 2 == area)


def _gives_solutions(d: Parameters, stem: str) -> Test:
    return lambda text: not text.endswith("only") and has_solutions(text, _equation(stem))


def _completes(d: Parameters, stem: str) -> Fraction:
    start = function(formulas(stem)[0])
    # A quadratic with a double root touches zero: its lowest value must be made up for.
    return -min(start(Fraction(n, 2)) for n in range(-40, 41))


def _corner(d: Parameters) -> int:
    # The corner is what the large square has more than the carpet with its two strips.
    return (20 + d["p"]) ** 2 - (20 * 20 + 2 * 20 * d["p"])


def _same_as_stem(d: Parameters, stem: str) -> Test:
    return lambda text: same_expression(text, formulas(stem)[0])


def _shift_and_rest(d: Parameters, stem: str) -> tuple[int, Fraction]:
    given = function(formulas(stem)[0])
    for p in range(-30, 31):
        rest = {given(Fraction(x)) - (x + p) ** 2 for x in (0, 1, 5)}
        if len(rest) == 1:
            return p, rest.pop()
    raise AssertionError(stem)


def _must_be_added_on_the_right(d: Parameters, stem: str) -> Test:
    before, after = (formula.split("=")[0] for formula in formulas(stem)[:2])
    added = sympy.expand(expression(after) - expression(before))
    return lambda text: text == f"She must also add ${added}$ to the right side."


def _smallest(d: Parameters, stem: str) -> Fraction:
    given = function(formulas(stem)[0])
    return min(given(Fraction(n, 4)) for n in range(-80, 81))


def _value_where_bracket_is_zero(d: Parameters, stem: str) -> Fraction:
    return function(formulas(stem)[0])(Fraction(-d["p"]))


KEYS: dict[str, Callable[..., Any]] = {
    "surd-outside-number": _number_before_root,
    "surd-product-whole": _nearest_whole,
    "surd-simplest-form-choice": _same_surd,
    "surd-root-of-sum": _nearest_whole,
    "surd-like-surds": _same_surd,
    "surd-already-simplest": lambda d: _is_simplest_root,
    "surd-sum-to-simplify": _number_before_root,
    "surd-diagonal-path": _diagonal,
    "surd-rationalise": _number_before_root,
    "surd-conjugate-product": _nearest_whole,
    "surd-square-of-sum": _two_parts,
    "qfactor-product-zero": _all_whole,
    "qfactor-both-positive": _all_whole,
    "qfactor-larger-solution": _positive,
    "qfactor-common-variable": _all_whole,
    "qfactor-equation-from-solutions": _true_for_both,
    "qfactor-not-zero-on-right": _all_whole,
    "qfactor-find-the-slip": _verdict_on_tom,
    "qfactor-leading-coefficient": _all_fractions,
    "qfactor-brackets-first": _all_whole,
    "qroots-plain": _all_whole,
    "qroots-how-many": lambda d: _has_two_solutions,
    "qroots-isolate-first": _all_whole,
    "qroots-falling-stone": _falling_time,
    "qroots-shifted-square": _all_whole,
    "qroots-fraction": _all_fractions,
    "qroots-larger-garden": _old_side,
    "qroots-exact-form": _gives_solutions,
    "qroots-factor-in-front": _all_whole,
    "csquare-number-to-add": _completes,
    "csquare-carpet-picture": _corner,
    "csquare-form-choice": _same_as_stem,
    "csquare-odd-coefficient": _completes,
    "csquare-find-p-and-q": _shift_and_rest,
    "csquare-find-the-slip": _must_be_added_on_the_right,
    "csquare-solve": _all_whole,
    "csquare-smallest-value": _smallest,
    "csquare-exact-solutions": _gives_solutions,
    "csquare-leading-coefficient": _value_where_bracket_is_zero,
    "qformula-whole-solutions": _all_whole,
    "qformula-fraction-solution": _all_fractions,
    "qformula-surd-solutions": _gives_solutions,
    "qformula-fractional-equation": _fractional_equation,
}
