"""Independent keys of part 1: powers, exponents, roots and scientific notation."""

import math
import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.tutor.content.demo_course.keys_part1_numbers import Drawn, same_as_stated, stated
from tests.tutor.content.demo_course.reading import choice_value, maths, numbers, value


def is_that_product(_: Drawn, stem: str) -> Callable[[str], bool]:
    """Powers equal to the stated product, read as base and number of factors."""
    factors = [factor.strip() for factor in maths(stem)[0].split(r"\cdot")]

    def fits(text: str) -> bool:
        found = re.fullmatch(r"\$(\d+)\^\{(\d+)\}\$", text)
        return found is not None and [found[1]] * int(found[2]) == factors

    return fits


def grown_colony(_: Drawn, stem: str) -> int:
    """Multiply hour by hour."""
    bacteria, factor, hours = (int(number) for number in numbers(stem))
    for _hour in range(hours):
        bacteria *= factor
    return bacteria


def exponent_reached(_: Drawn, stem: str) -> int:
    """Divide until 1 is left."""
    base, rest = (int(number) for number in numbers(stem.split("is", 1)[1]))
    count = 0
    while rest > 1:
        rest, remainder = divmod(rest, base)
        assert remainder == 0
        count += 1
    return count


def single_power(_: Drawn, stem: str) -> str:
    """Search the exponent for which the power of the letter equals the stated formula."""
    formula = maths(stem)[-1] if "Write as" in stem else maths(stem)[0]
    letter = re.search(r"(?<![a-z\\])[axy](?=\^)", formula)
    assert letter is not None
    target = value(formula)
    [exponent] = [n for n in range(1, 41) if value(f"{letter[0]}^{{{n}}}") == target]
    return f"{letter[0]}^{exponent}"


def raised_monomial(drawn: Drawn) -> str:
    """Multiply the monomial by itself, factor by factor."""
    coefficient, exponent = 1, 0
    for _ in range(drawn["n"]):
        coefficient, exponent = coefficient * drawn["a"], exponent + drawn["m"]
    return f"{coefficient}*x**{exponent}"


def box_exponent(_: Drawn, stem: str) -> int:
    """Search the exponent in the box."""
    left, right = maths(stem)[0].split("=")
    target = value(left)
    [found] = [n for n in range(-40, 90) if value(right.replace(r"\square", str(n))) == target]
    return found


def holds_for_numbers(text: str) -> bool:
    """Test an equation with the reader's own fixed values of the letters."""
    left, right = text.strip("$").split("=")
    return value(left) == value(right)


def lies_between_zero_and_one(text: str) -> bool:
    """Test the value of a choice."""
    found = choice_value(text)
    assert found is not None
    return 0 < found < 1


def between_neighbours(_: Drawn, stem: str) -> str:
    """Round the root down and up."""
    root = math.isqrt(int(numbers(stem)[0]))
    return f"between ${root}$ and ${root + 1}$"


def side_of_square(_: Drawn, stem: str) -> int:
    """Try all sides."""
    area = int(numbers(stem)[0])
    return next(side for side in range(1, area + 1) if side * side == area)


def shifted_exponent(_: Drawn, stem: str) -> int:
    """Let the decimal type say where the point stands."""
    left, _right = maths(stem)[0].split("=")
    return Decimal(left.replace("{,}", "").strip()).adjusted()


def is_scientific(_: Drawn, stem: str) -> str:
    """Write the number in scientific notation with the decimal type."""
    number = Decimal(maths(stem)[0].replace("{,}", ""))
    digits, exponent = f"{number.normalize():E}".split("E")
    return rf"${digits} \times 10^{{{int(exponent)}}}$"


def largest(_: Drawn, __: str, texts: tuple[str, ...]) -> str:
    """Return the choice with the largest value."""
    return max(texts, key=choice_value)


def exponent_of_product(_: Drawn, stem: str) -> int:
    """Multiply the two numbers and read the exponent of the result."""
    left, _right = maths(stem)[0].split("=")
    product = value(left)
    assert product.denominator == 1
    return Decimal(product.numerator).adjusted()


def signal_seconds(_: Drawn, stem: str) -> Fraction:
    """Divide the ordinary numbers."""
    speed, distance = (value(formula) for formula in maths(stem))
    return distance / speed


def factor_of_sum(_: Drawn, stem: str) -> Fraction:
    """Add the ordinary numbers and move the point back."""
    first, second = (value(formula) for formula in maths(stem)[:2])
    exponent = int(numbers(maths(stem)[2])[-1])
    return Fraction(int(first + second), int("1" + "0" * exponent))


KEYS: dict[str, Callable[..., Any]] = {
    "pow-read": is_that_product,
    "pow-evaluate": stated,
    "pow-negative-base": stated,
    "pow-fraction": stated,
    "pow-minus-in-front": stated,
    "pow-bacteria": grown_colony,
    "pow-find-exponent": exponent_reached,
    "pow-same-value": same_as_stated,
    "pow-calculation": stated,
    "exp-product": single_power,
    "exp-quotient": single_power,
    "exp-power-of-power": single_power,
    "exp-number-base": same_as_stated,
    "exp-coefficient": raised_monomial,
    "exp-combined": box_exponent,
    "exp-true-laws": lambda d: holds_for_numbers,
    "exp-common-base": box_exponent,
    "neg-zero-exponent": stated,
    "neg-as-fraction": stated,
    "neg-which-power": same_as_stated,
    "neg-fraction-base": stated,
    "neg-quotient": stated,
    "neg-subtract-negative": box_exponent,
    "neg-less-than-one": lambda d: lies_between_zero_and_one,
    "neg-sum-of-powers": stated,
    "sqr-perfect-square": stated,
    "sqr-square-garden": side_of_square,
    "sqr-between-integers": between_neighbours,
    "sqr-fraction": stated,
    "sqr-root-of-sum": stated,
    "sqr-both-solutions": lambda d, stem: lambda t: choice_value(t) ** 2 == numbers(stem)[0],
    "sqr-decimal": stated,
    "sqr-calculation": stated,
    "sci-to-ordinary": lambda d, stem: int(stated(d, stem)),
    "sci-large-exponent": shifted_exponent,
    "sci-proper-form": is_scientific,
    "sci-small-exponent": shifted_exponent,
    "sci-largest-number": largest,
    "sci-multiply": exponent_of_product,
    "sci-light-travel": signal_seconds,
    "sci-add": factor_of_sum,
}
FORM_MATTERS = {"sci-proper-form", "pow-read"}
