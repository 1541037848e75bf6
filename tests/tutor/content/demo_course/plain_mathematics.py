"""Small tools for finding keys anew: read LaTeX as numbers, find roots, fit lines.

They never look at an item's own formulas, only at what the learner sees.
"""

import math
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import sympy

Number = Fraction | int
Story = Callable[[Fraction], Number]
_JUXTAPOSED = re.compile(r"(?<=[\dA-Za-z)])\s*(?=[A-Za-z(])|(?<=[A-Za-z)])\s*(?=\d)")
_POINTS = tuple(Fraction(*pair) for pair in ((-7, 2), (-1, 1), (0, 1), (2, 3), (3, 1), (11, 1)))


def python_source(latex: str) -> str:
    """Return school LaTeX such as `$3x^2 - \\frac{x}{2}$` as a Python expression."""
    text = latex.replace("$", "").replace(r"\left", "").replace(r"\right", "")
    while r"\frac" in text:
        text = re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1)/(\2))", text)
        text = re.sub(r"\\sqrt\{([^{}]*)\}", r"@(\1)", text)
    text = re.sub(r"\\sqrt\{([^{}]*)\}", r"@(\1)", text)
    text = text.replace(r"\times", "*").replace(r"\leq", "<=").replace(r"\geq", ">=")
    text = _JUXTAPOSED.sub("*", text.strip()).replace("^", "**")
    text = re.sub(r"(?<![<>=])=(?!=)", "==", text)
    text = re.sub(r"(?<![\w.])(\d+)", r"F(\1)", text)
    return text.replace("@", "root")


def value(latex: str, **letters: Number) -> Any:
    """Return what an expression is worth, or whether a statement is true, for these letters."""
    names = {"F": Fraction, "root": math.sqrt, **{k: Fraction(v) for k, v in letters.items()}}
    return eval(python_source(latex), {"__builtins__": {}}, names)


def is_always_true(latex: str, letter: str = "x") -> bool:
    """Test whether an equation in one letter holds at all of several points."""
    return all(value(latex, **{letter: point}) for point in _POINTS)


def equals(story: Story, letter: str = "x") -> Callable[[str], bool]:
    """Return a test for choices that agree with `story` at several points."""

    def agrees(latex: str) -> bool:
        return all(value(latex, **{letter: point}) == story(point) for point in _POINTS)

    return agrees


def root(left: Story, right: Story | Number = 0) -> Fraction:
    """Return the solution of a linear equation, from the values of both sides alone."""

    def gap(at: Number) -> Fraction:
        other = right(Fraction(at)) if callable(right) else right
        return Fraction(left(Fraction(at))) - Fraction(other)

    steepness = gap(1) - gap(0)
    found = -gap(0) / steepness
    assert gap(found) == 0, "the equation is not linear"
    return found


def line(story: Story, letter: str = "x") -> sympy.Expr:
    """Return the linear expression with the values of `story` at 0 and 1."""
    start, step = Fraction(story(Fraction(0))), Fraction(story(Fraction(1)))
    assert story(Fraction(5)) == start + 5 * (step - start), "the story is not linear"
    return sympy.Rational(step - start) * sympy.Symbol(letter) + sympy.Rational(start)


def line_through(first: tuple[Number, Number], second: tuple[Number, Number]) -> sympy.Expr:
    """Return the line through two points by solving for m and b."""
    m, b, x = sympy.symbols("m b x")
    equations = [sympy.Rational(px) * m + b - sympy.Rational(py) for px, py in (first, second)]
    solution = sympy.solve(equations, [m, b], dict=True)[0]
    return solution[m] * x + solution[b]


def first(holds: Callable[[int], bool], candidates: range = range(2000)) -> int:
    """Return the first candidate for which `holds` is true."""
    return next(candidate for candidate in candidates if holds(candidate))


def numbers_in(text: str) -> list[Fraction]:
    """Return the numbers written in a text, in order: "$(0, -3)$" gives 0 and -3."""
    return [Fraction(found) for found in re.findall(r"-?\d+", text)]
