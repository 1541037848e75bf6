"""Keys for questions about pictures: measured in the pixels, not read from the alternative."""

import functools
import io
import itertools
import re
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import tutor.content
from tutor.content.course_format import read_structure

Parameters = Mapping[str, Any]
FOLDER = Path(tutor.content.__file__).parent / "demo_course"
INK, GREEN, BLUE = (0x1C, 0x19, 0x17), (0x4D, 0x9A, 0x6A), (0x1D, 0x4E, 0xD8)
# A plane of 420 pixels from -5 to 5 with a margin of 15.
UNIT = 39


@functools.cache
def _pictures() -> dict[str, np.ndarray]:
    course, _ = read_structure(FOLDER)
    assert course is not None
    return {
        one.digest: np.asarray(Image.open(io.BytesIO(one.data)).convert("RGB"))
        for one in course.pictures
    }


def _pixels(text: str, colour: tuple[int, int, int]) -> np.ndarray:
    """Return (P, 2) the rows and columns of one colour in the first picture of a text."""
    digest = re.search(r"picture:([0-9a-f]{64})", text)
    assert digest is not None
    return np.argwhere((_pictures()[digest[1]] == colour).all(axis=2))


def _in_plane(row: float, column: float) -> tuple[int, int]:
    return round((column - 210) / UNIT), round((210 - row) / UNIT)


def _jump(d: Parameters, stem: str) -> int:
    """The dot stands at the start; the arrow goes from the one upright line to the other."""
    found = _pixels(stem, BLUE)
    below = found[found[:, 0] > 86]
    start = round((below[:, 1].mean() - 300) / 34)
    above = found[(found[:, 0] > 60) & (found[:, 0] < 78)]
    ends = {round((column - 300) / 34) for column in above[:, 1]}
    [end] = ends - {start}
    return end - start


def _shaded(text: str) -> Fraction:
    """Along the middle of the bar: green parts of all parts between two borders."""
    digest = re.search(r"picture:([0-9a-f]{64})", text)
    assert digest is not None
    row = _pictures()[digest[1]][28]
    borders = np.flatnonzero((row == INK).all(axis=1))
    edges = [(left, right) for left, right in itertools.pairwise(borders) if right - left > 10]
    green = [(row[(left + right) // 2] == GREEN).all() for left, right in edges]
    return Fraction(sum(green), len(green))


def _of_chart(d: Parameters, stem: str) -> Fraction:
    place = ["on foot", "by bus", "by bike"].index(re.findall(r"come ([a-z ]+)\?", stem)[-1])
    found = _pixels(stem, GREEN)
    own = found[(found[:, 1] > 75 + place * 110) & (found[:, 1] < 141 + place * 110)]
    return Fraction(round(np.ptp(own[:, 0]) / 24), 20)


def _line(d: Parameters, stem: str) -> str:
    rows, columns = _pixels(stem, BLUE).T
    slope, height = np.polyfit((columns - 210) / UNIT, (210 - rows) / UNIT, 1)
    return f"{round(slope)}*x + {round(height)}"


def _vertex(d: Parameters, stem: str) -> tuple[int, int]:
    found = _pixels(stem, BLUE)
    lowest = found[found[:, 0] >= found[:, 0].max() - 1]
    return _in_plane(lowest[:, 0].mean(), lowest[:, 1].mean())


def _point(d: Parameters, stem: str) -> tuple[int, int]:
    """The dot is the largest blue thing: more than half of its pixels lie within a radius of 8."""
    found = _pixels(stem, BLUE)
    return _in_plane(*np.median(found, axis=0))


KEYS = {
    "picture-number-line-jump": _jump,
    "picture-fraction-bar-read": lambda d, stem: _shaded(stem),
    "picture-fraction-bar-choose": lambda d: lambda text: _shaded(text) == Fraction(d["p"], d["q"]),
    "picture-bar-chart-percent": _of_chart,
    "picture-read-point": _point,
    "picture-line-equation": _line,
    "picture-parabola-vertex": _vertex,
    "picture-area-model": lambda d: f"x**2 + {d['a'] + d['b']}*x + {d['a'] * d['b']}",
}
