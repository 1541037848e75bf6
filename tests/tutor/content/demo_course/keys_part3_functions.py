"""Keys for functions and systems: evaluated from the text, or found by trying all numbers."""

import itertools
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import sympy

from tests.tutor.content.demo_course.plain_mathematics import first, numbers_in
from tests.tutor.content.demo_course.problem_text import (
    X,
    expression,
    formulas,
    function,
    linear_system,
    right_side,
    solutions,
)

Parameters = Mapping[str, Any]
Test = Callable[[str], bool]


def _rule(stem: str, name: str) -> str:
    """Return the right side of `name(...) = ...`."""
    return next(right_side(f) for f in formulas(stem) if re.match(rf"{name}\([a-z]\) =", f))


def _at_the_number_asked_for(d: Parameters, stem: str) -> Fraction:
    return function(_rule(stem, "f"))(numbers_in(formulas(stem)[-1])[0])


def _taxi_statement(d: Parameters, stem: str) -> Test:
    cost = function(_rule(stem, "C"), "d")

    def is_true(text: str) -> bool:
        ride = re.fullmatch(r"A ride of (\d+) km costs (\d+) euros\.", text)
        return bool(ride) and cost(Fraction(ride[1])) == int(ride[2])

    return is_true


def _input_for_output(d: Parameters, stem: str) -> set[Fraction]:
    return solutions(f"{_rule(stem, 'g')} = {numbers_in(formulas(stem)[-1])[-1]}")


def _chain(d: Parameters, stem: str) -> int:
    values = {int(a): int(b) for a, b in re.findall(r"f\((\d)\) = (\d)", stem)}
    return values[values[2]]


def _litres_run_out(d: Parameters, stem: str) -> Fraction:
    volume = function(_rule(stem, "V"), "t")
    early, late = sorted(numbers_in(formulas(stem)[2]))
    return volume(early) - volume(late)


def _true_of_the_function(d: Parameters, stem: str) -> Test:
    rule = function(_rule(stem, "f"))
    return lambda text: function(text.strip("$").replace("f", "U"), U=rule)(None)


def _composition(d: Parameters, stem: str) -> Fraction:
    outer, inner = function(_rule(stem, "f")), function(_rule(stem, "g"))
    return outer(inner(numbers_in(formulas(stem)[-1])[0]))


def _shifted(d: Parameters, stem: str) -> sympy.Expr:
    return sympy.expand(expression(_rule(stem, "f")).subs(X, X + d["h"]))


def _system(d: Parameters, stem: str) -> tuple[Fraction, Fraction]:
    return linear_system(next(f for f in formulas(stem) if r"\quad" in f))


def _x(d: Parameters, stem: str) -> Fraction:
    return _system(d, stem)[0]


def _y(d: Parameters, stem: str) -> Fraction:
    return _system(d, stem)[1]


def _sum_of_unknowns(d: Parameters, stem: str) -> Fraction:
    return sum(_system(d, stem), Fraction(0))


def _true_after_substitution(d: Parameters, stem: str) -> Test:
    x = _x(d, stem)
    return lambda text: function(text.strip("$"))(x)


def _fits_both(d: Parameters, stem: str) -> Test:
    system = next(f for f in formulas(stem) if r"\quad" in f)
    tests = [function(equation, "x", "y") for equation in system.split(r", \quad")]
    return lambda text: all(test(*numbers_in(text)) for test in tests)


def _parallel_slope(d: Parameters, stem: str) -> Fraction:
    left = function(formulas(stem)[0].split("=")[0], "x", "y")
    # One step to the right must be made good by k steps up.
    return -(left(1, 0) - left(0, 0)) / (left(0, 1) - left(0, 0))


def _makes_x_terms_equal(d: Parameters, stem: str) -> Test:
    def works(text: str) -> bool:
        factors = re.fullmatch(r"Multiply the first .* by \$(\d+)\$ .* by \$(\d+)\$\.", text)
        return bool(factors) and int(factors[1]) * d["a"] == int(factors[2]) * d["d"]

    return works


def _part_that_was_not_scaled(d: Parameters, stem: str) -> Test:
    line, _, written = formulas(stem)[0], formulas(stem)[1], formulas(stem)[2]
    sides = [function(side, "x", "y") for side in (*line.split("="), *written.split("="))]
    ratios = [sides[n + 2](2, -5) / sides[n](2, -5) for n in (0, 1)]
    assert ratios == [d["k"], 1]
    return lambda text: text.startswith("The right side of equation (1) must be multiplied")


def _number_of_solutions(d: Parameters, stem: str) -> str:
    one, two = formulas(stem)[0].split(r", \quad")
    tests = [function(equation, "x", "y") for equation in (one, two)]
    grid = [(Fraction(x, d["a"]), Fraction(y)) for x in range(-12, 12) for y in range(-6, 6)]
    on_first = [point for point in grid if tests[0](*point)]
    assert len(on_first) > 1
    assert all(tests[1](*point) for point in on_first)
    return "infinitely many"


def _ticket_equations(d: Parameters, stem: str) -> Test:
    counts = [
        (c, d["t"] - c) for c in range(d["t"] + 1) if c * d["p"] + (d["t"] - c) * d["q"] == d["r"]
    ]
    return lambda text: all(function(f, "c", "a")(*counts[0]) for f in formulas(text))


def _halves(limit: int) -> list[Fraction]:
    return [Fraction(n, 2) for n in range(1, 2 * limit)]


def _coffee(d: Parameters) -> Fraction:
    return next(
        x
        for x, y in itertools.product(_halves(6), repeat=2)
        if d["a"] * x + d["b"] * y == d["c"] and d["d"] * x + d["f"] * y == d["e"]
    )


def _current(d: Parameters) -> int:
    return next(
        c
        for v, c in itertools.product(range(1, 60), repeat=2)
        if (v + c) * d["t"] == d["down"] and (v - c) * d["u"] == d["up"]
    )


def _two_digit_number(d: Parameters, stem: str) -> int:
    total, growth = numbers_in(stem)

    def fits(number: int) -> bool:
        tens, units = map(int, str(number))
        return tens + units == total and int(f"{units}{tens}") == number + growth

    return first(fits, range(10, 100))


def _width_of_field(d: Parameters) -> int:
    return first(lambda w: 2 * (d["k"] * w - d["m"]) + 2 * w == d["p"])


def _sum_and_difference(d: Parameters, stem: str) -> int:
    total, more = numbers_in(stem)
    return first(lambda lena: lena - (total - lena) == more)


KEYS: dict[str, Callable[..., Any]] = {
    "fn-evaluate-linear": _at_the_number_asked_for,
    "fn-taxi-meaning": _taxi_statement,
    "fn-solve-for-input": _input_for_output,
    "fn-evaluate-quadratic-negative": _at_the_number_asked_for,
    "fn-chain-from-values": _chain,
    "fn-tank-difference": _litres_run_out,
    "fn-true-statements": _true_of_the_function,
    "fn-composition": _composition,
    "fn-shifted-input": _shifted,
    "sub-equal-expressions": _x,
    "sub-first-step": _true_after_substitution,
    "sub-y-given": _x,
    "sub-which-pair": _fits_both,
    "sub-rearrange-first": _y,
    "sub-rectangle": _width_of_field,
    "sub-sum-of-unknowns": _sum_of_unknowns,
    "sub-no-solution-slope": _parallel_slope,
    "elim-add": _x,
    "elim-subtract": _x,
    "elim-which-multiplier": _makes_x_terms_equal,
    "elim-scale-one": _x,
    "elim-find-the-slip": _part_that_was_not_scaled,
    "elim-scale-both": _system,
    "elim-infinitely-many": _number_of_solutions,
    "elim-fraction-solution": _x,
    "elim-sum-without-solving": _sum_of_unknowns,
    "sysword-set-up": _ticket_equations,
    "sysword-heads-and-legs": lambda d: first(lambda g: 4 * g + 2 * (d["n"] - g) == d["l"]),
    "sysword-sum-difference": _sum_and_difference,
    "sysword-prices": _coffee,
    "sysword-coins": lambda d: first(lambda n: 50 * n + d["u"] * (d["m"] + d["n"] - n) == d["t"]),
    "sysword-phone-plans": lambda d: first(lambda x: d["p"] + d["r"] * x == d["q"] + d["s"] * x),
    "sysword-ages": lambda d: first(lambda s: d["k"] * s + d["d"] == d["j"] * (s + d["d"])),
    "sysword-boat": _current,
    "sysword-digits": _two_digit_number,
    "sysword-mixing": lambda d: first(
        lambda x: d["p"] * x + d["q"] * (d["n"] - x) == d["price"] * d["n"]
    ),
}
