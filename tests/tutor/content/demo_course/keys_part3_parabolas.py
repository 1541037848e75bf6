"""Keys for the formula, the discriminant, parabolas and stories with quadratics."""

import math
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from itertools import combinations
from typing import Any

import sympy

from tests.tutor.content.demo_course.plain_mathematics import first, numbers_in
from tests.tutor.content.demo_course.problem_text import (
    X,
    expression,
    formulas,
    function,
    has_solutions,
    real_roots,
    right_side,
    vertex,
)

Parameters = Mapping[str, Any]
Test = Callable[[str], bool]


def _equation(stem: str) -> str:
    return next(f for f in formulas(stem) if f.endswith("= 0") and "ax" not in f)


def _coefficients(d: Parameters, stem: str) -> list[int]:
    moved = sympy.Poly(expression(formulas(stem)[0]), X).all_coeffs()
    return [int(c) for c in moved[1:]]


def _discriminant(d: Parameters, stem: str) -> int:
    return int(sympy.discriminant(expression(_equation(stem)), X))


def _is_right_start(d: Parameters, stem: str) -> Test:
    return lambda text: has_solutions(text, _equation(stem))


def _pauls_slip(d: Parameters, stem: str) -> Test:
    holds = function(_equation(stem))
    own = [Fraction(-d["b"]) + sign * Fraction(d["r"], 2 * d["a"]) for sign in (1, -1)]
    whole = [Fraction(-d["b"] + sign * d["r"], 2 * d["a"]) for sign in (1, -1)]
    assert all(map(holds, whole))
    assert not all(map(holds, own))
    return lambda text: text == f"${-d['b']}$ must be divided by ${2 * d['a']}$ too."


def _bisected(rule: Callable[[float], float]) -> Fraction:
    """Return the positive zero, to two decimal places, of a rule that changes sign once."""
    low, high = 0.0, 100.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (low, middle) if rule(low) * rule(middle) <= 0 else (middle, high)
    return Fraction(format(low, ".2f"))


def _positive_solution(d: Parameters, stem: str) -> Fraction:
    return _bisected(lambda x: d["a"] * x * x + d["b"] * x + d["c"])


def _landing(d: Parameters) -> Fraction:
    return _bisected(lambda t: -5 * t * t + d["v"] * t + d["h"])


def _meaning_of_negative(d: Parameters, stem: str) -> str:
    # x^2 + d/4 = 0 is an equation with this discriminant.
    example = sympy.Poly(4 * X**2 + d["d"], X)
    assert len(example.real_roots()) == 0
    return "It has no real solution."


def _count_solutions(d: Parameters, stem: str) -> int:
    return real_roots(_equation(stem))


def _meeting_the_axis(d: Parameters, stem: str) -> str:
    parabola = right_side(next(f for f in formulas(stem) if f.startswith("y =")))
    assert real_roots(f"{parabola} = 0") == 0
    return "It does not meet the $x$-axis."


def _one_solution(equation: str, candidates: Iterable[int]) -> list[int]:
    """Return the values of k for which an equation in x has one double solution."""
    discriminant = sympy.discriminant(expression(equation), X)
    at = sympy.lambdify(sympy.Symbol("k"), discriminant)
    return [k for k in candidates if at(k) == 0]


def _constants_for_one(d: Parameters, stem: str) -> list[int]:
    return _one_solution(next(f for f in formulas(stem) if "=" in f), range(-200, 201))


def _no_real_solution(text: str) -> bool:
    return real_roots(text.strip("$")) == 0


def _times_at_height(d: Parameters, stem: str) -> int:
    height = next(f for f in formulas(stem) if "5t^2" in f)
    return real_roots(f"{height} = {numbers_in(stem)[-1]}", "t")


def _last_solvable(d: Parameters, stem: str) -> int:
    # There is a solution as long as the lowest point is not above the axis.
    left = function(formulas(stem)[0].split("=")[0], "x", "k")
    lowest = min(left(Fraction(n, 2), 0) for n in range(-40, 41))
    return max(k for k in range(200) if lowest + k <= 0)


def _is_perfect_square(text: str) -> bool:
    number = int(numbers_in(text)[0])
    return number >= 0 and math.isqrt(number) ** 2 == number


def _touching_line(d: Parameters, stem: str) -> int:
    line, parabola = (right_side(f) for f in formulas(stem)[:2])
    [k] = _one_solution(f"{parabola} = {line}", range(-100, 101))
    return k


def _vertex(d: Parameters, stem: str) -> tuple[Fraction, Fraction]:
    return vertex(right_side(next(f for f in formulas(stem) if f.startswith("y ="))))


def _vertex_statement(d: Parameters, stem: str) -> Test:
    parabola = right_side(formulas(stem)[0])
    opens_up = sympy.diff(expression(parabola), X, 2) > 0
    word = "lowest" if opens_up else "highest"
    return lambda text: word in text and tuple(numbers_in(text)) == vertex(parabola)


def _moved(d: Parameters, stem: str) -> Test:
    right, down = (numbers_in(f)[0] for f in formulas(stem)[1:])

    def fits(text: str) -> bool:
        curve = function(right_side(text.strip("$")))
        return all(curve(x + right) == x * x - down for x in range(-3, 4))

    return fits


def _through_three_points(d: Parameters, stem: str) -> sympy.Expr:
    p, q = (int(n) for n in numbers_in(formulas(stem)[1]))
    points = [(p - 1, q + 1), (p, q), (p + 1, q + 1)]
    return sympy.expand(sympy.interpolate(points, X))


def _opening(d: Parameters, stem: str) -> Fraction:
    (p, q), (r, s) = (numbers_in(f) for f in formulas(stem)[1:3])
    return next(a for n in range(-20, 20) if (a := Fraction(n, 2)) * (r - p) ** 2 + q == s)


def _highest_takings(d: Parameters, stem: str) -> Fraction:
    price, sold, fewer = numbers_in(stem)
    prices = [price + Fraction(n, 2) for n in range(-10, 40)]
    return max(prices, key=lambda new: new * (sold - fewer * (new - price)))


def _true_for_the_room(d: Parameters, stem: str) -> Test:
    longer, area = numbers_in(stem)
    width = first(lambda x: x * (x + longer) == area)
    return lambda text: function(text.strip("$"))(Fraction(width))


def _numbers_in_story(d: Parameters, stem: str) -> set[int]:
    times, total = numbers_in(stem)
    return {n for n in range(-200, 200) if times * n + n * n == total}


def _players(d: Parameters) -> int:
    return first(lambda n: len(list(combinations(range(n), 2))) == d["g"], range(2, 60))


def _foot_of_ladder(d: Parameters, stem: str) -> int:
    length, more = numbers_in(stem)
    return first(lambda x: math.hypot(x, x + more) == length, range(1, 30))


def _frame(d: Parameters, stem: str) -> int:
    a, b, total = numbers_in(stem)
    return first(lambda w: (a + w + w) * (b + w + w) == total, range(1, 30))


def _prices(d: Parameters, stem: str) -> set[int]:
    sold = function(formulas(stem)[0])
    takings = numbers_in(stem)[-1]
    return {price for price in range(60) if price * sold(price) == takings}


def _speed(d: Parameters, stem: str) -> int:
    way, faster = numbers_in(stem)
    return first(lambda v: way / v - way / (v + faster) == 1, range(1, 100))


KEYS: dict[str, Callable[..., Any]] = {
    "qformula-coefficients": _coefficients,
    "qformula-under-the-root": _discriminant,
    "qformula-substitution-choice": _is_right_start,
    "qformula-find-the-slip": _pauls_slip,
    "qformula-decimal-solution": _positive_solution,
    "qformula-thrown-ball": _landing,
    "disc-compute": _discriminant,
    "disc-name": lambda d: "discriminant",
    "disc-meaning-negative": _meaning_of_negative,
    "disc-count-solutions": _count_solutions,
    "disc-parabola-and-axis": _meeting_the_axis,
    "disc-equal-solutions-constant": _constants_for_one,
    "disc-no-real-solution": lambda d: _no_real_solution,
    "disc-ball-height-count": _times_at_height,
    "disc-equal-solutions-middle": _constants_for_one,
    "disc-boundary": _last_solvable,
    "disc-rational-solutions": lambda d: _is_perfect_square,
    "disc-tangent-line": _touching_line,
    "vertex-read-off": _vertex,
    "vertex-highest-or-lowest": _vertex_statement,
    "vertex-between-zeros": lambda d, stem: _vertex(d, stem)[0],
    "vertex-x-coordinate": lambda d, stem: _vertex(d, stem)[0],
    "vertex-shifted-parabola": _moved,
    "vertex-from-general-form": _vertex,
    "vertex-ball-maximum": lambda d, stem: vertex(right_side(formulas(stem)[1]), "t")[1],
    "vertex-write-equation": _through_three_points,
    "vertex-leading-coefficient": _vertex,
    "vertex-find-opening-factor": _opening,
    "vertex-best-price": _highest_takings,
    "qword-set-up": _true_for_the_room,
    "qword-consecutive-numbers": lambda d: first(lambda n: n * (n + 1) == d["m"]),
    "qword-rectangle": lambda d: first(lambda x: x * (x + d["k"]) == d["a"]),
    "qword-ball-lands": lambda d: first(lambda t: d["v"] * t - 5 * t * t == 0, range(1, 50)),
    "qword-number-and-square": _numbers_in_story,
    "qword-tournament": _players,
    "qword-ladder": _foot_of_ladder,
    "qword-picture-frame": _frame,
    "qword-two-prices": _prices,
    "qword-cyclist": _speed,
}
