"""Independent keys of part 1: percentages and ratios.

Mostly by counting people, coins or parts one by one, or by searching the number that fits.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from tests.tutor.content.demo_course.keys_part1_numbers import Drawn, stated
from tests.tutor.content.demo_course.reading import choice_value, numbers


def percent_of(_: Drawn, stem: str) -> Fraction:
    """Add one hundredth of the amount as often as the percentage says."""
    percentage, amount = numbers(stem)
    return sum([amount / 100] * int(percentage), Fraction(0))


def percent_search(part: Fraction, whole: Fraction) -> int:
    """Try all whole percentages."""
    return next(p for p in range(1000) if whole / 100 * p == part)


def taken_seats(_: Drawn, stem: str) -> int:
    """Search the percentage of taken seats."""
    seats, taken = numbers(stem)
    return percent_search(taken, seats)


def others(_: Drawn, stem: str) -> int:
    """Count the students who do not come by bus, five in a hundred at a time."""
    students, percentage = (int(number) for number in numbers(stem))
    groups = students // 20
    return sum(groups for step in range(20) if 5 * step >= percentage)


def whole_number_of(_: Drawn, stem: str) -> int:
    """Search the number of which the given percentage is the given part."""
    percentage, part = numbers(stem)
    return next(n for n in range(1, 2000) if Fraction(n) * percentage / 100 == part)


def adults_at_tennis(drawn: Drawn) -> Fraction:
    """Count in a club of 1000 members."""
    adults = [member for member in range(1000) if member % 100 < drawn["p"]]
    return Fraction(sum(place % 100 < drawn["q"] for place in range(len(adults))), 10)


def juice_in_mixture(_: Drawn, stem: str) -> Fraction:
    """Mix the drinks in portions of one millilitre."""
    first, weak, second, strong = numbers(stem)
    portions = [weak] * int(first) + [strong] * int(second)
    return sum(portions) / len(portions)


def price_after(sign: int) -> Callable[[Drawn, str], Fraction]:
    """Raise or lower the first number of the stem by the percentage that follows, in cents."""

    def found(_: Drawn, stem: str) -> Fraction:
        price, percentage = numbers(stem)
        cents_per_percent = int(price)  # one percent of a euro is a cent
        return Fraction(int(price) * 100 + sign * cents_per_percent * int(percentage), 100)

    return found


def growth(_: Drawn, stem: str) -> int:
    """Search the percentage by which the membership grew."""
    before, after = numbers(stem)
    return next(p for p in range(1000) if before + before * p / 100 == after)


def describes_increase(drawn: Drawn) -> Callable[[str], bool]:
    """Check each statement with an old amount of 100."""
    old, new = Fraction(100), Fraction(100 + drawn["p"])

    def holds(text: str) -> bool:
        [number] = numbers(text)
        if "decrease" in text:
            return new - new * number / 100 == old
        if "times" in text:
            return old * number == new
        left, right = (new, old) if text.startswith("The new") else (old, new)
        return left == right * number / 100

    return holds


def chained(_: Drawn, stem: str) -> Fraction:
    """Follow 10000 users through both years."""
    users = start = Fraction(10_000)
    for percentage in numbers(stem):
        users += users / 100 * percentage
    return (users - start) / (start / 100)


def price_before(_: Drawn, stem: str) -> int:
    """Search the old price in euros."""
    percentage, now = numbers(stem)
    return next(n for n in range(1, 1000) if n - Fraction(n) / 100 * percentage == now)


def up_and_down(drawn: Drawn) -> Fraction:
    """Follow a price of 100 euros."""
    high = Fraction(100) + drawn["p"]
    low = high - high / 100 * drawn["p"]
    return 100 - low


def simplest_ratio(_: Drawn, stem: str) -> str:
    """Divide by every common divisor in turn."""
    a, b = (int(number) for number in numbers(stem)[:2])
    for divisor in range(min(a, b), 1, -1):
        if a % divisor == 0 == b % divisor:
            a, b = a // divisor, b // divisor
    return f"{a}:{b}"


def equal_ratios(drawn: Drawn) -> Callable[[str], bool]:
    """Compare crosswise products."""

    def equal(text: str) -> bool:
        first, second = numbers(text)
        return first * drawn["b"] == second * drawn["a"]

    return equal


def dealt_out(total: int, parts: list[int]) -> list[int]:
    """Deal out units in rounds, as many to each as the ratio says."""
    shares = [0] * len(parts)
    while sum(shares) < total:
        shares = [share + part for share, part in zip(shares, parts, strict=True)]
    assert sum(shares) == total
    return shares


def blue_part(_: Drawn, stem: str) -> Fraction:
    """Count the blue parts among all parts."""
    blue, yellow = (int(number) for number in numbers(stem))
    mixture = "b" * blue + "y" * yellow
    return Fraction(mixture.count("b"), len(mixture))


def total_from_difference(drawn: Drawn) -> int:
    """Deal out rounds until the difference is reached."""
    mia = jonas = 0
    while jonas - mia < drawn["d"]:
        mia, jonas = mia + drawn["a"], jonas + drawn["b"]
    return mia + jonas


def chain_ratio(drawn: Drawn) -> str:
    """Set 1 apple tree and work out the others as fractions."""
    pears = Fraction(drawn["q"], drawn["p"])
    plums = pears * Fraction(drawn["s"], drawn["r"])
    return f"{(1 / plums).numerator}:{(1 / plums).denominator}"


KEYS: dict[str, Callable[..., Any]] = {
    "pct-of-amount": percent_of,
    "pct-fraction-to-percent": lambda d, stem: percent_search(stated(d, stem), Fraction(1)),
    "pct-equal-values": lambda d: lambda text: choice_value(text) * 100 == d["p"],
    "pct-one-of-another": taken_seats,
    "pct-rest-of-group": others,
    "pct-find-whole": whole_number_of,
    "pct-percent-of-percent": adults_at_tennis,
    "pct-mixing-juice": juice_in_mixture,
    "pch-increase": price_after(1),
    "pch-discount": price_after(-1),
    "pch-multiplier": lambda d: lambda text: 100 * choice_value(text) + d["p"] == 100,
    "pch-find-percentage": growth,
    "pch-true-descriptions": describes_increase,
    "pch-two-increases": chained,
    "pch-price-before": price_before,
    "pch-up-and-down": up_and_down,
    "rat-simplify": simplest_ratio,
    "rat-equal-ratios": equal_ratios,
    "rat-share-amount": lambda d: dealt_out(d["n"], [d["a"], d["b"]])[0],
    "rat-fraction-of-whole": lambda d: Fraction(
        ("b" * d["a"] + "y" * d["b"]).count("b"), d["a"] + d["b"]
    ),
    "rat-model-scale": lambda d: next(n for n in range(1, 999) if d["c"] * n == 100 * d["m"]),
    "rat-three-parts": lambda d: dealt_out(d["n"], [d["a"], d["b"], d["c"]])[1],
    "rat-from-difference": total_from_difference,
    "rat-chain": chain_ratio,
}
