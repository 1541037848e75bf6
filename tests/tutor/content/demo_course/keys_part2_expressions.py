"""Keys for expressions, found by following the words or the unsimplified stem."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import sympy

from tests.tutor.content.demo_course.plain_mathematics import equals, is_always_true, line, value

Parameters = Mapping[str, Any]
x, n, p, q, w = sympy.symbols("x n p q w")


def _repeated(count: int, amount: Fraction) -> Fraction:
    """Multiply by adding `amount` again and again."""
    return sum((amount for _ in range(int(count))), Fraction(0))


def _substituted(expression: str, **letters: Any) -> sympy.Expr:
    return sympy.sympify(expression).subs({k: sympy.Rational(v) for k, v in letters.items()})


def _fahrenheit(d: Parameters) -> Fraction:
    """Go along the straight line from freezing (0, 32) to boiling (100, 212)."""
    return Fraction(32) + Fraction(212 - 32, 100) * d["t"]


def _same_letters(d: Parameters) -> Callable[[str], bool]:
    """A like term of xy takes the factors that x and y are stretched by, in product only."""

    def is_like(latex: str) -> bool:
        at_one = value(latex, x=1, y=1)
        return all(value(latex, x=u, y=v) == at_one * u * v for u, v in ((2, 5), (3, 7), (-1, 4)))

    return is_like


def _coefficient_sum(d: Parameters) -> Fraction:
    """Put a number into the stem that both denominators divide."""
    at = d["d"] * d["e"]
    return Fraction(at // d["d"] + d["m"] * (at // d["e"]), at)


def _missing_factor(d: Parameters) -> Fraction:
    """Put x = b + 1 into both sides, so that the bracket is worth 1."""
    at = d["b"] + 1
    return d["a"] * at - d["a"] * d["b"]


EVALUATING: dict[str, Callable[[Parameters], Any]] = {
    "evaluate-linear-positive": lambda d: _repeated(d["a"], d["x"]) + d["b"],
    "evaluate-taxi-fare": lambda d: d["start"] + _repeated(d["d"], d["rate"]),
    "evaluate-two-letters-negative": lambda d: _substituted(
        f"{d['a']}*p - {d['b']}*q", p=d["p"], q=d["q"]
    ),
    "evaluate-square-of-negative": lambda d: d["x"] * (d["x"] + d["b"]),
    "evaluate-coefficient-and-square": lambda d: _repeated(d["a"] * d["x"], d["x"]) - d["c"],
    "evaluate-fraction-bar": lambda d: Fraction(d["x"] + d["a"]) / d["d"],
    "evaluate-fahrenheit": _fahrenheit,
    "evaluate-which-are-positive": lambda d: lambda text: value(text, x=-d["n"]) > 0,
    "evaluate-bracket-squared": lambda d: _substituted(
        f"{d['c']} - {d['a']}*(x - {d['b']})**2", x=d["x"]
    ),
}

WORDS: dict[str, Callable[[Parameters], Any]] = {
    "words-more-than-product": lambda d: line(lambda t: _repeated(d["a"], t) + d["b"], "n"),
    "words-less-than-product": lambda d: line(lambda t: _repeated(d["a"], t) - d["b"], "n"),
    "words-times-the-sum": lambda d: line(lambda t: _repeated(d["a"], t + d["b"]), "n"),
    "words-difference-divided": lambda d: (
        lambda text: all(
            # Undo the two steps: the number must come back.
            value(text, n=number) * d["a"] + d["b"] == number
            for number in (50, 61, -8)
        )
    ),
    "words-change-from-note": lambda d: equals(
        lambda price: d["note"] - _repeated(d["k"], price), "p"
    ),
    "words-equal-phrases": lambda d: {
        f"{d['b']} less than $n$",
        f"$n$ decreased by {d['b']}",
        f"the number you must add to {d['b']} to get $n$",
    },
    "words-students-and-teachers": lambda d: (
        lambda text: all(
            value(text, t=teachers, s=_repeated(d["k"], Fraction(teachers)))
            for teachers in (1, 2, 30)
        )
    ),
    "words-rectangle-perimeter": lambda d: line(
        lambda width: sum([width, _repeated(d["k"], width) + d["b"]] * 2), "w"
    ),
}

COLLECTING: dict[str, Callable[[Parameters], Any]] = {
    "collect-one-letter": lambda d: d["a"] * x + d["c"] * x,
    "collect-with-lone-letter": lambda d: line(lambda t: d["a"] * t + d["b"] - t + d["d"]),
    "collect-two-letters-signs": lambda d: d["a"] * p - d["b"] * q - d["c"] * p + d["d"] * q,
    "collect-squares-and-letters": lambda d: (
        d["a"] * x**2 + d["b"] * x + d["c"] * x**2 - d["d"] * x
    ),
    "like-terms-find-all": _same_letters,
    "like-terms-spot-correct-line": lambda d: is_always_true,
    "like-terms-quadrilateral": lambda d: line(
        lambda t: sum([d["a"] * t, d["b"] + t, d["c"] * t - d["d"], Fraction(d["e"])])
    ),
    "like-terms-fraction-coefficient": _coefficient_sum,
    "like-terms-hidden-zero": lambda d: (
        d["a"] * d["x"] + d["n"] * 10 - (d["a"] - 1) * d["x"] - d["b"] - d["x"]
    ),
}

MULTIPLYING_OUT: dict[str, Callable[[Parameters], Any]] = {
    "distribute-positive": lambda d: line(lambda t: d["a"] * (t + d["b"])),
    "distribute-negative-factor": lambda d: line(lambda t: -d["a"] * (d["b"] * t - d["c"])),
    "distribute-mental-arithmetic": lambda d: (
        d["n"] * 100 - _repeated(d["n"], Fraction(100 - d["r"]))
    ),
    "distribute-equivalent-choice": lambda d: equals(lambda t: d["a"] * (t - d["b"]), "y"),
    "distribute-all-equal": lambda d: equals(
        lambda t: 2 * d["p"] * d["q"] * t + d["p"] * d["q"] * d["b"]
    ),
    "distribute-two-brackets": lambda d: line(
        lambda t: d["a"] * (d["b"] * t + d["c"]) - d["d"] * (t - d["e"])
    ),
    "distribute-minus-bracket": lambda d: line(lambda t: d["a"] - (t - d["b"])),
    "distribute-letter-factor": lambda d: sympy.expand(d["a"] * x * (d["b"] * x - d["c"])),
    "distribute-missing-factor": _missing_factor,
}

KEYS = EVALUATING | WORDS | COLLECTING | MULTIPLYING_OUT
