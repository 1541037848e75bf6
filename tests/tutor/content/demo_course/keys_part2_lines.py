"""Keys for coordinates and lines: from vectors, angles, areas and fitted lines."""

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import sympy

from tests.tutor.content.demo_course.plain_mathematics import (
    line,
    line_through,
    numbers_in,
    root,
    value,
)

Parameters = Mapping[str, Any]
Key = Callable[[Parameters], Any]
Point = tuple[Any, Any]


def _quadrant(d: Parameters) -> str:
    """Count the quarter turns up to the direction of the point."""
    angle = math.atan2(d["y"], d["x"]) % (2 * math.pi)
    return ["I", "II", "III", "IV"][int(angle // (math.pi / 2))]


def _reflected(d: Parameters) -> Point:
    """Conjugate the complex number of the point; a half turn swaps the axes."""
    mirrored = complex(d["x"], d["y"]).conjugate()
    mirrored = mirrored if d["axis"] == "x" else -mirrored
    return (int(mirrored.real), int(mirrored.imag))


def _middle(d: Parameters) -> Point:
    """Go half of the vector from the first point to the second."""
    starts, ends = (d["mx"] - d["dx"], d["my"] - d["dy"]), (d["mx"] + d["dx"], d["my"] + d["dy"])
    return tuple(start + Fraction(end - start, 2) for start, end in zip(starts, ends, strict=True))


def _area(d: Parameters) -> Fraction:
    """Add up the shoelace terms of the corners."""
    corners = [(d["x1"], d["y1"]), (d["x2"], d["y1"]), (d["x2"], d["y2"]), (d["x1"], d["y2"])]
    turns = zip(corners, corners[1:] + corners[:1], strict=True)
    return Fraction(abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in turns)), 2)


def _slope(first: Point, second: Point) -> sympy.Expr:
    return sympy.Line(sympy.Point(*first), sympy.Point(*second)).slope


def _flat_or_upright(d: Parameters) -> str:
    slope = _slope((d["x1"], d["y1"]), (d["x2"], d["y2"]))
    return {sympy.Integer(0): "zero", sympy.oo: "undefined"}[slope]


def _pair_has_slope(d: Parameters) -> Callable[[str], bool]:
    def has_slope(text: str) -> bool:
        ax, ay, bx, by = numbers_in(text)
        return by - ay == d["m"] * (bx - ax)

    return has_slope


def _collinear(d: Parameters) -> Fraction:
    """Find the k for which the three points enclose no area."""
    ux, uy = d["x2"] - d["x1"], d["y2"] - d["y1"]
    return root(lambda k: ux * (k - d["y1"]) - uy * (d["x3"] - d["x1"]))


def _direction(equation: str) -> Point:
    """Return the step from the point of a line at x = 0 to the one at x = 1."""
    left, right = equation.strip("$").split("=")
    heights = [root(lambda y, x=x: value(left, x=x, y=y) - value(right, x=x, y=y)) for x in (0, 1)]
    return (1, heights[1] - heights[0])


def _perpendicular_line(d: Parameters) -> Callable[[str], bool]:
    def is_perpendicular(text: str) -> bool:
        across, up = _direction(text)
        return across + up * d["m"] == 0

    return is_perpendicular


def _mutual_position(d: Parameters) -> str:
    """Judge by the cross and the dot product of the directions (1, m) and (1, n)."""
    cross, dot = d["n"] - d["m"], 1 + d["m"] * d["n"]
    return "parallel" if cross == 0 else "perpendicular" if dot == 0 else "neither"


def _standard_slope(d: Parameters) -> Fraction:
    heights = [root(lambda y, x=x: d["a"] * x + d["b"] * y, d["c"]) for x in (0, 1)]
    return heights[1] - heights[0]


def _candle(d: Parameters) -> str:
    heights = [d["h"] - sum([d["r"]] * hours) for hours in range(2)]
    change = heights[1] - heights[0]
    return f"The candle gets {abs(change)} cm {'shorter' if change < 0 else 'taller'} every hour."


COORDINATES: dict[str, Key] = {
    "coordinates-walk": lambda d: (
        sum([-1] * int(d["a"])),
        sum([1] * int(d["b"])),
    ),
    "coordinates-quadrant": _quadrant,
    "coordinates-vertical-distance": lambda d: len(range(int(d["y1"]), int(d["y2"]))),
    "coordinates-reflection": _reflected,
    "coordinates-midpoint": _middle,
    "coordinates-fourth-corner": lambda d: (
        # In a parallelogram the two diagonals have the same middle.
        d["x1"] + d["x2"] - d["x2"],
        d["y1"] + d["y2"] - d["y1"],
    ),
    "coordinates-on-axis": lambda d: lambda text: numbers_in(text)[0] == 0,
    "coordinates-field-area": _area,
}

SLOPE: dict[str, Key] = {
    "slope-staircase": lambda d: _slope((0, 0), (d["run"], d["m"] * d["run"])),
    "slope-two-points-whole": lambda d: _slope((d["x1"], d["y1"]), (d["x2"], d["y2"])),
    "slope-two-points-fraction": lambda d: _slope((d["x1"], d["y1"]), (d["x2"], d["y2"])),
    "slope-ramp": lambda d: root(lambda m: m * d["run"], d["rise"]),
    "slope-horizontal-or-vertical": _flat_or_upright,
    "slope-missing-coordinate": lambda d: root(
        lambda k: (k - d["y1"]) - d["m"] * (d["x2"] - d["x1"])
    ),
    "slope-which-pairs": _pair_has_slope,
    "slope-water-tank": lambda d: _slope((d["t1"], d["w1"]), (d["t2"], d["w2"])),
}

SLOPE_INTERCEPT: dict[str, Key] = {
    "line-read-slope": lambda d: _direction(f"y = {d['b']} + ({d['m']})x")[1],
    "line-write-equation": lambda d: line_through((0, d["b"]), (1, d["b"] + d["m"])),
    "line-rise-and-run-equation": lambda d: line_through((0, d["b"]), (d["q"], d["b"] - d["p"])),
    "line-slope-from-standard-form": _standard_slope,
    "line-x-intercept": lambda d: root(lambda t: d["m"] * t + d["b"]),
    "line-points-on-it": lambda d: (
        lambda text: numbers_in(text)[1] == d["m"] * numbers_in(text)[0] + d["b"]
    ),
    "line-candle-meaning": _candle,
    "line-savings-equation": lambda d: line(
        lambda weeks: d["s"] + sum([d["r"]] * int(weeks)),
    ),
}

THROUGH_POINTS: dict[str, Key] = {
    "points-intercept-from-slope": lambda d: (
        # Walk back to the axis one unit at a time.
        d["y1"] + sum([-d["m"]] * int(d["x1"]))
    ),
    "points-one-on-axis": lambda d: line_through((0, d["b"]), (d["x2"], d["y2"])),
    "points-two-general": lambda d: line_through((d["x1"], d["y1"]), (d["x2"], d["y2"])),
    "points-fraction-slope": lambda d: line_through((d["x1"], d["y1"]), (d["x2"], d["y2"])),
    "points-candle-start": lambda d: line_through((d["t1"], d["h1"]), (d["t2"], d["h2"])).subs(
        "x", 0
    ),
    "points-which-equation": lambda d: (
        lambda text: all(value(text, x=x, y=d["m"] * x + d["b"]) for x in (d["x1"], d["x2"]))
    ),
    "points-three-on-a-line": _collinear,
    "points-boiling-lab": lambda d: line_through((d["t1"], d["y1"]), (d["t2"], d["y2"])),
}

PARALLEL: dict[str, Key] = {
    # A parallel moved up by 5 has the same change from x = 0 to x = 1.
    "parallel-slope": lambda d: _direction(f"y - 5 = ({d['m']})x + ({d['b']})")[1],
    "perpendicular-slope-whole": lambda d: root(lambda s: 1 + d["m"] * s),
    "perpendicular-slope-fraction": lambda d: root(lambda s: d["q"] + d["p"] * s),
    "parallel-through-point": lambda d: line_through(
        (d["x1"], d["y1"]), (d["x1"] + 1, d["y1"] + d["m"])
    ),
    "perpendicular-through-point": lambda d: line_through(
        (d["x1"], d["y1"]), (d["x1"] - d["m"], d["y1"] + 1)
    ),
    "parallel-or-perpendicular": _mutual_position,
    "perpendicular-choose-all": _perpendicular_line,
    # The normals (a, b) and (ak, t) have the same direction.
    "parallel-standard-form": lambda d: root(lambda t: d["a"] * t - d["a"] * d["k"] * d["b"]),
    "perpendicular-city-streets": lambda d: root(lambda s: d["q"] + d["p"] * s),
}

KEYS = COORDINATES | SLOPE | SLOPE_INTERCEPT | THROUGH_POINTS | PARALLEL
