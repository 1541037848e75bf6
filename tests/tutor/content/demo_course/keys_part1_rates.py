"""Independent keys of part 1: proportions and rates.

Mostly by working through the situation step by step, or by searching the number that fits.
"""

from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

from tests.tutor.content.demo_course.keys_part1_numbers import Drawn
from tests.tutor.content.demo_course.reading import maths, numbers, value


def proportion(_: Drawn, stem: str) -> int:
    """Search the x that makes both sides equal."""
    left, right = maths(stem)[-1].split("=")
    return next(n for n in range(1, 500) if value(right.replace("x", str(n))) == value(left))


def flour(_: Drawn, stem: str) -> Fraction:
    """Share the flour among the pancakes, then bake one by one."""
    known, grams, asked = numbers(stem)
    return sum([grams / known] * int(asked), Fraction(0))


def proportional_table(text: str) -> bool:
    """Compare neighbouring pairs crosswise."""
    found = [int(number) for number in numbers(text)]
    pairs = list(zip(found[:3], found[3:], strict=True))
    return all(x * v == u * y for (x, y), (u, v) in pairwise(pairs))


def kilometres(_: Drawn, stem: str) -> Fraction:
    """Go from centimetres to metres to kilometres."""
    _, scale, centimetres = numbers(stem)
    metres = centimetres * scale / 100
    return metres / 1000


def proportional_situation(text: str) -> bool:
    """Compare the outcome for twice the amount with twice the outcome."""
    found = numbers(text)
    outcome: dict[str, Callable[[int], Fraction]] = {
        "Apples": lambda n: n * found[0],
        "A tap": lambda n: n * found[0],
        "A taxi": lambda n: found[0] + n * found[1],
        "A child": lambda n: found[0] + 6 * (n - 6),
        "A prize": lambda n: found[0] / n,
    }
    [rule] = [rule for start, rule in outcome.items() if text.startswith(start)]
    return rule(12) == 2 * rule(6)


def painting_days(_: Drawn, stem: str) -> Fraction:
    """Count the days' work and let the painters take it in turns."""
    painters, days, asked = (int(number) for number in numbers(stem))
    work = sum(painters for _ in range(days))
    return Fraction(work, asked)


def painted_fences(_: Drawn, stem: str) -> Fraction:
    """Fences per litre from the inverse: litres for a whole fence."""
    litres, part = (value(formula) for formula in maths(stem)[:2])
    litres_for_one = litres / part
    return numbers(stem)[-1] / litres_for_one


def first_over_second(_: Drawn, stem: str) -> Fraction:
    """Search for the rate in steps of a hundredth."""
    first, second = numbers(stem)[:2]
    return next(r for r in (Fraction(n, 100) for n in range(1, 40_000)) if r * second == first)


def price_per_kilogram(_: Drawn, stem: str) -> Fraction:
    """Divide the cents."""
    kilograms, price = numbers(stem)
    return Fraction(int(price * 100) // int(kilograms), 100)


def cheapest(_: Drawn, __: str, texts: tuple[str, ...]) -> str:
    """Return the pack with the lowest price per gram."""

    def per_gram(text: str) -> Fraction:
        grams, euros = numbers(text)
        return euros / grams

    return min(texts, key=per_gram)


def minutes_to_fill(_: Drawn, stem: str) -> int:
    """Let the water run minute by minute."""
    litres, minutes, tub = numbers(stem)
    filled, elapsed = Fraction(0), 0
    while filled < tub:
        filled += litres / minutes
        elapsed += 1
    return elapsed


def kilometres_in_an_hour(_: Drawn, stem: str) -> Fraction:
    """Ride 60 times as far as in one minute."""
    distance, minutes = numbers(stem)
    return sum([distance / minutes] * 60, Fraction(0))


def distance_driven(_: Drawn, stem: str) -> Fraction:
    """Drive second by second."""
    hours, minutes, speed = (int(number) for number in numbers(stem))
    seconds = int(timedelta(hours=hours, minutes=minutes).total_seconds())
    return Fraction(speed * 1000, 3600) * seconds / 1000


def speed_there_and_back(_: Drawn, stem: str) -> Fraction:
    """Divide the whole way by the whole time."""
    way, there, back = numbers(stem)
    return 2 * way / (way / there + way / back)


KEYS: dict[str, Callable[..., Any]] = {
    "prp-missing-term": proportion,
    "prp-pancakes": flour,
    "prp-which-table": lambda d: proportional_table,
    "prp-map-scale": kilometres,
    "prp-shadow": lambda d: sum([Fraction(1, d["s"])] * (d["h"] * d["t"])),
    "prp-which-proportional": lambda d: proportional_situation,
    "prp-painters": painting_days,
    "prp-fraction-amounts": painted_fences,
    "rate-speed": first_over_second,
    "rate-price-per-kilogram": price_per_kilogram,
    "rate-best-buy": cheapest,
    "rate-filling-tank": minutes_to_fill,
    "rate-cyclist": kilometres_in_an_hour,
    "rate-hours-and-minutes": distance_driven,
    "rate-metres-per-second": lambda d, stem: numbers(stem)[0] * 1000 / (60 * 60),
    "rate-there-and-back": speed_there_and_back,
}
