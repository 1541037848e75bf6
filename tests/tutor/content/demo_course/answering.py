"""Write an independent key the way a learner would type it, and compare it with the template's."""

import functools
import random
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import sympy
from sympy.parsing import sympy_parser

from tutor.content.rendered import ExpressionAnswer, NumberAnswer, RenderedItem

_PARSING = (
    *sympy_parser.standard_transformations,
    sympy_parser.implicit_multiplication_application,
    sympy_parser.convert_xor,
)
_RELATIONS = ("<=", ">=", "<", ">", "=", "≤", "≥")


def as_values(expected: Any) -> tuple[Fraction, ...]:
    """Return one number or several as exact values."""
    if isinstance(expected, Iterable) and not isinstance(expected, str):
        return tuple(Fraction(part) for part in expected)
    return (Fraction(expected),)


def number_agrees(spec: NumberAnswer, expected: Any) -> bool:
    """Test whether the template's values are the expected ones."""
    wanted, got = as_values(expected), spec.values
    if not spec.ordered:
        wanted, got = tuple(sorted(set(wanted))), tuple(sorted(set(got)))
    return len(wanted) == len(got) and all(
        abs(left - right) <= spec.tolerance for left, right in zip(wanted, got, strict=True)
    )


def typed_numbers(spec: NumberAnswer, expected: Any) -> list[str]:
    """Return ways to type the expected values."""
    written = [_typed(part, spec) for part in as_values(expected)]
    if spec.is_set:
        if not written:
            return ["no solution"]
        if spec.ordered:
            return [f"({', '.join(written)})"]
        return ["; ".join(written), " or ".join(reversed(written))]
    with_unit = f"{written[0]} {spec.unit}" if spec.unit else written[0]
    if spec.form == "percent" and not spec.unit:
        return [f"{_decimal(as_values(expected)[0] * 100)}%"]
    return [with_unit] if spec.unit_required else [written[0], with_unit]


def _typed(number: Fraction, spec: NumberAnswer) -> str:
    if spec.form == "decimal" or spec.unit in ("€", "$", "%"):
        return _decimal(number)
    return str(number)


def _decimal(number: Fraction) -> str:
    return format(Decimal(number.numerator) / Decimal(number.denominator), "f")


def is_relation(text: str) -> bool:
    """Test whether a text is an equation or an inequality."""
    return any(sign in text for sign in _RELATIONS)


def typed_expression(expected: Any) -> str:
    """Return an expression as a learner would type it."""
    return str(expected).replace("**", "^")


def expression_agrees(spec: ExpressionAnswer, expected: Any) -> bool:
    """Test at random exact points whether two expressions are equal; relations pass."""
    if is_relation(str(expected)) or is_relation(spec.expression):
        return True
    left, right = _parsed(typed_expression(expected)), _parsed(spec.expression)
    rng = random.Random(5)
    for _ in range(3):
        point = {
            symbol: sympy.Rational(rng.randint(2, 99), rng.choice((7, 11, 13)))
            for symbol in sorted(left.free_symbols | right.free_symbols, key=str)
        }
        gap = left.subs(point) - right.subs(point)
        if gap != 0 and sympy.simplify(gap) != 0:
            return False
    return True


@functools.lru_cache(maxsize=5000)
def _parsed(text: str) -> sympy.Expr:
    letters = {letter: sympy.Symbol(letter) for letter in "abcdefghijklmnopqrstuvwxyzACEFGINS"}
    return sympy_parser.parse_expr(text, local_dict=letters, transformations=_PARSING)


def parameters_of(item: RenderedItem) -> dict[str, Any]:
    """Return the drawn parameters as numbers where they are numbers."""
    found: dict[str, Any] = {}
    for name, text in item.parameters.items():
        try:
            number = Fraction(text)
        except ValueError:
            found[name] = text
            continue
        found[name] = number.numerator if number.denominator == 1 else number
    return found
