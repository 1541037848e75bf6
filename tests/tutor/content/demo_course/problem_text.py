"""Read the problem that a stem states: its formulas become functions or SymPy expressions.

The keys of part 3 start from the rendered stem, so that a slip in the text is noticed as well
as a slip in the template's answer.
"""

import cmath
import functools
import re
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

import sympy

from tests.tutor.content.demo_course.reading import maths

WHOLE = tuple(Fraction(n) for n in range(-120, 121))
FRACTIONS = tuple(sorted({Fraction(n, d) for d in range(1, 8) for n in range(-12 * d, 12 * d + 1)}))
X = sympy.Symbol("x")

_SPACES = (r"\left", r"\right", r"\quad", r"\,", r"\;", r"\dots")
# Capital letters are functions here: R is the square root, U one that the caller supplies.
_TOKENS = re.compile(r"\d+(?:\.\d+)?|[a-zA-Z]|\*\*|==|[-+*/()]")


def formulas(text: str) -> list[str]:
    """Return the formulas of a stem or choice, in order."""
    return [formula.strip() for formula in maths(text)]


def right_side(formula: str) -> str:
    """Return what stands behind the first equals sign."""
    return formula.split("=", 1)[1]


@functools.lru_cache(maxsize=20_000)
def python_text(latex: str) -> str:
    """Return school LaTeX as a Python expression, every number wrapped in F()."""
    text = latex
    for word in _SPACES:
        text = text.replace(word, " ")
    text = text.replace(r"\cdot", "*").replace(r"\times", "*").replace(r"\div", "/")
    text = re.sub(r"\\sqrt\{([^{}]*)\}", r"R(\1)", text)
    while r"\frac" in text:
        text, count = re.subn(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1)/(\2))", text)
        if not count:
            raise ValueError(latex)
    text = re.sub(r"\^\{([^{}]*)\}", r"**(\1)", text).replace("^", "**").replace("=", "==")
    if leftover := _TOKENS.sub("", text).strip():
        raise ValueError(f"{latex!r}: cannot read {leftover!r}")
    return _joined(_TOKENS.findall(text))


def _joined(tokens: list[str]) -> str:
    """Write out the products that school notation leaves unsaid."""
    written: list[str] = []
    for before, token in zip(["", *tokens], tokens, strict=False):
        ends = before == ")" or before.isdigit() or before.islower()
        if ends and (token == "(" or token[0].isalnum()):
            written.append("*")
        written.append(f"F('{token}')" if token[0].isdigit() else token)
    return "".join(written)


def function(latex: str, *letters: str, **helpers: Any) -> Callable[..., Any]:
    """Return a formula as an exact function; an equation becomes a test."""
    names = {"F": Fraction, **helpers}
    return eval(f"lambda {', '.join(letters or ('x',))}: {python_text(latex)}", names)


def expression(latex: str) -> sympy.Expr:
    """Return a formula as a SymPy expression; an equation becomes left minus right."""
    if "=" in latex:
        left, right = latex.split("=")
        return expression(left) - expression(right)
    letters = {letter: sympy.Symbol(letter) for letter in "abchkmnpqtvxy"}
    names = {"F": sympy.Rational, "R": sympy.sqrt, **letters}
    return sympy.sympify(eval(python_text(latex), names))


def solutions(equation: str, letter: str = "x", among: Iterable[Fraction] = WHOLE) -> set[Fraction]:
    """Return every candidate that makes the equation true."""
    holds = function(equation, letter)
    return {candidate for candidate in among if candidate and holds(candidate)} | (
        {Fraction(0)} if "/" not in python_text(equation) and holds(Fraction(0)) else set()
    )


def linear_system(display: str, first: str = "x", second: str = "y") -> tuple[Fraction, Fraction]:
    """Return the solution of two linear equations, by determinants of sampled values."""
    rows = [_plane(equation, first, second) for equation in display.split(r", \quad")]
    (a, b, c), (d, e, f) = rows
    return (c * e - b * f) / (a * e - b * d), (a * f - c * d) / (a * e - b * d)


def _plane(equation: str, *letters: str) -> tuple[Fraction, Fraction, Fraction]:
    """Return a, b, c of ax + by = c from the gap between the sides at three points."""
    left, right = (function(side, *letters) for side in equation.split("="))

    def gap(x: int, y: int) -> Fraction:
        return Fraction(left(Fraction(x), Fraction(y)) - right(Fraction(x), Fraction(y)))

    return gap(1, 0) - gap(0, 0), gap(0, 1) - gap(0, 0), -gap(0, 0)


def plus_minus(text: str) -> list[complex]:
    r"""Return the values that a choice such as `x = 3 \pm \sqrt{2}` stands for."""
    latex = right_side(formulas(text)[0])
    sides = {latex.replace(r"\pm", sign) for sign in "+-"}
    return [complex(function(side, R=cmath.sqrt)(None)) for side in sides]


def has_solutions(text: str, equation: str) -> bool:
    """Test whether a choice gives exactly the solutions of an equation in x."""
    left, right = (function(side) for side in equation.split("="))
    found = plus_minus(text)
    fits = all(cmath.isclose(left(x), right(x), abs_tol=1e-9) for x in found)
    return fits and len(found) == real_roots(equation)


def same_expression(text: str, latex: str) -> bool:
    """Test whether a choice equals a formula for every value of the letters."""
    return sympy.expand(expression(text.strip("$")) - expression(latex)) == 0


def vertex(latex: str, letter: str = "x") -> tuple[Fraction, Fraction]:
    """Return where the slope of a quadratic is zero, and the value there."""
    polynomial, symbol = expression(latex), sympy.Symbol(letter)
    [at] = sympy.solve(sympy.diff(polynomial, symbol), symbol)
    return Fraction(str(at)), Fraction(str(sympy.expand(polynomial.subs(symbol, at))))


def real_roots(equation: str, letter: str = "x") -> int:
    """Return how many different real solutions a polynomial equation has."""
    polynomial = sympy.Poly(expression(equation), sympy.Symbol(letter))
    return len(set(polynomial.real_roots()))
