"""Exact arithmetic with rational numbers and square roots.

A value maps square-free radicands to rational coefficients: 2 + 3·√5 is {1: 2, 5: 3} and 0
is {}. Square roots of different square-free numbers are linearly independent over the
rationals, so two values are equal exactly when their maps are.
"""

import functools
from collections.abc import Mapping
from fractions import Fraction

from django.utils.translation import gettext

from tutor.content.grading.errors import UnreadableAnswer

Surd = Mapping[int, Fraction]
MAX_BITS = 6000
MAX_RADICANDS = 16
MAX_UNDER_ROOT = 10**9


class Undefined(ArithmeticError):
    """No real value: division by zero or the root of a negative number."""


def rational(value: Fraction) -> Surd:
    """Return a rational number as a value."""
    return {1: value} if value else {}


def _checked(value: dict[int, Fraction]) -> Surd:
    if len(value) > MAX_RADICANDS:
        raise UnreadableAnswer(gettext("There are too many different roots in this answer."))
    for part in value.values():
        if max(part.numerator.bit_length(), part.denominator.bit_length()) > MAX_BITS:
            raise UnreadableAnswer(gettext("The numbers in this answer are too large to be meant."))
    return {radicand: part for radicand, part in value.items() if part}


def add(left: Surd, right: Surd) -> Surd:
    """Return left + right."""
    total = dict(left)
    for radicand, part in right.items():
        total[radicand] = total.get(radicand, Fraction(0)) + part
    return _checked(total)


def negate(value: Surd) -> Surd:
    """Return -value."""
    return {radicand: -part for radicand, part in value.items()}


def multiply(left: Surd, right: Surd) -> Surd:
    """Return left · right; √a·√b is taken apart into square part and rest."""
    total: dict[int, Fraction] = {}
    for a, p in left.items():
        for b, q in right.items():
            outside, inside = split_square(a * b) if a != 1 and b != 1 else (1, a * b)
            total[inside] = total.get(inside, Fraction(0)) + p * q * outside
    return _checked(total)


def power(base: Surd, exponent: int) -> Surd:
    """Return base to a whole exponent."""
    if exponent < 0:
        return power(inverse(base), -exponent)
    result: Surd = {1: Fraction(1)}
    for _ in range(exponent):
        result = multiply(result, base)
    return result


def inverse(value: Surd) -> Surd:
    """Return 1 / value, by multiplying with conjugates until the denominator is rational.

    Raises:
        Undefined: the value is 0.
    """
    if not value:
        raise Undefined
    top: Surd = {1: Fraction(1)}
    bottom = value
    while list(bottom) != [1]:
        prime = _some_prime(next(radicand for radicand in bottom if radicand != 1))
        conjugate = {r: -part if r % prime == 0 else part for r, part in bottom.items()}
        top, bottom = multiply(top, conjugate), multiply(bottom, conjugate)
    return multiply(top, {1: 1 / bottom[1]})


def root(value: Surd) -> Surd:
    """Return the square root of a rational value.

    Raises:
        Undefined: the value is negative.
        UnreadableAnswer: it contains a root itself, or is too large to take apart.
    """
    if not value:
        return {}
    if list(value) != [1]:
        raise UnreadableAnswer(gettext("A root inside a root cannot be checked here."))
    number = value[1]
    if number < 0:
        raise Undefined
    whole = number.numerator * number.denominator
    if whole > MAX_UNDER_ROOT:
        raise UnreadableAnswer(gettext("The number under a root is too large to be meant."))
    outside, inside = split_square(whole)
    return {inside: Fraction(outside, number.denominator)}


@functools.lru_cache(maxsize=4096)
def split_square(number: int) -> tuple[int, int]:
    """Return (a, b) with number = a²·b and b square-free; number is positive."""
    outside, rest, inside, candidate = 1, number, 1, 2
    while candidate * candidate <= rest:
        count = 0
        while rest % candidate == 0:
            rest, count = rest // candidate, count + 1
        outside *= candidate ** (count // 2)
        inside *= candidate ** (count % 2)
        candidate += 1 if candidate == 2 else 2
    return outside, inside * rest


@functools.lru_cache(maxsize=4096)
def _some_prime(number: int) -> int:
    candidate = 2
    while candidate * candidate <= number:
        if number % candidate == 0:
            return candidate
        candidate += 1
    return number
