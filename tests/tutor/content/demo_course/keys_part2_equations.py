"""Keys for linear equations: each is solved from the values of its two sides alone."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from tests.tutor.content.demo_course.plain_mathematics import first, numbers_in, root, value

Parameters = Mapping[str, Any]
Key = Callable[[Parameters], Any]


def _part(top: Any, bottom: Any) -> Fraction:
    return Fraction(top) / Fraction(bottom)


def _step_that_isolates(d: Parameters) -> Callable[[str], bool]:
    """Carry the step out on both sides at the solution: the left side must become x."""
    solution = root(lambda t: d["a"] * t, d["a"] * d["x"])
    steps = {"Divide": lambda u, k: u / k, "Multiply": lambda u, k: u * k}

    def isolates(text: str) -> bool:
        verb, [number] = text.split(maxsplit=1)[0], numbers_in(text)
        step = steps.get(verb, lambda u, k: u - k)
        return step(Fraction(d["a"] * solution), number) == solution

    return isolates


def _holds_only_at(solution: Fraction) -> Callable[[str], bool]:
    """Test for a line that is true at the solution and at no point near it."""

    def follows(text: str) -> bool:
        nearby = (solution - 1, solution + 1, solution + Fraction(1, 3))
        return value(text, x=solution) and not any(value(text, x=other) for other in nearby)

    return follows


def _first_step(d: Parameters) -> Callable[[str], bool]:
    return _holds_only_at(root(lambda t: d["a"] * t + d["b"], d["c"]))


def _bracket_line(d: Parameters) -> Callable[[str], bool]:
    return _holds_only_at(root(lambda t: d["a"] * (t - d["b"]) + d["d"], d["c"]))


def _both_sides_line(d: Parameters) -> Callable[[str], bool]:
    solution = root(lambda t: d["a"] * t - d["b"], lambda t: d["d"] * t + d["e"])
    return _holds_only_at(solution)


def _has_no_solution(text: str) -> bool:
    """The sides keep the same distance, which is not zero."""
    left, right = text.strip("$").split("=")
    gaps = {value(left, x=at) - value(right, x=at) for at in (-3, 0, 1, 8)}
    return len(gaps) == 1 and 0 not in gaps


def _clears_fractions(d: Parameters) -> Callable[[str], bool]:
    return lambda text: all((Fraction(text) / d[name]).denominator == 1 for name in ("p", "q"))


ONE_STEP: dict[str, Key] = {
    "one-step-addition": lambda d: root(lambda t: t + d["b"], d["c"]),
    "one-step-subtraction-negative": lambda d: root(lambda t: t - d["b"], d["c"]),
    "one-step-multiplication": lambda d: root(lambda t: d["a"] * t, d["c"]),
    "one-step-negative-coefficient": lambda d: root(lambda t: -d["a"] * t, d["c"]),
    "one-step-division": lambda d: root(lambda t: t / d["d"], d["c"]),
    "one-step-fraction-answer": lambda d: root(lambda t: d["a"] * t, d["c"]),
    "one-step-which-step": _step_that_isolates,
    "one-step-fraction-coefficient": lambda d: root(lambda t: _part(d["p"], d["q"]) * t, d["c"]),
}

TWO_STEP: dict[str, Key] = {
    "two-step-positive": lambda d: root(lambda t: d["a"] * t + d["b"], d["c"]),
    "two-step-negative-solution": lambda d: root(lambda t: d["a"] * t + d["b"], d["c"]),
    "two-step-number-first": lambda d: root(lambda t: d["b"] - d["a"] * t, d["c"]),
    "two-step-divided-unknown": lambda d: root(lambda t: t / d["d"] + d["b"], d["c"]),
    "two-step-first-step-choice": _first_step,
    "two-step-fraction-solution": lambda d: root(lambda t: d["a"] * t + d["b"], d["c"]),
    # Pay month by month until the total is reached.
    "two-step-gym-membership": lambda d: first(
        lambda months: d["join"] + sum([d["m"]] * months) == d["total"]
    ),
    "two-step-decimal-coefficients": lambda d: root(
        lambda t: _part(d["k"], 10) * t + _part(d["h"], 10), d["c"]
    ),
}

BRACKETS: dict[str, Key] = {
    "brackets-simple": lambda d: root(lambda t: d["a"] * (t + d["b"]), d["c"]),
    "brackets-coefficient-inside": lambda d: root(lambda t: d["a"] * (d["b"] * t - d["d"]), d["c"]),
    "brackets-plus-constant": lambda d: root(lambda t: d["a"] * (t - d["b"]) + d["d"], d["c"]),
    "brackets-minus-in-front": lambda d: root(lambda t: d["d"] - d["a"] * (t - d["b"]), d["c"]),
    "brackets-two-brackets": lambda d: root(
        lambda t: d["a"] * (t + d["b"]) + d["d"] * (t - d["e"]), d["c"]
    ),
    "brackets-correct-line": _bracket_line,
    "brackets-ticket-discount": lambda d: root(
        lambda price: sum([price - d["r"]] * int(d["n"])), d["total"]
    ),
}

BOTH_SIDES: dict[str, Key] = {
    "both-sides-positive": lambda d: root(
        lambda t: d["a"] * t + d["b"], lambda t: d["d"] * t + d["e"]
    ),
    "both-sides-with-signs": lambda d: root(
        lambda t: d["a"] * t + d["b"], lambda t: d["e"] - d["d"] * t
    ),
    "both-sides-smaller-left": lambda d: root(
        lambda t: d["a"] * t + d["b"], lambda t: d["d"] * t + d["e"]
    ),
    "both-sides-how-many-solutions": lambda d: _has_no_solution,
    # Compare the two bills gigabyte by gigabyte.
    "both-sides-phone-plans": lambda d: first(
        lambda amount: d["f"] + d["r"] * amount == d["g"] + d["s"] * amount
    ),
    "both-sides-brackets": lambda d: root(
        lambda t: d["a"] * (t - d["b"]), lambda t: d["d"] * t + d["e"]
    ),
    "both-sides-correct-step": _both_sides_line,
}

FRACTIONS: dict[str, Key] = {
    "fractions-equation-half-and-third": lambda d: root(lambda t: t / d["p"] + t / d["q"], d["c"]),
    "fractions-equation-one-numerator": lambda d: root(lambda t: (t + d["b"]) / d["d"], d["c"]),
    "fractions-equation-with-constant": lambda d: root(
        lambda t: _part(d["p"], d["q"]) * t - d["b"], d["c"]
    ),
    "fractions-equation-both-sides": lambda d: root(
        lambda t: t / d["p"] + d["b"], lambda t: t / d["q"] + d["e"]
    ),
    "fractions-equation-two-numerators": lambda d: root(
        lambda t: (t + d["a"]) / d["p"] - (t - d["b"]) / d["q"], d["c"]
    ),
    "fractions-equation-multiply-by": _clears_fractions,
    "fractions-equation-hike": lambda d: root(lambda t: t - t / d["p"] - t / d["q"], d["rest"]),
}

KEYS = ONE_STEP | TWO_STEP | BRACKETS | BOTH_SIDES | FRACTIONS
