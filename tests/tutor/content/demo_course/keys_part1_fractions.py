"""Independent keys of part 1: fractions and decimals."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from tests.tutor.content.demo_course.keys_part1_numbers import Drawn, same_as_stated, stated
from tests.tutor.content.demo_course.reading import choice_value, maths, numbers, value


def box_in_fraction(_: Drawn, stem: str) -> int:
    """Search the whole number that makes the two fractions equal."""
    left, right = maths(stem)[0].split("=")
    return next(n for n in range(1, 500) if value(right.replace(r"\square", str(n))) == value(left))


def share_of_class(_: Drawn, stem: str) -> Fraction:
    """Count the students one by one."""
    bikes, walkers = (int(number) for number in numbers(stem))
    pupils = ["bike"] * bikes + ["foot"] * walkers
    return Fraction(pupils.count("bike"), len(pupils))


def largest(_: Drawn, __: str, texts: tuple[str, ...]) -> str:
    """Return the choice with the largest value."""
    return max(texts, key=choice_value)


def split_sum(_: Drawn, stem: str) -> int:
    """Try all splits of the stated sum into numerator and denominator."""
    wanted, total = (value(formula) for formula in maths(stem))
    return next(n for n in range(1, int(total)) if Fraction(n, int(total) - n) == wanted)


def pages_left(drawn: Drawn) -> Fraction:
    """Count the pages of a book in which both parts are whole pages."""
    pages = drawn["b"] * drawn["d"]
    read = sum(page % drawn["b"] < drawn["a"] for page in range(pages))
    read += sum(page % drawn["d"] < drawn["c"] for page in range(pages))
    return Fraction(pages - read, pages)


def taken_stands(_: Drawn, stem: str) -> int:
    """Take `top` of every `bottom` stands in turn."""
    total, top, bottom = (int(number) for number in numbers(stem))
    return sum(stand % bottom < top for stand in range(total))


def area_by_cells(drawn: Drawn) -> Callable[[str], bool]:
    """Count the cells of a grid over one square metre."""
    cells = sum(
        column < drawn["a"] and row < drawn["c"]
        for column in range(drawn["b"])
        for row in range(drawn["d"])
    )
    return lambda text: choice_value(text) == Fraction(cells, drawn["b"] * drawn["d"])


def part_of_recipe(_: Drawn, stem: str) -> Fraction:
    """Take the part that is not cooked away from the whole."""
    cups, part = (value(formula) for formula in maths(stem))
    return cups - (1 - part) * cups


def coins_left(drawn: Drawn) -> int:
    """Spend coins one by one."""
    rest = [coin for coin in range(drawn["n"]) if coin % drawn["b"] >= drawn["a"]]
    return sum(place % drawn["d"] >= drawn["c"] for place in range(len(rest)))


def times_it_fits(_: Drawn, stem: str) -> int:
    """Subtract the second amount from the first until nothing is left."""
    amount, piece = (value(formula) for formula in maths(stem))
    count = 0
    while amount > 0:
        amount -= piece
        count += 1
    assert amount == 0
    return count


def share_of_cake(_: Drawn, stem: str) -> Fraction:
    """Cut the rest into one piece more per child than parts and count."""
    rest, children = (value(formula) for formula in maths(stem))
    pieces = rest.numerator * int(children)
    return Fraction(pieces, int(children)) / rest.denominator / children


def box_factor(_: Drawn, stem: str) -> Fraction:
    """Solve the linear equation for the box from two trial values."""
    left, right = maths(stem)[0].split("=")
    at_one = value(left.replace(r"\square", "1"))
    at_two = value(left.replace(r"\square", "2"))
    return 1 + (value(right) - at_one) / (at_two - at_one)


def change_in_cents(_: Drawn, stem: str) -> Fraction:
    """Pay in whole cents."""
    bottles, price, note = numbers(stem)
    return Fraction(int(note) * 100 - sum([int(price * 100)] * int(bottles)), 100)


def repeating_decimal(drawn: Drawn) -> Fraction:
    """Add the geometric series of the repeated digit."""
    first, ratio = Fraction(drawn["d"], 10), Fraction(1, 10)
    return drawn["w"] + first / (1 - ratio)


def compared_with_number(drawn: Drawn) -> Callable[[str], bool]:
    """Work the result out and compare."""

    def holds(text: str) -> bool:
        result = value(maths(text)[0])
        return result < drawn["n"] if "less" in text else result > drawn["n"]

    return holds


KEYS: dict[str, Callable[..., Any]] = {
    "eqf-missing-numerator": box_in_fraction,
    "eqf-simplify": stated,
    "eqf-mixed-to-fraction": box_in_fraction,
    "eqf-which-equal": same_as_stated,
    "eqf-share-of-class": share_of_class,
    "eqf-largest": largest,
    "eqf-two-denominators": box_in_fraction,
    "eqf-sum-of-parts": split_sum,
    "fra-same-denominator": stated,
    "fra-unlike-denominators": stated,
    "fra-book-left": pages_left,
    "fra-subtract-common-factor": stated,
    "fra-greater-than-one": lambda d: lambda text: choice_value(text) > 1,
    "fra-add-mixed": stated,
    "fra-subtract-mixed": stated,
    "fra-negative-sum": stated,
    "frm-two-fractions": stated,
    "frm-fraction-of-amount": taken_stands,
    "frm-whole-times-fraction": stated,
    "frm-rectangle-area": area_by_cells,
    "frm-part-of-recipe": part_of_recipe,
    "frm-smaller-products": lambda d: lambda text: choice_value(text) < d["n"],
    "frm-mixed-numbers": stated,
    "frm-part-of-the-rest": coins_left,
    "frd-how-many-fit": times_it_fits,
    "frd-two-fractions": stated,
    "frd-fraction-by-whole": share_of_cake,
    "frd-same-as-product": same_as_stated,
    "frd-glasses": times_it_fits,
    "frd-mixed-numbers": stated,
    "frd-missing-factor": box_factor,
    "dec-fraction-to-decimal": stated,
    "dec-decimal-to-fraction": stated,
    "dec-largest": largest,
    "dec-add": stated,
    "dec-change-at-shop": change_in_cents,
    "dec-multiply": stated,
    "dec-size-of-result": compared_with_number,
    "dec-divide": stated,
    "dec-repeating": repeating_decimal,
}
