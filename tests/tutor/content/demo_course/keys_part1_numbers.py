"""Independent keys of part 1: integers, order of operations, factors and multiples.

Calculations are read from the rendered stem; the others are found by counting or searching.
"""

import math
import statistics
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import sympy

from tests.tutor.content.demo_course.reading import choice_value, maths, numbers, value

Drawn = dict[str, Any]
SEARCH = range(-120, 121)


def stated(_: Drawn, stem: str) -> Fraction:
    """Return the value of the first formula in the stem."""
    return value(maths(stem)[0])


def same_as_stated(_: Drawn, stem: str) -> Callable[[str], bool]:
    """Choices with the value of the first formula in the stem."""
    return lambda text: choice_value(text) == stated(_, stem)


def temperature_by_steps(drawn: Drawn) -> int:
    """Move one degree at a time."""
    degrees = drawn["t"]
    for step in [1] * drawn["r"] + [-1] * drawn["f"]:
        degrees += step
    return int(degrees)


def box_value(_: Drawn, stem: str) -> int:
    """Return the integer that makes the equation with the box true."""
    left, right = maths(stem)[0].split("=")
    [found] = [n for n in SEARCH if value(left.replace(r"\square", f"({n})")) == value(right)]
    return found


def larger_of_pair(_: Drawn, stem: str) -> int:
    """Search all pairs of integers for the stated product and sum."""
    product, total = (value(formula) for formula in maths(stem))
    return max(n for n in SEARCH if n * (total - n) == product)


def average(_: Drawn, stem: str) -> Fraction:
    """Return the mean of the temperatures in the stem."""
    return Fraction(statistics.mean(value(formula) for formula in maths(stem)))


def change(drawn: Drawn) -> Callable[[str], bool]:
    """Pay item by item from a 20-euro note."""
    left = 20 - sum([drawn["p"]] * drawn["n"], drawn["q"])
    return lambda text: choice_value(text) == left


def two_numbers(stem: str) -> tuple[int, int]:
    """Return the first two numbers of the stem."""
    first, second = numbers(stem)[:2]
    return int(first), int(second)


def common_factor(_: Drawn, stem: str) -> int:
    """Try all numbers up to the smaller one."""
    a, b = two_numbers(stem)
    return max(n for n in range(1, min(a, b) + 1) if a % n == 0 == b % n)


def common_multiple(_: Drawn, stem: str) -> int:
    """Count upwards until both numbers divide."""
    a, b = two_numbers(stem)
    return next(n for n in range(1, a * b + 1) if n % a == 0 == n % b)


def is_multiple(_: Drawn, stem: str) -> Callable[[str], bool]:
    """Choices in the times table of the stated number."""
    table = {k * stated(_, stem) for k in range(1, 100)}
    return lambda text: choice_value(text) in table


def is_prime_factorisation(_: Drawn, stem: str) -> Callable[[str], bool]:
    """Products with the right value and only prime bases."""

    def fits(text: str) -> bool:
        bases = [factor.split("^")[0] for factor in text.strip("$").split(r"\cdot")]
        right_value = choice_value(text) == stated(_, stem)
        return right_value and all(sympy.isprime(int(base)) for base in bases)

    return fits


def count_of_factors(_: Drawn, stem: str) -> int:
    """Count the divisors one by one."""
    n = int(stated(_, stem))
    return sum(n % divisor == 0 for divisor in range(1, n + 1))


KEYS: dict[str, Callable[..., Any]] = {
    "int-add-mixed-signs": stated,
    "int-add-two-negatives": stated,
    "int-same-calculation": same_as_stated,
    "int-subtract-negative": stated,
    "int-temperature-day": temperature_by_steps,
    "int-height-difference": lambda d: len(range(-d["d"], d["h"])),
    "int-missing-addend": box_value,
    "int-negative-results": lambda d: lambda text: choice_value(text) < 0,
    "int-four-term-chain": stated,
    "int-product-one-negative": stated,
    "int-quotient-two-negatives": stated,
    "int-submarine": lambda d: sum([-d["d"]] * d["t"]),
    "int-three-factors": stated,
    "int-positive-products": lambda d: lambda text: choice_value(text) > 0,
    "int-missing-dividend": box_value,
    "int-average-temperature": average,
    "int-product-and-sum": larger_of_pair,
    "ops-product-before-sum": stated,
    "ops-quotient-before-difference": stated,
    "ops-sum-and-difference": stated,
    "ops-shopping-change": change,
    "ops-division-and-multiplication": stated,
    "ops-bracket-and-power": stated,
    "ops-place-brackets": same_as_stated,
    "ops-fraction-bar": stated,
    "ops-negative-square-chain": stated,
    "fam-which-multiple": is_multiple,
    "fam-primes": lambda d: lambda text: sympy.isprime(int(choice_value(text))),
    "fam-gcf": common_factor,
    "fam-lcm": common_multiple,
    "fam-prime-factorisation": is_prime_factorisation,
    "fam-count-factors": count_of_factors,
    "fam-buses": common_multiple,
    "fam-square-tiles": lambda d: math.gcd(d["a"], d["b"]),
}
FORM_MATTERS = {"fam-prime-factorisation"}
