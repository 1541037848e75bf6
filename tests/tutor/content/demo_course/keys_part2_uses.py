"""Keys for formulas, word problems and inequalities: solved, searched for or tested."""

import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import sympy

from tests.tutor.content.demo_course.plain_mathematics import first, root, value

Parameters = Mapping[str, Any]
Key = Callable[[Parameters], Any]


def _solved(relation: str, letter: str) -> sympy.Expr:
    """Solve "left = right" for a letter."""
    left, right = (sympy.sympify(side, locals=_LETTERS) for side in relation.split("="))
    [solution] = sympy.solve(sympy.Eq(left, right), _LETTERS[letter])
    return solution


_LETTERS = {name: sympy.Symbol(name) for name in "xyabhpqACFP"}


def _product_formula(d: Parameters) -> Callable[[str], bool]:
    """Take numbers for the two factors; their product is the whole."""
    cases = [
        {d["first"]: u, d["wanted"]: v, d["whole"]: u * v} for u, v in ((2, 5), (3, 7), (9, 4))
    ]
    return lambda text: all(value(text, **case) for case in cases)


def _square_formula(d: Parameters) -> Callable[[str], bool]:
    return lambda text: all(value(text, r=r, A=d["k"] * r * r) for r in (1, 2, 3, 10))


def _water_equation(d: Parameters) -> Callable[[str], bool]:
    """Empty the barrel day by day; the equation must be true on the right day only."""
    left = [d["start"] - sum([d["w"]] * day) for day in range(20)]

    def fits(text: str) -> bool:
        return all(value(text, d=day) == (left[day] == d["goal"]) for day in range(20))

    return fits


def _same_solutions(
    left: Callable[[Fraction], Fraction], holds: Callable[[Any, Any], bool], right: int
) -> Callable[[str], bool]:
    """Compare a solution with the inequality at the boundary, close to it and far away."""
    boundary = root(left, right)
    steps = (Fraction(step, 20) for step in (-600, -20, -1, 0, 1, 20, 600))
    points = [boundary + step for step in steps] + [-boundary]
    return lambda text: all(value(text, x=at) == holds(left(at), right) for at in points)


def _typed_inequality(d: Parameters) -> str:
    boundary = root(lambda t: -d["a"] * t + d["b"], d["c"])
    is_above = -d["a"] * (boundary + 1) + d["b"] < d["c"]
    return f"x {'>' if is_above else '<'} {boundary}"


def _number_line(d: Parameters) -> str:
    """Describe the picture from what holds at the boundary and beside it."""
    at, beside = (value(rf"x \geq {d['k']}", x=point) for point in (d["k"], d["k"] + 1))
    circle, side = "a filled" if at else "an open", "right" if beside else "left"
    return f"{circle} circle at ${d['k']}$ and an arrow to the {side}"


REARRANGING: dict[str, Key] = {
    "rearrange-one-step": lambda d: _solved(f"y = x - {d['b']}", "x"),
    "rearrange-linear": lambda d: _solved(f"y = {d['a']}*x - {d['b']}", "x"),
    "rearrange-product-formula": _product_formula,
    "rearrange-perimeter": lambda d: _solved("P = a + b + a + b", "b"),
    "rearrange-triangle-height": lambda d: _solved("A = b*h/2", "h"),
    "rearrange-fahrenheit": lambda d: _solved("F = 9*C/5 + 32", "C"),
    "rearrange-two-letters": lambda d: _solved(f"{d['a']}*x + {d['b']}*y = {d['c']}", "y"),
    "rearrange-square": _square_formula,
    "rearrange-subject-twice": lambda d: _solved(f"p = {d['a']}*x + q*x", "x"),
}

STORIES: dict[str, Key] = {
    "word-think-of-a-number": lambda d: first(lambda t: t * d["a"] + d["b"] == d["c"]),
    "word-consecutive-numbers": lambda d: first(lambda t: sum(range(t, t + 3)) == d["s"]),
    "word-share-with-difference": lambda d: first(lambda t: (d["total"] - t) - t == d["d"]),
    "word-times-as-many": lambda d: first(lambda t: t > 0 and (d["total"] - t) == d["k"] * t),
    "word-which-equation": _water_equation,
    "word-rectangle-sides": lambda d: first(lambda w: sum([w, w + d["d"]] * 2) == d["p"]),
    "word-adult-and-child-tickets": lambda d: first(
        lambda t: d["p"] * t + d["q"] * (d["n"] - t) == d["total"]
    ),
    "word-ages": lambda d: first(lambda t: t + d["t"] + d["d"] == d["k"] * (t + d["t"])),
    "word-cyclists-meet": lambda d: first(
        # Ride hour by hour until nothing is left between them.
        lambda hours: d["dist"] - sum([d["u"], d["v"]] * hours) == 0
    ),
}

INEQUALITIES: dict[str, Key] = {
    "inequality-one-step": lambda d: _same_solutions(lambda t: t + d["b"], operator.lt, d["c"]),
    "inequality-two-step": lambda d: _same_solutions(
        lambda t: d["a"] * t - d["b"], operator.ge, d["c"]
    ),
    "inequality-negative-coefficient": lambda d: _same_solutions(
        lambda t: d["b"] - d["a"] * t, operator.gt, d["c"]
    ),
    "inequality-write-solution": _typed_inequality,
    "inequality-largest-integer": lambda d: first(
        lambda t: d["a"] * t + d["b"] < d["c"], range(500, -500, -1)
    ),
    "inequality-budget": lambda d: first(
        lambda guests: d["rent"] + sum([d["p"]] * guests) <= d["budget"], range(200, -1, -1)
    ),
    "inequality-which-numbers": lambda d: lambda text: d["b"] - d["a"] * value(text) <= d["c"],
    "inequality-number-line": _number_line,
    "inequality-both-sides": lambda d: first(
        lambda t: d["a"] * t + d["b"] < d["d"] * t + d["e"], range(-500, 500)
    ),
}

KEYS = REARRANGING | STORIES | INEQUALITIES
